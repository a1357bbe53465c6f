"""The screens in a real browser, against gunicorn and hashed static files as in production: a round of 500 items, 20
criteria, responses of 2,000 words.

Paint: from the key's own time stamp to just after the frame that shows its effect. Each figure of time is the median
of windows' 95th percentiles, with the spread between windows.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Response, sync_playwright

from tests.benchmarks import lighthouse
from tests.benchmarks.figures import figure, missing
from tests.benchmarks.stage import stage
from tests.journeys.stack import free_port

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run"]
WINDOWS, KEYS_A_WINDOW = 5, 60
LEAST_SCORE = 95
PAINTS = """() => {
  window.paints = [];
  addEventListener("keydown", (event) => {
    requestAnimationFrame(() => setTimeout(() => window.paints.push([event.key, performance.now() - event.timeStamp])));
  }, true);
}"""
PEERS = "Label Studio 530 / 608 ms, doccano 190 / 261 ms (p50 / p95, submit to next painted)"
AXE_PEERS = "Potato 5 nodes, Label Studio 16, doccano 22"
LIGHTHOUSE_PEERS = "Label Studio 40 / 90 / 93, doccano 97 / 70 / 100"


@dataclass(frozen=True)
class Site:
    """A running server with its data, and what it calls its pages."""

    port: int
    made: dict[str, str]

    def url(self, page: str) -> str:
        return f"http://127.0.0.1:{self.port}/p/bench/{page}"

    @property
    def review(self) -> str:
        return self.url(f"review/{self.made['round']}/")

    def sign_in(self, context: BrowserContext, person: str) -> None:
        context.clear_cookies()
        cookie = {"name": "sessionid", "value": self.made[person], "url": f"http://127.0.0.1:{self.port}/"}
        context.add_cookies([cookie])  # type: ignore[list-item]


def run() -> list[dict[str, Any]]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("no Chromium on this machine: the figures of the screens are missing")
        return []
    debugging = free_port()
    with stage() as here, sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        made = json.loads(here.last_line("-m", "tests.benchmarks.screen_data"))
        here.python("manage.py", "collectstatic", "--no-input", "-v", "0", "--ignore", "rest_framework")
        with here.web() as (port, _gunicorn):
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=chromium,
                args=[*FLAGS, f"--remote-debugging-port={debugging}"],
                viewport={"width": 1440, "height": 900},
            )
            site = Site(port, made)
            figures = [*_lighthouse(context, site, debugging, Path(profile)), *_axe(context, site)]
            site.sign_in(context, "reviewer")
            figures += _measured(context.new_page(), site)
            context.close()
    return figures


def _measured(page: Page, site: Site) -> list[dict[str, Any]]:
    weights: list[float] = []
    page.on("response", lambda answer: weights.append(_bytes(answer)))
    page.goto(site.review, wait_until="networkidle")
    page.wait_for_selector("#content[data-mode='item']")
    weight = sum(weights) / 1000
    page.evaluate(PAINTS)
    keys = [_window(page, ("j", "y", "]", "u", "k", "+"), KEYS_A_WINDOW, 30) for _ in range(WINDOWS)]
    nexts = [_window(page, ("ArrowRight",), KEYS_A_WINDOW // 3, 120) for _ in range(WINDOWS)]
    skips = [_window(page, ("s", "1"), KEYS_A_WINDOW // 3, 150, only="1") for _ in range(WINDOWS)]
    scripts = "doccano 648, Potato 276 (scripts)"
    return [
        figure("review.page_weight_kb", [weight], "kB", goal="<= 150", baseline=scripts),
        figure("review.key_to_paint_p95_ms", keys, "ms", goal="<= 50"),
        figure("review.next_item_p95_ms", nexts, "ms", goal="<= 100"),
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


def _axe(context: BrowserContext, site: Site) -> list[dict[str, Any]]:
    """Nodes at fault on review (the item, key sheet, palette, a reason's sheet), queue and dashboard, in both themes."""
    faults = 0
    for person, url, keys in (
        ("reviewer", site.review, ("", "?", "Control+k", "x")),
        ("reviewer", site.url("queue/"), ("",)),
        ("lead", site.url(""), ("",)),
    ):
        site.sign_in(context, person)
        page = context.new_page()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.goto(url, wait_until="networkidle")
            for key in keys:
                if key:
                    page.keyboard.press(key)
                violations = Axe().run(page).response["violations"]
                faults += sum(len(rule["nodes"]) for rule in violations)
                page.keyboard.press("Escape")
        page.close()
    return [figure("review.axe_violations", [faults], "nodes", goal="<= 0", baseline=AXE_PEERS)]


def _lighthouse(context: BrowserContext, site: Site, port: int, folder: Path) -> list[dict[str, Any]]:
    """The least of all scores on review, queue and dashboard."""
    name, goal = "review.lighthouse_min", f">= {LEAST_SCORE}"
    program = lighthouse.binary()
    if program is None:
        return [missing(name, lighthouse.ABSENT, goal=goal)]
    least = 100.0
    for person, url in (
        ("reviewer", site.review),
        ("reviewer", site.url("queue/")),
        ("lead", site.url("")),
    ):
        site.sign_in(context, person)
        found = lighthouse.scores(program, url, port=port, report=folder / "lighthouse.json")
        print(f"  {url.split('/bench/')[1][:8] or 'dashboard':<10} {found}")
        least = min(least, *found.values())
    return [figure(name, [least], "points", goal=goal, baseline=LIGHTHOUSE_PEERS)]
