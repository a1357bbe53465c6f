"""Judging before the draft is shown, in a real browser: nothing of the draft is on the page until it is revealed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Assignment, Round
from tests import cast
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenRound = Callable[..., Round]
Sit = Callable[..., Desk]


def test_one_writes_judges_reveals_and_accepts_by_keys(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(items=1, blind_first_share=1.0))
    item = ada.current
    page = ada.page
    card = page.locator(".judge-first")
    assert "Judge first" in card.inner_text()
    for _, _, text, _, _ in cast.DRAFT:
        assert text not in page.content()
    ada.press("w")
    assert "Write at least one criterion" in page.locator("[data-order]").inner_text()
    ada.press("n", "s")
    ada.type("Tells when to come back.")
    ada.press("Control+Enter")
    ada.decide()
    assert "Reveal the draft before you accept" in page.locator("[data-order]").inner_text()
    ada.press("w")
    assert "2 verdicts to give" in page.locator("[data-order]").inner_text()
    ada.press("Y", "y")
    ada.press("y", "]", "u")
    assert "ready" in card.inner_text()
    ada.press("w")
    page.wait_for_selector(".judge-first", state="detached")
    ada.saved()
    assert page.locator(".criterion").count() == len(cast.DRAFT) + 1
    assert Assignment.rows.get(pk=item.pk).document["sealed"] is None
    assert ada.faults == []


def test_the_draft_comes_after_a_reload_too_and_only_then_can_one_accept(
    open_round: OpenRound, desk: Sit
) -> None:
    ada = desk(open_round(items=1, blind_first_share=1.0, responses=1))
    page = ada.page
    ada.press("n", "s")
    ada.type("Tells when to come back.")
    ada.press("Control+Enter", "y")
    ada.saved()
    page.route("**/operations", lambda route: route.abort())
    ada.press("w")
    assert "on its way" in page.locator(".judge-first").inner_text()
    ada.decide()
    assert "on its way" in page.locator("[data-order]").inner_text()
    page.unroute("**/operations")
    page.reload()
    page.wait_for_selector("#content[data-mode='item']")
    page.wait_for_selector(".judge-first", state="detached")
    assert page.locator(".criterion").count() == len(cast.DRAFT) + 1


def test_undo_goes_back_to_before_the_draft_was_shown_but_never_hides_it(
    open_round: OpenRound, desk: Sit
) -> None:
    ada = desk(open_round(items=1, blind_first_share=1.0, responses=1))
    item = ada.current
    ada.press("n", "s")
    ada.type("Tells when to come back.")
    ada.press("Control+Enter", "y", "w")
    ada.page.wait_for_selector(".judge-first", state="detached")
    ada.press("z")
    ada.saved()
    document: dict[str, Any] = ada.document(item)
    assert document["sealed"] is None
    assert len(document["criteria"]) == len(cast.DRAFT) + 1
    own = document["criteria"][-1]["key"]
    assert own not in document["verdicts"]
