"""Protects legibility: every pair of text and ground has a contrast of 4.5 : 1 or more, in both themes."""

from __future__ import annotations

import math
import re

import pytest

from webapp.embedded.paths import REPOSITORY

LOOK = REPOSITORY / "webapp" / "static" / "look"
THEMES = ("light", "dark")
GROUNDS = ("canvas", "surface", "sunk")
PAIRS = [
    *((text, ground) for text in ("ink", "soft", "faint", "act", "gold-ink") for ground in GROUNDS),
    *((text, ground) for text in ("safety", "proficiency", "excellence", "good") for ground in GROUNDS),
    *((name, f"{name}-soft") for name in ("safety", "proficiency", "excellence", "good", "act")),
    *(("ink", ground) for ground in ("inserted", "deleted", "gold-soft", "act-soft", "safety-soft")),
    *((("gold-ink"), "gold-soft"), ("soft", "gold-soft"), ("soft", "act-soft")),
    *(("on-act", ground) for ground in ("act", "act-hover")),
]
EDGES = [("control", "surface"), ("control", "canvas"), ("act", "surface")]
Colour = tuple[float, float, float]


def _tokens() -> dict[str, dict[str, Colour]]:
    text = (LOOK / "tokens.css").read_text(encoding="utf-8")
    number = r"([\d.]+)"
    oklch = rf"oklch\({number}% {number} {number}\)"
    found = re.findall(rf"--([\w-]+): light-dark\({oklch}, {oklch}\);", text)
    return {
        name: dict(zip(THEMES, (_values(values[:3]), _values(values[3:])), strict=True))
        for name, *values in found
    }


def _values(values: list[str]) -> Colour:
    lightness, chroma, hue = map(float, values)
    return lightness / 100, chroma, hue


def _luminance(colour: Colour) -> float:
    """Relative luminance (WCAG 2.2) of an OKLCH colour, clipped to sRGB."""
    lightness, chroma, hue = colour
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(max(part, 0.0), 1.0) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(first: Colour, second: Colour) -> float:
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_is_legible_on_its_ground(text: str, ground: str, theme: str) -> None:
    tokens = _tokens()
    assert _contrast(tokens[text][theme], tokens[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_of_controls_are_seen(edge: str, ground: str, theme: str) -> None:
    tokens = _tokens()
    assert _contrast(tokens[edge][theme], tokens[ground][theme]) >= 3.0


def test_the_measure_itself_is_right() -> None:
    assert _contrast((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)) == pytest.approx(21, abs=0.01)
    assert _contrast((0.6, 0.0, 0.0), (1.0, 0.0, 0.0)) == pytest.approx(4.0, abs=0.3)


def test_colours_are_decided_in_one_file() -> None:
    others = [path for path in LOOK.glob("*.css") if path.name != "tokens.css"]
    assert others
    for path in others:
        assert not re.search(r"oklch\(|rgba?\(|#[0-9a-f]{3,8}\b", path.read_text(encoding="utf-8"))


def test_every_token_that_is_used_exists() -> None:
    defined = set(re.findall(r"--([\w-]+):", (LOOK / "tokens.css").read_text(encoding="utf-8")))
    for path in (REPOSITORY / "webapp" / "static").rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        own = set(re.findall(r"--([\w-]+):", text))
        assert set(re.findall(r"var\(--([\w-]+)", text)) <= defined | own, path.name
