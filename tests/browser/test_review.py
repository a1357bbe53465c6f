"""The review screen in a real browser, by its keys: what a press does, and that no press is lost or counted twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import F
from playwright.sync_api import BrowserContext, Dialog, Route

from annotation.models import Assignment, Operation, Round
from rubric_engine.models import Response
from tests.browser.desk import Desk, session_cookie
from tests.browser.server import WebServer
from webapp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenRound = Callable[..., Round]
Sit = Callable[..., Desk]


def test_keys_edit_reject_add_weigh_move_and_flip_criteria(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    item = ada.current
    ada.press("e")
    ada.type(" Yes")
    ada.press("Control+Enter", "j", "x", "2", "j", "+", "!", "v", "n", "e")
    ada.type("Explains the plan.")
    ada.press("Control+Enter")
    ada.saved()
    document = ada.document(item)
    by_key = {criterion["key"]: criterion for criterion in document["criteria"]}
    assert by_key["s1"]["text"] == "Tells the patient to call an ambulance now. Yes"
    assert by_key["s2"]["rejected"] == {"reason": "Medically wrong"}
    assert by_key["p1"]["weight"] == 5
    assert by_key["p1"]["polarity"] == "must_not_hold"
    assert by_key["p1"]["dimension"] == "safety"
    assert document["criteria"][-1]["text"] == "Explains the plan."
    assert document["criteria"][-1]["dimension"] == "excellence"
    assert ada.faults == []


def test_another_key_between_two_digits_keeps_them_apart(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    for place in range(7):
        ada.press("n", "e")
        ada.type(f"Says a further thing, number {place}.")
        ada.press("Control+Enter")
    ada.press("1", "1")
    assert "number 5" in ada.focused
    ada.press("1", "j", "1")
    assert "Tells the patient to call an ambulance now." in ada.focused
    assert ada.faults == []


def test_the_words_changed_against_the_draft_are_marked(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.press("e", "Control+a")
    ada.type("Tells the patient to call an ambulance immediately.")
    ada.press("Control+Enter")
    focused = ada.page.locator(".criterion--focused")
    assert focused.locator("del").inner_text() == "now"
    assert focused.locator("ins").inner_text() == "immediately"
    ada.press("d")
    assert focused.locator("ins").count() == 0


def test_escape_leaves_an_edit_without_an_operation(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.press("e")
    ada.type("azx")
    ada.press("Escape")
    ada.saved()
    assert ada.operations() == []


def test_keys_do_nothing_while_one_types(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(verdicts=True))
    item = ada.current
    ada.press("m")
    ada.type("aaa xyz 123 jk")
    ada.press("Control+Enter")
    ada.press("Backspace")
    ada.saved()
    assert ada.operations() == ["comment"]
    [comment] = ada.document(item)["comments"]
    assert (comment["text"], comment["criterion"]) == ("aaa xyz 123 jk", "s1")


def test_verdicts_are_given_by_key_and_by_mouse_and_the_order_follows(
    open_round: OpenRound, desk: Sit
) -> None:
    ada = desk(open_round())
    item = ada.current
    assert "10 verdicts missing" in ada.order
    for place in range(5):
        good, bad = ("u", "y") if place == 1 else ("y", "u")
        ada.press(good, "]", bad, "[", "j")
    ada.saved()
    assert "A" in ada.order.split("≻")[0]
    assert "last, whatever else it scores" in ada.order
    ada.page.locator(".criterion").first.locator("button.cell").nth(1).click()
    ada.saved()
    assert ada.document(item)["verdicts"]["s1"]["B"]["met"] is True


def test_accept_waits_for_missing_verdicts_and_goes_to_the_first(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.press("y", "]", "y", "j", "j")
    ada.decide()
    ada.saved()
    assert "8 verdicts missing" in ada.order
    assert "Recommends a second dose" in ada.focused
    assert "accept" not in ada.operations()


def test_accept_submits_and_undo_of_the_submit_brings_the_item_back(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(verdicts=True))
    first = ada.current
    ada.decide()
    ada.saved()
    assert ada.current != first
    assert ada.states() == ["submitted", "open", "open"]
    ada.press("z")
    ada.page.wait_for_selector(".rail-row[aria-current] .state--draft")
    ada.saved()
    assert ada.current == first
    assert ada.states() == ["draft", "open", "open"]
    ada.press("Z")
    ada.saved()
    assert ada.operations() == ["accept", "reopen", "accept"]


def test_flag_and_skip_take_a_reason_by_one_digit(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    first = ada.current
    ada.press("f", "1", "s", "1")
    ada.saved()
    document = ada.document(first)
    assert document["flags"] == [{"reason": "Missing context", "text": ""}]
    assert document["skip"] == {"reason": "Not my field"}
    assert ada.current != first


def test_rationale_and_evidence_stand_beside_a_verdict(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    item = ada.current
    ada.press("r")
    assert "Judge met or not met first" in ada.order
    ada.press("y", "r")
    ada.type("It says so.")
    ada.press("Control+Enter", "h", "Enter")
    ada.saved()
    verdict = ada.document(item)["verdicts"]["s1"]["A"]
    assert verdict["rationale"] == "It says so."
    text = ada.page.locator(".response-text").inner_text()
    assert verdict["evidence"]["quote"] == text[verdict["evidence"]["start"] : verdict["evidence"]["end"]]
    assert ada.page.locator("mark").inner_text() == verdict["evidence"]["quote"]


def test_holding_accept_over_twelve_items_decides_each_once(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(items=12, verdicts=True))
    for _ in range(400):
        ada.page.keyboard.down("a")  # repeated downs without an up are auto-repeats
        if ada.page.locator("#content[data-mode='done']").count():
            break
    ada.page.keyboard.up("a")
    ada.page.wait_for_selector("#content[data-mode='done']")
    ada.saved()
    assert ada.operations() == ["accept"] * 12
    assert ada.states() == ["submitted"] * 12


def test_work_done_offline_is_all_there_once_after_the_network_comes_back(
    open_round: OpenRound, desk: Sit
) -> None:
    ada = desk(open_round())
    item = ada.current
    ada.press("y")
    ada.saved()
    ada.context.set_offline(True)
    ada.press("j", "u", "j", "y", "]", "u", "f", "1")
    ada.page.wait_for_selector("#saved[data-state='offline']")
    assert "4 pending" in ada.chip
    ada.context.set_offline(False)
    ada.saved()
    assert ada.operations() == ["set_verdict"] * 4 + ["flag"]
    document = ada.document(item)
    assert document["verdicts"]["s1"]["A"]["met"] is True
    assert document["verdicts"]["s2"]["A"]["met"] is False
    assert document["verdicts"]["p1"]["A"]["met"] is True
    assert document["verdicts"]["p1"]["B"]["met"] is False
    assert [flag["reason"] for flag in document["flags"]] == ["Missing context"]


def test_work_unsent_survives_a_reload_and_is_sent_once(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    item = ada.current
    ada.page.route("**/operations", lambda route: route.abort())
    ada.press("y", "j", "u")
    ada.page.wait_for_selector("#saved[data-state='offline']")
    ada.page.on("dialog", lambda dialog: dialog.accept())
    ada.page.unroute("**/operations")
    ada.page.reload()
    ada.page.wait_for_selector("#content[data-mode='item']")
    ada.saved()
    assert ada.operations() == ["set_verdict", "set_verdict"]
    assert ada.document(item)["verdicts"]["s2"]["A"]["met"] is False


def test_a_lost_answer_makes_no_second_effect(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    lost: list[str] = []

    def lose(route: Route) -> None:
        if len(lost) < 2:
            route.fetch()
            lost.append(route.request.post_data or "")
            route.abort()
        else:
            route.continue_()

    ada.page.route("**/operations", lose)
    ada.press("y", "m")
    ada.type("once")
    ada.press("Control+Enter")
    ada.saved()
    assert len(lost) == 2
    assert ada.operations() == ["set_verdict", "comment"]


def test_a_server_killed_in_the_middle_of_saving_loses_nothing(
    open_round: OpenRound, desk: Sit, server: WebServer
) -> None:
    ada = desk(open_round())
    item = ada.current
    ada.press("y", "j", "u")
    server.kill()
    ada.press("j", "y", "j", "y", "j", "y")
    ada.page.wait_for_selector("#saved[data-state='offline']")
    server.start()
    ada.saved()
    assert ada.operations() == ["set_verdict"] * 5
    met = {key: row["A"]["met"] for key, row in ada.document(item)["verdicts"].items()}
    assert met == {"s1": True, "s2": False, "p1": True, "p2": True, "e1": True}


def test_two_windows_on_one_item_merge_what_does_not_clash(open_round: OpenRound, desk: Sit) -> None:
    round = open_round()
    left = desk(round)
    right = desk(round, context=left.context)
    left.press("y")
    left.saved()
    right.press("j", "u")
    right.saved()
    assert 412 in right.statuses
    left.press("]", "y")
    left.saved()
    verdicts = left.document(left.current)["verdicts"]
    assert verdicts["s1"]["A"]["met"] is True
    assert verdicts["s1"]["B"]["met"] is True
    assert verdicts["s2"]["A"]["met"] is False


def test_two_windows_that_wrote_the_same_words_ask(open_round: OpenRound, desk: Sit) -> None:
    round = open_round()
    left = desk(round)
    right = desk(round, context=left.context)
    left.press("e", "Control+a")
    left.type("Left.")
    left.press("Control+Enter")
    left.saved()
    right.press("e", "Control+a")
    right.type("Right.")
    right.press("Control+Enter")
    right.page.wait_for_selector("#saved[data-state='blocked']")
    notice = right.page.locator(".notices")
    assert "Left." in notice.inner_text()
    assert "Right." in notice.inner_text()
    notice.get_by_role("button", name="Keep mine").click()
    right.saved()
    assert right.document(right.current)["criteria"][0]["text"] == "Right."


def test_an_ended_session_asks_to_sign_in_and_goes_on(
    open_round: OpenRound, desk: Sit, ada: User, server: WebServer
) -> None:
    screen = desk(open_round())
    screen.context.clear_cookies(name="sessionid")
    screen.press("y")
    screen.page.wait_for_selector("dialog[data-dialog='signin'][open]")
    assert screen.operations() == []
    screen.context.add_cookies([{"name": "sessionid", "value": session_cookie(ada), "url": server.url}])
    screen.saved()
    screen.page.wait_for_selector("dialog[data-dialog='signin']", state="hidden")
    assert screen.operations() == ["set_verdict"]


def test_a_lost_lease_is_taken_again_and_the_change_is_saved(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.press("y")
    ada.saved()
    Assignment.rows.filter(pk=ada.current.pk).update(fence=F("fence") + 1)
    ada.press("u")
    ada.saved()
    assert 409 in ada.statuses
    assert ada.operations() == ["set_verdict", "set_verdict"]


def test_a_round_closed_meanwhile_keeps_the_change_and_says_so(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    Round.rows.filter(pk=ada.round.pk).update(state="closed", reviewed=0, strict_passes=0, minor_passes=0)
    ada.press("y")
    ada.page.wait_for_selector("#saved[data-state='blocked']")
    assert "1 pending" in ada.chip
    assert "the round was closed" in ada.page.locator(".notices").inner_text()
    Round.rows.filter(pk=ada.round.pk).update(state="open")
    ada.page.get_by_role("button", name="Take it back").click()
    ada.saved()
    assert ada.operations() == ["set_verdict"]


def test_an_accept_that_the_server_refuses_is_shown_with_the_way_back(
    open_round: OpenRound, desk: Sit
) -> None:
    ada = desk(open_round(verdicts=True))
    first = ada.current
    body = '{"status": 422, "title": "A reason of the server.", "missing": [{"criterion": "p2", "response": "B"}]}'
    ada.page.route(
        "**/operations",
        lambda route: route.fulfill(status=422, body=body, content_type="application/problem+json"),
    )
    ada.decide()
    ada.saved()
    notice = ada.page.locator(".notices")
    assert "A reason of the server." in notice.inner_text()
    notice.get_by_role("button", name="Go there").click()
    assert ada.current == first
    assert "A reason of the server." in ada.order
    assert ada.page.locator(".rail-row[aria-current] .state--submitted").count() == 0


def test_words_being_written_when_one_leaves_the_item_are_kept(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    item = ada.current
    ada.press("e", "Control+a")
    ada.type("Half a thought.")
    ada.page.locator(".rail-row").nth(1).click()
    assert ada.current != item
    ada.press("m")
    ada.type("A remark.")
    ada.page.locator(".rail-row").first.click()
    ada.saved()
    assert ada.document(item)["criteria"][0]["text"] == "Half a thought."
    assert sorted(ada.operations()) == ["comment", "set_text"]


def test_the_scroll_of_each_response_is_kept(open_round: OpenRound, desk: Sit) -> None:
    round = open_round()
    Response.rows.update(text="A line.\n" * 200)
    ada = desk(round)
    ada.page.locator(".panel").evaluate("panel => panel.scrollTop = 900")
    ada.press("]")
    assert ada.page.locator(".panel").evaluate("panel => panel.scrollTop") == 0
    ada.press("[", "y")
    assert ada.page.locator(".panel").evaluate("panel => panel.scrollTop") == 900


def test_leaving_with_work_pending_warns(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.page.route("**/operations", lambda route: route.abort())
    ada.press("y")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    ada.page.on("dialog", stay)
    ada.page.close(run_before_unload=True)
    ada.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert Operation.rows.filter(assignment__item__round=ada.round).count() == 0


def test_single_keys_can_be_switched_off_and_remapped(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.press("?")
    ada.page.get_by_role("button", name="Met: y. Change the key").click()
    ada.press("t", "Escape", "t")
    ada.saved()
    assert ada.operations() == ["set_verdict"]
    ada.press("?")
    ada.page.get_by_label("Single keys do things").uncheck()
    ada.press("Escape", "t", "u", "x")
    ada.saved()
    assert ada.operations() == ["set_verdict"]


def test_a_closed_round_can_be_read_only(open_round: OpenRound, desk: Sit) -> None:
    round = open_round()
    Round.rows.filter(pk=round.pk).update(state="closed", reviewed=0, strict_passes=0, minor_passes=0)
    ada = desk(round)
    assert "closed" in ada.page.locator(".notices").inner_text()
    ada.press("y", "x", "1")
    assert ada.operations() == []


def test_a_foreign_round_does_not_exist(
    open_round: OpenRound,
    new_window: Callable[..., BrowserContext],
    server: WebServer,
    outsider: User,
    ada: User,
) -> None:
    round = open_round()
    page = new_window(outsider).new_page()
    answer = page.goto(f"{server.url}/p/ward/review/{round.pk}/")
    assert answer is not None
    assert answer.status == 404
    answer = page.goto(f"{server.url}/p/elsewhere/review/{round.pk}/")
    assert answer is not None
    assert answer.status == 404
