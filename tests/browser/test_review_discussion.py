"""The discussion beside the rubric, in a real browser: written, unfolded, answered, resolved, taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from annotation import discussion, flags
from annotation.models import Comment, Flag, Round, RoundItem
from tests.browser.desk import Desk
from webapp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenRound = Callable[..., Round]
Sit = Callable[..., Desk]


def test_a_comment_is_written_unfolded_and_taken_back_by_undo(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.press("m")
    ada.type("Which guideline is this?")
    ada.press("Control+Enter", "M")
    thread = ada.page.locator(".discussion .thread")
    thread.wait_for()
    assert "You" in thread.inner_text()
    assert "on criterion 1" in thread.inner_text()
    ada.press("z")
    thread.wait_for(state="detached")
    ada.saved()
    assert Comment.rows.get().withdrawn_at is not None
    ada.press("Z")
    thread.wait_for()
    ada.saved()
    assert Comment.rows.get().withdrawn_at is None
    assert ada.faults == []


def test_a_leads_answer_is_read_and_answered_and_the_thread_resolved(
    open_round: OpenRound, desk: Sit, lead: User
) -> None:
    ada = desk(open_round(items=1, verdicts=True))
    page = ada.page
    ada.press("m")
    ada.type("Which guideline is this?")
    ada.press("Control+Enter")
    ada.saved()
    first = Comment.rows.get()
    discussion.say(
        actor=lead,
        item=RoundItem.rows.get(),
        comment_id=uuid.uuid4(),
        text="The one of 2024.\nSee page 3.",
        thread_id=first.pk,
    )
    ada.press("M")
    page.get_by_text("The one of 2024.").wait_for()
    page.locator(".thread-actions").get_by_text("Reply").click()
    ada.type("Thank you a x 1")
    page.route("**/discussion", lambda route: route.abort())
    ada.press("Control+Enter")
    page.locator(".sheet textarea").wait_for()
    assert page.locator(".sheet textarea").input_value() == "Thank you a x 1"
    page.unroute("**/discussion")
    ada.press("Control+Enter")
    page.get_by_text("Thank you a x 1").wait_for()
    page.locator(".thread-actions").get_by_text("Resolve").click()
    page.locator(".thread--resolved").wait_for()
    first.refresh_from_db()
    assert first.resolved_by is not None
    assert Comment.rows.count() == 3
    assert ada.operations() == ["comment"]
    assert ada.faults == []


def test_a_leads_answer_to_a_flag_stands_above_the_rubric(
    open_round: OpenRound, desk: Sit, lead: User
) -> None:
    round = open_round(items=1)
    ada = desk(round)
    ada.press("f", "1")
    ada.saved()
    flag = Flag.rows.get()
    assert flag.reason == "Missing context"
    flags.answer(actor=lead, flag=flag, text="She is 61, and takes warfarin.", resolved=True)
    ada.page.reload()
    answer = ada.page.locator(".answer")
    answer.wait_for()
    assert "Missing context" in answer.inner_text()
    assert "She is 61, and takes warfarin." in answer.inner_text()
