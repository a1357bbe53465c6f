"""Protects the keyboard: every command has a key that its person may change or switch off, kept for them in every
browser; and nothing that keys do is out of reach of mouse, touch, or eyes that need contrast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from annotation.models import Round
from tests.browser.desk import Desk
from webapp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenRound = Callable[..., Round]
Sit = Callable[..., Desk]
LEAST_PX = 44
COMMANDS = """async () => {
  const { COMMANDS } = await import("/static/review/commands.js");
  return COMMANDS.map(({ id, keys, fixed }) => ({ id, keys, fixed: fixed ?? null }));
}"""
SMALL = """(least) => [...document.querySelectorAll("main button, main input, main select, main a[href], main textarea")]
  .filter((one) => one.checkVisibility() && !one.closest("[hidden]"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.height < least || box.width < least))
  .map(([one, box]) => `${one.outerHTML.slice(0, 90)} ${Math.round(box.width)}×${Math.round(box.height)}`)"""
FOCUS = """() => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  const shown = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
  return [document.activeElement.outerHTML.slice(0, 120), shown];
}"""


def commands(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(COMMANDS)
    return found


def remap(desk: Desk, command: str, key: str) -> None:
    desk.page.locator(f"[data-remap='{command}']").click()
    desk.press(key)


def test_keys_that_one_sets_hold_in_every_browser_of_that_person(
    open_round: OpenRound, desk: Sit, new_window: Callable[..., BrowserContext], ada: User
) -> None:
    round = open_round()
    here = desk(round)
    here.press("?")
    remap(here, "met", "q")
    here.press("Escape")
    here.until("document.querySelector(\".bar [data-key='met']\").textContent === 'q'")
    there = desk(round, context=new_window(ada))
    there.until("document.querySelector(\".bar [data-key='met']\").textContent === 'q'")
    there.press("y", "q")
    there.saved()
    assert there.operations() == ["set_verdict"]
    there.press("?")
    assert there.page.locator("[data-remap='met']").inner_text() == "q"
    there.page.get_by_label("Single keys do things").uncheck()
    there.press("Escape")
    there.page.wait_for_timeout(300)
    third = desk(round, context=new_window(ada))
    third.press("q", "j", "x")
    assert third.page.locator(".bar kbd[data-key='met']").is_hidden()
    third.saved()
    assert third.operations() == ["set_verdict"]


def test_a_key_can_be_taken_from_a_command_but_backspace_and_digits_bound_to_none(
    open_round: OpenRound, desk: Sit
) -> None:
    ada = desk(open_round())
    ada.press("?")
    for key in ("Backspace", "4", "Enter"):
        remap(ada, "flip", key)
        assert ada.page.locator("[data-remap='flip']").inner_text() == "!"
    remap(ada, "flip", "Delete")
    assert ada.page.locator("[data-remap='flip']").inner_text() == "–"
    remap(ada, "contest", "y")
    assert ada.page.locator("[data-remap='met']").inner_text() == "–"
    ada.page.get_by_role("button", name="Back to the first setting").click()
    assert ada.page.locator("[data-remap='met']").inner_text() == "y"


def test_keys_that_the_server_did_not_keep_are_said_to_hold_here_only(
    open_round: OpenRound, desk: Sit
) -> None:
    ada = desk(open_round())
    ada.context.set_offline(True)
    ada.press("?")
    remap(ada, "met", "q")
    ada.press("Escape", "q")
    assert "Your keys hold in this window only" in ada.page.locator(".notices").inner_text()
    ada.context.set_offline(False)
    ada.saved()
    assert ada.operations() == ["set_verdict"]


def test_the_palette_lists_every_command_with_its_key(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    ada.press("?")
    remap(ada, "met", "q")
    ada.press("Escape", "Control+k")
    rows = ada.page.locator("[data-dialog='commands'] [data-run]")
    shown = dict(
        rows.evaluate_all("rows => rows.map((row) => [row.dataset.run, row.querySelectorAll('kbd').length])")
    )
    known = [one for one in commands(ada.page) if one["id"] != "commands"]
    assert shown == {one["id"]: len(one["keys"]) for one in known}
    assert ada.page.locator("[data-run='met'] kbd").inner_text() == "q"
    ada.type("side by")
    ada.press("Enter")
    assert ada.page.locator("[data-side]").get_attribute("aria-pressed") == "true"
    ada.press("Control+k", "ArrowDown", "ArrowDown", "Enter")
    assert (
        "Recommends" in ada.focused
        or ada.page.locator(".criterion--focused .criterion-n").inner_text() == "1"
    )


def test_every_command_is_in_the_reach_of_a_mouse_and_of_touch(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(verdicts=True), viewport={"width": 390, "height": 844}, has_touch=True)
    for command in commands(ada.page):
        if command["id"] == "commands":
            continue
        ada.page.locator("[data-command='commands']").tap()
        ada.page.locator(f"[data-run='{command['id']}']").tap()
        ada.press("Escape")
    assert ada.faults == []
    ada.page.locator("[data-command='commands']").tap()
    ada.page.locator("[data-run='accept']").tap()
    ada.saved()
    assert "accept" in ada.operations()


def test_a_criterion_moves_into_safety_and_out_again(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round())
    item = ada.current
    ada.press("j", "j", "v")
    ada.saved()
    assert ada.document(item)["criteria"][2]["dimension"] == "safety"
    ada.press("V")
    ada.saved()
    assert ada.document(item)["criteria"][2]["dimension"] == "proficiency"
    ada.page.locator(".criterion").first.click()
    ada.page.get_by_role("button", name="Not safety").click()
    ada.saved()
    assert ada.document(item)["criteria"][0]["dimension"] == "proficiency"


def test_evidence_is_chosen_by_sentence_and_then_by_word_without_a_mouse(
    open_round: OpenRound, desk: Sit
) -> None:
    from rubric_engine.models import Response

    round = open_round()
    Response.rows.update(text="Rest at home. Take two tablets at night. Come back on Monday.")
    ada = desk(round)
    item = ada.current
    ada.press("y", "h", "j", "L", "L", "Enter")
    ada.saved()
    assert ada.document(item)["verdicts"]["s1"]["A"]["evidence"]["quote"] == "Take two tablets at"
    ada.press("h")
    ada.press("h", "j", "j", "k", "l", "Enter")
    ada.saved()
    assert ada.document(item)["verdicts"]["s1"]["A"]["evidence"]["quote"].startswith(
        "Take two tablets at night"
    )


def test_undo_and_redo_cross_a_submit_and_take_comments_back(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(verdicts=True))
    first = ada.current
    ada.press("m")
    ada.type("Check the dose.")
    ada.press("Control+Enter")
    ada.decide()
    ada.saved()
    assert ada.current != first
    ada.press("z")
    ada.until("id => location.hash.slice(1) === id", arg=str(first.pk))
    ada.press("z")
    ada.saved()
    assert ada.document(first)["comments"] == []
    ada.press("Z", "Z")
    ada.saved()
    assert [comment["text"] for comment in ada.document(first)["comments"]] == ["Check the dose."]
    assert ada.states()[0] == "submitted"
    assert ada.operations() == ["comment", "accept", "reopen", "uncomment", "comment", "accept"]


def test_search_narrows_the_rail_and_enter_opens_what_was_found(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(items=30))
    ada.press("/")
    ada.type("27")
    rows = ada.page.locator(".rail-row").all_inner_texts()
    assert 0 < len(rows) < 5
    assert all("27" in row for row in rows)
    ada.press("Enter")
    ada.until("document.querySelectorAll('.rail-row[aria-current]').length === 1")
    assert ada.page.locator(".rail-row[aria-current]").inner_text() == rows[0]
    ada.press("/", "Escape")
    assert ada.page.locator(".rail-row").count() > 5


@pytest.mark.parametrize("width", [390, 1024])
def test_everything_one_touches_is_44_pixels_or_more(open_round: OpenRound, desk: Sit, width: int) -> None:
    ada = desk(
        open_round(verdicts=True), viewport={"width": width, "height": 900}, has_touch=True, is_mobile=True
    )
    tabs = ("items", "case", "rubric") if width < 900 else ("",)
    for tab in tabs:
        if tab:
            ada.page.locator(f"[data-tab='{tab}']").tap()
        assert ada.page.evaluate(SMALL, LEAST_PX) == [], tab
    for command in ("flag", "commands", "guideline"):
        ada.page.locator(f"[data-command='{command}']").tap()
        assert ada.page.evaluate(SMALL, LEAST_PX) == [], command
        ada.press("Escape")
    ada.press("?")
    assert ada.page.evaluate(SMALL, LEAST_PX) == []


@pytest.mark.parametrize("options", [{}, {"contrast": "more"}, {"forced_colors": "active"}])
def test_focus_is_seen_wherever_the_tab_key_goes(
    open_round: OpenRound, desk: Sit, options: dict[str, Any]
) -> None:
    ada = desk(open_round(items=3, verdicts=True), **options)
    unseen, visited = [], set()
    for _ in range(90):
        ada.press("Tab")
        element, seen = ada.page.evaluate(FOCUS)
        visited.add(element)
        if not seen and not element.startswith("<body"):
            unseen.append(element)
    assert unseen == []
    assert len(visited) > 30


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_high_contrast_makes_soft_words_as_dark_as_the_others(
    open_round: OpenRound, desk: Sit, scheme: str
) -> None:
    ada = desk(open_round(), color_scheme=scheme, contrast="more")
    colours = ada.page.evaluate(
        """() => ["--ink", "--soft", "--faint", "--control"].map((name) => {
          const probe = document.body.appendChild(document.createElement("i"));
          probe.style.color = `var(${name})`;
          return getComputedStyle(probe).color;
        })"""
    )
    assert set(colours) == {"rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)"}
    assert (
        ada.page.locator(".criterion--focused").evaluate("row => getComputedStyle(row).outlineStyle")
        == "solid"
    )
