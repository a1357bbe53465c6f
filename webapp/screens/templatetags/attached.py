"""Attachments on a page: values out of their range are marked by a sign and a word, a series has its plot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from rubric_engine.attachments.tables import number
from webapp.screens.scales import Frame, path

register = template.Library()

SIGNS = {"low": "▼", "high": "▲", "abnormal": "◆"}
WIDTH, HEIGHT = 96, 34
LEAST_POINTS = 2


@register.simple_tag
def measured_cell(cell: Mapping[str, str], narrow: int) -> SafeString:
    """The value, and beside it what is wrong with it: by a sign alone where `narrow`, the columns, are several."""
    words = {"low": gettext("low"), "high": gettext("high"), "abnormal": gettext("abnormal")}
    mark = cell["mark"]
    if mark not in SIGNS:
        return format_html('<bdi dir="ltr">{}</bdi>', cell["value"] or "–")
    return format_html(
        '<span class="out"><span aria-hidden="true">{}</span> <bdi dir="ltr">{}</bdi> <span class="{}">{}</span></span>',
        SIGNS[mark],
        cell["value"],
        "visually-hidden" if narrow > 1 else "out-word",
        words[mark],
    )


@register.simple_tag
def measured_plot(row: Mapping[str, Any]) -> SafeString:
    """A row's values as a line over the band of its reference range; nothing where fewer than two are numbers."""
    values = [(place, number(cell["value"])) for place, cell in enumerate(row["cells"])]
    points = [(float(place), value) for place, value in values if value is not None]
    if len(points) < LEAST_POINTS:
        return SafeString("")
    frame = _frame(row, points)
    marks = [row["cells"][int(place)]["mark"] for place, _ in points]
    context = {
        "width": WIDTH,
        "height": HEIGHT,
        "title": f"{row['name']}: " + ", ".join(cell["value"] or "–" for cell in row["cells"]),
        "path": path(points, frame),
        "band": _band(row, frame),
        "points": [
            {"x": frame.x(x), "y": frame.y(y), "out": bool(mark)}
            for (x, y), mark in zip(points, marks, strict=True)
        ],
    }
    return SafeString(render_to_string("charts/measured.html", context))


def _frame(row: Mapping[str, Any], points: list[tuple[float, float]]) -> Frame:
    known = [value for _, value in points] + [row[end] for end in ("low", "high") if row[end] is not None]
    low, high = min(known), max(known)
    margin = (high - low) * 0.1 or 1.0
    return Frame(5, WIDTH - 5, 4, HEIGHT - 4, points[0][0], points[-1][0], low - margin, high + margin)


def _band(row: Mapping[str, Any], frame: Frame) -> dict[str, float] | None:
    if row["low"] is None and row["high"] is None:
        return None
    top = frame.top if row["high"] is None else frame.y(row["high"])
    bottom = frame.bottom if row["low"] is None else frame.y(row["low"])
    return {"y": top, "height": bottom - top}
