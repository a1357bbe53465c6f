"""The review screen in a real browser, against gunicorn and hashed static files as in production.

Paint: from the key's own time stamp to just after the frame that shows its effect. Each figure is the median
of windows' 95th percentiles, with the spread between windows.
"""

from __future__ import annotations

import shutil
import statistics
import time
from typing import Any

from playwright.sync_api import Page, Response, sync_playwright

from tests.benchmarks.bench_review import Server, review_server
from tests.benchmarks.figures import figure

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run"]
WINDOWS, KEYS_A_WINDOW = 5, 60
REVIEWERS, ITEMS = 2, 160
PAINTS = """() => {
  window.paints = [];
  addEventListener("keydown", (event) => {
    requestAnimationFrame(() => setTimeout(() => window.paints.push([event.key, performance.now() - event.timeStamp])));
  }, true);
}"""
PEERS = "Label Studio 530 / 608 ms, doccano 190 / 261 ms (p50 / p95, submit to next painted)"


def run() -> list[dict[str, Any]]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("no Chromium on this machine: the figures of the review screen are missing")
        return []
    with review_server(REVIEWERS, ITEMS, pages=True) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        session = server.people[0]["session"]
        context.add_cookies(
            [{"name": "sessionid", "value": session, "url": f"http://127.0.0.1:{server.port}"}]
        )
        figures = _measured(context.new_page(), server)
        browser.close()
    return figures


def _measured(page: Page, server: Server) -> list[dict[str, Any]]:
    weights: list[float] = []
    page.on("response", lambda answer: weights.append(_bytes(answer)))
    page.goto(f"http://127.0.0.1:{server.port}/p/bench/review/{server.round_id}/", wait_until="networkidle")
    weight = sum(weights) / 1000
    page.wait_for_selector("#content[data-mode='item']")
    page.evaluate(PAINTS)
    keys = [_window(page, ("j", "y", "]", "u", "k", "+"), KEYS_A_WINDOW, 30) for _ in range(WINDOWS)]
    nexts = [_window(page, ("ArrowRight",), KEYS_A_WINDOW // 3, 120) for _ in range(WINDOWS)]
    skips = [_window(page, ("s", "1"), KEYS_A_WINDOW // 3, 150, only="1") for _ in range(WINDOWS)]
    return [
        figure(
            "review.screen_weight_kb",
            [weight],
            "kB",
            goal="<= 150",
            baseline="doccano 648, Potato 276 (scripts)",
        ),
        figure("review.key_to_paint_p95_ms", keys, "ms", goal="<= 50"),
        figure("review.next_item_painted_p95_ms", nexts, "ms", goal="<= 100"),
        figure("review.decision_to_next_painted_p95_ms", skips, "ms", goal="<= 100", baseline=PEERS),
    ]


def _bytes(answer: Response) -> float:
    """Of scripts and styles, as they went over the wire."""
    return float(answer.headers.get("content-length", 0)) if "/static/" in answer.url else 0.0


def _window(page: Page, keys: tuple[str, ...], presses: int, pause_ms: int, *, only: str = "") -> float:
    """The 95th percentile of one window, in milliseconds."""
    page.evaluate("window.paints = []")
    for place in range(presses):
        page.keyboard.press(keys[place % len(keys)])
        page.wait_for_timeout(pause_ms)
    time.sleep(0.1)
    painted = [took for key, took in page.evaluate("window.paints") if not only or key == only]
    return statistics.quantiles(painted, n=100, method="inclusive")[94]
