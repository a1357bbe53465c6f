"""Protects against what the peers' users reported: one test for each of their incidents that a review screen can have.
The numbers are those of their public issues."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route

from annotation.models import Assignment, Operation, Round
from tests.browser.desk import Desk
from tests.browser.server import WebServer
from webapp.accounts.models import Membership, User

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenRound = Callable[..., Round]
Sit = Callable[..., Desk]
HELD = 60
MOST_PRESSES = 3000
TWICE = """async () => {
  const { Decisions } = await import("/static/review/decisions.js");
  const accept = Decisions.prototype.accept;
  Decisions.prototype.accept = function () {
    const { session } = this.screen;
    if (session.painted && session.work?.state === "draft") {
      session.work.perform("accept", {});
      session.work.perform("reopen", {});
    }
    accept.call(this);
  };
}"""


def hold(desk: Desk, key: str) -> None:
    """Key-downs without a key-up between them are what a held key sends."""
    for _ in range(MOST_PRESSES):
        desk.page.keyboard.down(key)
        if desk.page.locator("#content[data-mode='done']").count():
            break
    desk.page.keyboard.up(key)
    desk.page.wait_for_selector("#content[data-mode='done']")
    desk.page.wait_for_selector("#saved[data-state='saved']", timeout=60_000)


def require_one_decision_each(round: Round) -> None:
    made = Counter(
        Operation.rows.filter(
            assignment__item__round=round, kind__in=["accept", "reopen", "skip"]
        ).values_list("assignment_id", "kind")
    )
    items = Assignment.rows.filter(item__round=round).values_list("pk", flat=True)
    assert made == {(item, "accept"): 1 for item in items}


def test_holding_accept_down_over_sixty_items_makes_exactly_sixty_decisions(
    open_round: OpenRound, desk: Sit
) -> None:
    round = open_round(items=HELD, verdicts=True)
    ada = desk(round)
    hold(ada, "a")
    require_one_decision_each(round)
    assert ada.states() == ["submitted"] * HELD
    assert ada.faults == []


def test_the_count_of_decisions_finds_a_planted_double(open_round: OpenRound, desk: Sit) -> None:
    """Ruling 32: a screen that decides one of the items twice must be caught before a zero counts."""
    round = open_round(items=3, verdicts=True)
    ada = desk(round)
    ada.page.evaluate(TWICE)
    ada.press("y")
    hold(ada, "a")
    with pytest.raises(AssertionError):
        require_one_decision_each(round)


def test_two_physicians_at_one_round_never_get_one_item(
    open_round: OpenRound, desk: Sit, ben: User, cleo: User
) -> None:
    """Label Studio #795, doccano #2087, #745: two people got one item."""
    round = open_round(items=8, double_share=0)
    seen: list[list[str]] = []
    for user in (None, ben, cleo):
        screen = desk(round, user=user)
        ids = screen.page.evaluate(
            "fetch(`/api/v1/review/rounds/${JSON.parse(document.getElementById('review-config').textContent).round}/items`)"
            ".then((answer) => answer.json()).then(({ items }) => items.map(({ id }) => id))"
        )
        seen.append(ids)
    flat = [item for ids in seen for item in ids]
    assert len(flat) == len(set(flat)) == 8
    assert Assignment.rows.filter(item__round=round).count() == 8


def test_a_save_that_was_kept_but_answered_by_an_error_is_not_made_again(
    open_round: OpenRound, desk: Sit
) -> None:
    """Label Studio #6295: saved, yet the client was told of an error."""
    ada = desk(open_round())
    answered: list[int] = []

    def keep_and_fail(route: Route) -> None:
        if len(answered) < 2:
            answered.append(route.fetch().status)
            route.fulfill(status=502, body="<html>bad gateway</html>", content_type="text/html")
        else:
            route.continue_()

    ada.page.route("**/operations", keep_and_fail)
    ada.press("y", "j", "u")
    ada.saved()
    assert answered == [200, 200]
    assert ada.operations() == ["set_verdict", "set_verdict"]


def test_a_draft_and_a_submit_are_never_under_way_together(open_round: OpenRound, desk: Sit) -> None:
    """Label Studio #6005: draft and submit were sent together. Here the submit waits."""
    ada = desk(open_round(verdicts=True))
    under_way, most = 0, 0

    def begun(url: str) -> None:
        nonlocal under_way, most
        under_way += url.endswith("/operations")
        most = max(most, under_way)

    def ended(url: str) -> None:
        nonlocal under_way
        under_way -= url.endswith("/operations")

    ada.page.on("request", lambda request: begun(request.url))
    ada.page.on("requestfinished", lambda request: ended(request.url))
    ada.page.wait_for_timeout(80)
    ada.press("y", "j", "j", "-", "-", "a")
    ada.saved()
    assert most == 1
    assert ada.operations() == ["set_verdict", "set_weight", "set_weight", "accept"]


def test_a_slow_save_keeps_nobody_waiting(open_round: OpenRound, desk: Sit) -> None:
    """Label Studio #4986: two seconds a save were sixteen minutes of a round of 500."""
    ada = desk(open_round(items=6, verdicts=True))
    ada.page.wait_for_timeout(1500)
    held: list[Route] = []
    released: list[bool] = []
    ada.page.route("**/operations", lambda route: route.continue_() if released else held.append(route))
    for place in range(3):
        ada.until("n => document.querySelector('[data-bar=place]').textContent === n", arg=str(place + 1))
        ada.decide()
    ada.until("document.querySelector('[data-bar=place]').textContent === '4'")
    assert Operation.rows.count() == 0
    assert "3 pending" in ada.chip
    released.append(True)
    for route in held:
        route.continue_()
    ada.saved()
    assert ada.operations() == ["accept"] * 3


def test_filters_of_five_hundred_items_ask_the_server_nothing_and_draw_the_rows_in_sight_only(
    open_round: OpenRound, desk: Sit
) -> None:
    """Label Studio #3071: a filtered tab took 42 seconds."""
    ada = desk(open_round(items=500))
    most_rows = 60
    assert ada.page.locator(".rail-row").count() < most_rows
    asked: list[str] = []
    ada.page.on("request", lambda request: asked.append(request.url) if "/rounds/" in request.url else None)
    ada.page.locator("[data-filters] [data-key='open']").click()
    ada.press("/")
    ada.type("item 4")
    ada.press("Escape")
    ada.page.locator("[data-scroller]").evaluate("rail => rail.scrollTop = rail.scrollHeight")
    ada.until("[...document.querySelectorAll('.rail-n')].some((n) => n.textContent === '500')")
    assert ada.page.locator(".rail-row").count() < most_rows
    assert asked == []


@pytest.mark.parametrize("place", ["body", ".criterion--focused", "button.cell", ".rail-row", ".panel"])
def test_backspace_and_delete_discard_nothing_wherever_one_is(
    open_round: OpenRound, desk: Sit, place: str
) -> None:
    """Argilla #5113: Backspace discarded an item, and nothing took that back."""
    ada = desk(open_round(verdicts=True))
    item, url = ada.current, ada.page.url
    ada.press("y")
    ada.saved()
    before = ada.document(item)
    ada.page.locator(place).first.focus()
    ada.press("Backspace", "Delete", "Backspace")
    ada.page.wait_for_timeout(200)
    ada.saved()
    assert ada.page.url == url
    assert ada.document(item) == before
    assert ada.operations() == ["set_verdict"]


def test_time_on_a_task_stops_when_one_does_and_is_counted_once(
    open_round: OpenRound, desk: Sit, new_window: Callable[..., BrowserContext], ada: User
) -> None:
    """Label Studio #6406: time on task was counted twice. Half an hour away counts as thirty seconds, and a save that
    was sent twice brings its time once."""
    context = new_window(ada)
    context.clock.install()
    screen = desk(open_round(), context=context)
    sent: list[int] = []

    def lose_the_first(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or "{}")["active_ms"])
        route.fetch() if len(sent) == 1 else None
        route.abort() if len(sent) == 1 else route.continue_()

    screen.page.route("**/operations", lose_the_first)
    context.clock.fast_forward("30:00")
    screen.press("y")
    screen.saved()
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert 29_000 <= sent[0] < 60_000
    assert screen.current.active_ms == sent[0]


def test_a_server_killed_while_it_saves_makes_no_second_effect_and_loses_none(
    open_round: OpenRound, desk: Sit, server: WebServer
) -> None:
    """Measured on doccano: after its process was killed, its database stayed locked; on Potato the state lacked saves."""
    ada = desk(open_round())
    item = ada.current
    killed: list[bool] = []

    def kill_after_saving(route: Route) -> None:
        if len(killed) == 1:
            route.fetch()
            server.kill()
            route.abort()
        else:
            route.continue_()
        killed.append(True)

    ada.page.route("**/operations", kill_after_saving)
    ada.press("y", "j", "u", "j", "y")
    ada.page.wait_for_selector("#saved[data-state='offline']")
    server.start()
    ada.saved()
    assert ada.operations() == ["set_verdict"] * 3
    met = {key: row["A"]["met"] for key, row in ada.document(item)["verdicts"].items()}
    assert met == {"s1": True, "s2": False, "p1": True}


def test_two_windows_that_accept_the_same_item_decide_it_once_and_ask_nothing(
    open_round: OpenRound, desk: Sit
) -> None:
    round = open_round(verdicts=True)
    left = desk(round)
    right = desk(round, context=left.context)
    left.decide()
    left.saved()
    right.decide()
    right.saved()
    assert right.page.locator(".notice").count() == 0
    assert left.operations() == ["accept"]


def test_who_may_no_longer_review_reads_why_and_is_not_asked_to_sign_in(
    open_round: OpenRound, desk: Sit, ada: User
) -> None:
    screen = desk(open_round())
    Membership.objects.filter(user=ada).update(role="api_client")
    screen.press("y")
    screen.page.wait_for_selector("#saved[data-state='blocked']")
    assert "Your role doesn't let you review assigned items." in screen.page.locator(".notices").inner_text()
    assert not screen.page.locator("dialog[data-dialog='signin']").is_visible()
    Membership.objects.filter(user=ada).update(role="physician")
    screen.page.get_by_role("button", name="Try again").click()
    screen.saved()
    assert screen.operations() == ["set_verdict"]


def test_arrows_and_the_two_digits_of_a_number_go_where_they_say(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    place = ada.page.locator("[data-bar='place']")
    ada.press("ArrowRight", "ArrowRight")
    ada.until("document.querySelector('[data-bar=place]').textContent === '3'")
    ada.press("ArrowLeft")
    ada.until("document.querySelector('[data-bar=place]').textContent === '2'")
    ada.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
    ada.until("document.querySelector('[data-bar=place]').textContent === '1'")
    assert place.inner_text() == "1"
    assert ada.faults == []
