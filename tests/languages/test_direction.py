"""Protects scripts that run from the right: no style sheet names a left or a right where it means a start or an end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webapp.embedded.paths import REPOSITORY

SHEETS = sorted((REPOSITORY / "webapp" / "static").rglob("*.css"))
PHYSICAL = re.compile(
    r"(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)[\w-]*|(?<![\w-])(?:left|right|float|clear))\s*:"
    r"|text-align\s*:\s*(?:left|right)|border-(?:top|bottom)-(?:left|right)-radius"
)
FOUR_SIDES = re.compile(r"(?:margin|padding|inset|border-width)\s*:\s*([^;]+);")


def physical(text: str) -> list[str]:
    found = [match[0] for match in PHYSICAL.finditer(text)]
    for match in FOUR_SIDES.finditer(text):
        sides = re.findall(r"(?:\w+\([^()]*(?:\([^()]*\)[^()]*)*\)|\S+)", match[1])
        if len(sides) == 4 and sides[1] != sides[3]:
            found.append(match[0])
    return found


@pytest.mark.parametrize(
    "path", SHEETS, ids=lambda path: str(path.relative_to(REPOSITORY / "webapp" / "static"))
)
def test_a_style_sheet_has_no_left_and_no_right(path: Path) -> None:
    assert physical(path.read_text(encoding="utf-8")) == [], "use inline-start and inline-end"


@pytest.mark.parametrize(
    "rule",
    [
        "margin-left: 1px;",
        "left: 0;",
        "text-align: right;",
        "float: left;",
        "padding: 1px 2px 3px 4px;",
        "border-top-left-radius: 1px;",
    ],
)
def test_the_search_finds_a_planted_one(rule: str) -> None:
    assert physical(f"a {{ {rule} }}")


@pytest.mark.parametrize(
    "rule",
    [
        "margin-inline-start: 1px;",
        "inset: var(--a) 0 0 0;",
        "padding: 1px calc(2px + var(--x));",
        "--left: 1;",
        "justify-content: left;",
    ],
)
def test_the_search_leaves_others_alone(rule: str) -> None:
    assert physical(f"a {{ {rule} }}") == []
