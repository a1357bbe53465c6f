"""Protects the plots: what is drawn is what was given, in SVG that needs no script and no inline style."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.screens.charts import (
    FOCUSABLE_POINTS,
    Interval,
    Point,
    Reference,
    Series,
    intervals,
    lines,
    sparkline,
)
from webapp.screens.scales import LABEL_GAP, coefficient, percent, short, spread, ticks

RATES = Series(
    "strict", [Point(1, 0.2, 0.17, 0.24), Point(2, 0.4, 0.36, 0.44, final=False)], label="strict 40 %"
)


def _svg(figure: str) -> ElementTree.Element:
    return ElementTree.fromstring(figure[figure.index("<svg") : figure.index("</svg>") + 6])


def test_a_plot_is_well_formed_and_carries_no_inline_style_or_script() -> None:
    figure = lines(
        title="Drafts accepted",
        series=[RATES],
        y_range=(0, 1),
        show=percent,
        reference=Reference(0.95, "95 %"),
    )
    assert _svg(figure).get("aria-label") == "Drafts accepted"
    assert "style=" not in figure
    assert "<script" not in figure


def test_every_value_is_reached_by_keyboard_with_its_interval() -> None:
    figure = _svg(lines(title="t", series=[RATES], y_range=(0, 1), show=percent))
    points = [one for one in figure.iter() if one.get("tabindex") == "0"]
    assert [one.get("aria-label") for one in points] == [
        "strict, 1: 20 % (17 % – 24 %)",
        "strict, 2: 40 % (36 % – 44 %)",
    ]


def test_what_is_not_final_is_drawn_open() -> None:
    figure = lines(title="t", series=[RATES], y_range=(0, 1))
    assert figure.count('class="dot-open"') == 1
    assert figure.count('class="dot"') == 1


def test_the_csv_holds_the_numbers_of_the_plot() -> None:
    figure = lines(title="t", series=[RATES], y_range=(0, 1))
    csv = unquote(figure.split('href="data:text/csv;charset=utf-8,')[1].split('"')[0])
    assert csv.splitlines() == [
        "series,at,value,low,high",
        "strict,1,0.2,0.17,0.24",
        "strict,2,0.4,0.36,0.44",
    ]


def test_a_long_curve_is_one_path_that_no_one_tabs_through() -> None:
    curve = Series("loss", [Point(step, 1 / (step + 1)) for step in range(FOCUSABLE_POINTS + 1)])
    assert 'tabindex="0"' not in lines(title="t", series=[curve])


def test_values_that_are_not_numbers_are_left_out() -> None:
    curve = Series("loss", [Point(0, 1.0), Point(1, math.nan), Point(2, math.inf), Point(3, 0.5)])
    figure = lines(title="t", series=[curve])
    assert "nan" not in figure
    assert figure.count('class="hit"') == 2


def test_nothing_to_draw_draws_nothing() -> None:
    assert lines(title="t", series=[Series("loss", [])]) == ""
    assert sparkline([1.0], title="t") == ""


def test_an_undefined_value_says_so_and_has_no_mark() -> None:
    figure = intervals(
        title="κ", rows=[Interval("Safety", None, note="undefined, n = 3"), Interval("Proficiency", 0.8)]
    )
    assert "undefined, n = 3" in figure
    assert _svg(figure).findall(".//*[@tabindex]").__len__() == 1


def test_text_from_outside_is_escaped() -> None:
    figure = lines(title="<b>", series=[Series("<i>&", RATES.points, label="<u>")], y_range=(0, 1))
    assert "<b>" not in figure
    assert "<u>" not in figure


@pytest.mark.parametrize(("value", "text"), [(0.76, ".76"), (-0.1, "-.10"), (1.0, "1.00"), (0.0, ".00")])
def test_coefficients_have_no_leading_zero(value: float, text: str) -> None:
    assert coefficient(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.3184, "0.318"), (1.944, "1.94"), (17_100, "17.1 k"), (912, "912"), (2.5e6, "2.5 M"), (3.0, "3")],
)
def test_numbers_are_as_short_as_they_mean(value: float, text: str) -> None:
    assert short(value) == text


def test_the_references_label_is_not_covered_by_a_series_that_ends_near_it() -> None:
    series = [
        Series(name, [Point(0, 0.0), Point(1, 0.96)], label=f"{name} 96 %") for name in ("strict", "minor")
    ]
    plot = lines(
        title="Passed",
        series=series,
        y_range=(0, 1),
        y_ticks=(0, 1),
        reference=Reference(0.95, "95 %, converged"),
    )
    labels = re.findall(r'<text class="(?:label|reference-label)"[^>]* y="([\d.]+)"', plot)
    heights = sorted(map(float, labels))
    assert len(heights) == 3
    assert all(below - above >= LABEL_GAP - 0.01 for above, below in pairwise(heights))


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-6, 1e6))
def test_ticks_are_few_and_inside(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert len(found) <= 12
    assert all(low - span * 1e-3 <= tick <= low + span * 1.001 for tick in found)


@given(st.lists(st.floats(0, 190), max_size=6))
def test_labels_never_cover_each_other(wanted: list[float]) -> None:
    placed = sorted(spread(wanted, lowest=200))
    assert all(after - before >= LABEL_GAP - 1e-6 for before, after in pairwise(placed))
    assert all(place <= 200 for place in placed)


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1, max_size=30))
def test_any_numbers_give_a_plot_inside_its_box(points: list[tuple[float, float]]) -> None:
    figure = _svg(
        lines(title="t", series=[Series("s", [Point(x, y) for x, y in points])], width=300, height=120)
    )
    for circle in figure.iter("circle"):
        assert -10 <= float(circle.get("cx", "")) <= 310
        assert -10 <= float(circle.get("cy", "")) <= 130
