"""A review of twenty items by keyboard alone, recorded: one picture of twenty frames, each with the keys it took.

    python -m tests.browser.recording [--url http://localhost:8000] [--out docs/screenshots/twenty-items.png]

On a running instance with the sample project (its pictures may be shown): a lead opens a round of the whole pack,
Ada reviews the first twenty items of her share.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import CHROMIUM, FLAGS
from tests.browser.screenshots import HOME, SIZE, cannot, sign_in

FRAMES, COLUMNS = 20, 4
WIDTH, CAPTION, GAP = 600, 28, 12
PACK = 77
PATIENCE_MS = 180_000
SPECIAL: dict[int, tuple[tuple[str, ...], str]] = {
    0: (("e", "text: It says so plainly.", "Control+Enter"), "e ... Ctrl+Enter"),
    1: (("2", "x", "2"), "2 x 2"),
    2: (("n", "e", "text:Explains the plan in plain words.", "Control+Enter"), "n e ... Ctrl+Enter"),
    3: (("1", "y", "h", "Enter"), "y h Enter"),
    5: (("4", "+", "+", "-"), "4 + + -"),
    6: (("f", "1"), "f 1"),
    8: (("5", "x", "1", "z"), "5 x 1 z"),
    9: (("m", "text:Ask the author which guideline.", "Control+Enter"), "m ... Ctrl+Enter"),
    12: (("d",), "d"),
    14: (("3", "!", "z"), "3 ! z"),
}
"""What is done at some of the items beside verdicts and accepting: keys, and how the caption tells them."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.recording", description=__doc__)
    parser.add_argument("--url", default="http://localhost:8000")
    default = Path(__file__).parents[2] / "docs" / "screenshots" / "twenty-items.png"
    parser.add_argument("--out", type=Path, default=default)
    asked = parser.parse_args(arguments)
    if fault := cannot(asked.url):
        print(fault, file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        address = _open_round(browser, asked.url)
        frames = _review(browser, asked.url, address)
        browser.close()
    _sheet(frames).save(asked.out, optimize=True)
    print(f"{len(frames)} items, {asked.out}")
    return 0


def _open_round(browser: Browser, url: str) -> str:
    """The address of the review of a new, open round."""
    window = browser.new_context(viewport=SIZE)
    sign_in(window, url, "lead")
    page = window.new_page()
    page.goto(f"{url}{HOME}rounds/")
    for field, value in (
        ("size", PACK),
        ("double_share", 0),
        ("seeded_share", 0),
        ("repeat_share", 0),
        ("blind_first_share", 0),
    ):
        page.fill(f"[name={field}]", str(value))
    page.fill("[name=name]", "Recorded")
    page.get_by_role("button", name="Make round").click()
    page.get_by_role("button", name="Draft").click()
    page.get_by_role("button", name="Open for review").click(timeout=PATIENCE_MS)
    page.wait_for_selector("text=Reviewers")
    round_id = page.url.rstrip("/").rpartition("/")[2]
    window.close()
    return f"{url}{HOME}review/{round_id}/"


def _review(browser: Browser, url: str, address: str) -> list[tuple[Image.Image, str]]:
    window = browser.new_context(viewport=SIZE)
    sign_in(window, url, "ada")
    page = window.new_page()
    page.goto(address)
    frames: list[tuple[Image.Image, str]] = []
    while len(frames) < FRAMES and _item_is_there(page):
        keys, told = SPECIAL.get(len(frames), ((), ""))
        for key in keys:
            _press(page, key)
        verdicts = _judge(page, len(frames))
        page.wait_for_selector("#saved[data-state='saved']")
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        frames.append((picture, ", ".join(part for part in (told, f"{verdicts} times y u", "a") if part)))
        page.keyboard.press("a")
        page.wait_for_timeout(250)
    window.close()
    return frames


def _item_is_there(page: Page) -> bool:
    page.wait_for_selector("#content:is([data-mode='item'], [data-mode='done'], [data-mode='error'])")
    page.wait_for_timeout(200)
    return page.locator("#content[data-mode='item']").count() > 0


def _press(page: Page, key: str) -> None:
    if key.startswith("text:"):
        page.keyboard.type(key.removeprefix("text:"))
    else:
        page.keyboard.press(key)
    page.wait_for_timeout(120)


def _judge(page: Page, frame: int) -> int:
    """Give every verdict; returns how many."""
    criteria = page.locator(".criterion").count()
    responses = page.locator(".criterion").first.locator("button.cell").count()
    page.wait_for_timeout(700)
    page.keyboard.press("1")
    for place in range(criteria):
        for response in range(responses):
            page.keyboard.press("u" if (3 * place + 5 * response + frame) % 4 == 0 else "y")
            if response < responses - 1:
                page.keyboard.press("]")
        for _ in range(responses - 1):
            page.keyboard.press("[")
        page.keyboard.press("j")
    return criteria * responses


def _sheet(frames: Sequence[tuple[Image.Image, str]]) -> Image.Image:
    height = WIDTH * SIZE["height"] // SIZE["width"]
    rows = -(-len(frames) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) + GAP, rows * (height + CAPTION + GAP) + GAP)
    sheet = Image.new("RGB", size, "#ffffff")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (picture, caption) in enumerate(frames):
        left = GAP + number % COLUMNS * (WIDTH + GAP)
        top = GAP + number // COLUMNS * (height + CAPTION + GAP)
        sheet.paste(picture.resize((WIDTH, height), Image.Resampling.LANCZOS), (left, top + CAPTION))
        pen.text((left, top + 5), f"{number + 1}   {caption}", fill="#1b2430", font=font)
    return sheet.quantize(128)


if __name__ == "__main__":
    raise SystemExit(main())
