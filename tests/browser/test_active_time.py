"""Protects the active time: only with the focus and after input, each second once (Label Studio counted it twice)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.server import WebServer
from webapp.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BEGIN = """async () => {
  window.focused = true;
  document.hasFocus = () => window.focused;
  const { ActiveTime } = await import("/static/review/active.js");
  window.active = new ActiveTime("test");
  window.active.turnTo("one");
}"""


@pytest.fixture
def page(new_window: Callable[..., BrowserContext], server: WebServer, ada: User) -> Page:
    page = new_window(ada).new_page()
    page.clock.install()
    page.goto(f"{server.url}/p/ward/queue/")
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.evaluate(BEGIN)
    return page


def seconds(page: Page, item: str = "one") -> int:
    return round(page.evaluate(f"window.active.take('{item}')") / 1000)


def event(page: Page, name: str, *, focused: bool = True) -> None:
    page.evaluate(f"window.focused = {str(focused).lower()}; window.dispatchEvent(new Event('{name}'))")


def test_thirty_seconds_after_the_last_input_time_stops(page: Page) -> None:
    event(page, "keydown")
    page.clock.run_for(100_000)
    assert seconds(page) == 30
    event(page, "keydown")
    page.clock.run_for(10_000)
    assert seconds(page) == 10
    assert seconds(page) == 0


def test_time_without_the_focus_counts_for_nothing_even_where_the_timer_sleeps(page: Page) -> None:
    event(page, "keydown")
    page.clock.run_for(5_500)
    event(page, "blur", focused=False)
    page.clock.fast_forward(20_000)
    event(page, "focus")
    assert seconds(page) == 6
    page.clock.run_for(4_000)
    assert seconds(page) == 4


def test_each_item_gets_its_own_time_and_none_gets_it_twice(page: Page) -> None:
    event(page, "keydown")
    page.clock.run_for(7_000)
    page.evaluate("window.active.turnTo('two')")
    page.clock.run_for(3_000)
    assert (seconds(page), seconds(page, "two")) == (7, 3)
    assert (seconds(page), seconds(page, "two")) == (0, 0)
