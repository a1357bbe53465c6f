"""Scales, round numbers and places of labels: the arithmetic under the plots. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import east_asian_width

LABEL_GAP = 15.0
"""Least distance between two direct labels, in user units."""


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def short(value: float) -> str:
    """Three figures that matter, as one would write them on paper: 0.318, 1.94, 17.1 k."""
    size = abs(value)
    if size >= 1_000_000:
        return f"{value / 1_000_000:.3g} M"
    if size >= 10_000:
        return f"{value / 1000:.3g} k"
    if size >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"


def coefficient(value: float) -> str:
    """A coefficient without its leading zero, as papers print κ: .76."""
    text = f"{value:.2f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round numbers between `low` and `high`, about `wanted` of them."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    raw = span / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def breadth(text: str) -> int:
    """How wide a label is, in Latin letters: an East Asian one takes the room of two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


@dataclass(frozen=True)
class Frame:
    """The drawing area and the two scales."""

    left: float
    right: float
    top: float
    bottom: float
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return self._place(value, self.x_low, self.x_high, self.left, self.right)

    def y(self, value: float) -> float:
        return self._place(value, self.y_low, self.y_high, self.bottom, self.top)

    @staticmethod
    def _place(value: float, low: float, high: float, start: float, end: float) -> float:
        share = 0.5 if high == low else (value - low) / (high - low)
        return round(start + min(max(share, -0.02), 1.02) * (end - start), 1)


def path(points: Iterable[tuple[float, float]], frame: Frame) -> str:
    return "M" + "L".join(f"{frame.x(x)},{frame.y(y)}" for x, y in points)


def spread(wanted: Sequence[float], *, lowest: float) -> list[float]:
    """Move labels apart until none covers another, keeping their order and above `lowest` (y grows downwards)."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = list(wanted)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + LABEL_GAP)
    floor = lowest
    for index in reversed(order):
        placed[index] = min(placed[index], floor)
        floor = placed[index] - LABEL_GAP
    return placed
