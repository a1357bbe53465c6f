"""Lab tables and vital signs: read with their types and bounds, or refused with the place and the reason.

Both become one shape: `columns` (empty: one unnamed column) and `rows` of {name, unit, reference, low, high,
cells: [{value, mark}]}. `mark` is "low", "high", "abnormal" or ""; it follows from the reference range, or is
the laboratory's own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from rubric_engine.attachments.faults import AttachmentRefused

Content = dict[str, Any]

MAX_ROWS, MAX_COLUMNS = 200, 60
NAME, VALUE, UNIT = 120, 80, 40
MARKS = ("low", "high", "abnormal", "normal")
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""PostgreSQL keeps neither NUL nor half of a surrogate pair."""
NUMBER = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,6})?")


def measured(given: Mapping[str, Any], field: str) -> Content:
    """The rows under `field`, each {name, value | values | series, unit?, low?, high?, reference?, flag?}.

    `values` go with the `columns` of the whole table; a `series` is [{at, value}], and the columns are then all
    the times in the order in which they first appear.

    Raises:
        AttachmentRefused: naming the row and the field.
    """
    rows = _objects(given, field)
    series = [_series(row, f"{field}[{n}].") for n, row in enumerate(rows)]
    columns = list(dict.fromkeys(at for one in series for at in one))
    if not columns:
        columns = [
            _text({"": name}, "", f"columns[{n}]", NAME) for n, name in enumerate(_list(given, "columns"))
        ]
    if len(columns) > MAX_COLUMNS:
        raise AttachmentRefused(
            field,
            _("%(n)s columns, at most %(most)s are kept") % {"n": len(columns), "most": MAX_COLUMNS},
        )
    return {
        "columns": columns,
        "rows": [
            _row(row, f"{field}[{n}].", _values(row, one, columns, f"{field}[{n}]."))
            for n, (row, one) in enumerate(zip(rows, series, strict=True))
        ],
    }


def _values(
    row: Mapping[str, Any], series: Mapping[str, Any], columns: Sequence[str], where: str
) -> Sequence[Any]:
    """One value a column; a row with a single value has it in the first."""
    if series:
        return [series.get(at) for at in columns]
    values = _list(row, "values", where) or [row.get("value"), *[""] * (len(columns) - 1)]
    if len(values) != max(1, len(columns)):
        raise AttachmentRefused(
            f"{where}values",
            _("%(values)s values for %(columns)s columns")
            % {"values": len(values), "columns": max(1, len(columns))},
        )
    return values


def _series(sign: Mapping[str, Any], where: str) -> dict[str, Any]:
    points = _list(sign, "series", where)
    if len(points) > MAX_COLUMNS:
        raise AttachmentRefused(
            f"{where}series",
            _("%(n)s values, at most %(most)s are kept") % {"n": len(points), "most": MAX_COLUMNS},
        )
    series: dict[str, Any] = {}
    for n, point in enumerate(points):
        here = f"{where}series[{n}]."
        if not isinstance(point, Mapping):
            raise AttachmentRefused(here[:-1], _("an object with `at` and `value` is wanted"))
        at = _text(point, "at", here, UNIT)
        if not at or at in series:
            raise AttachmentRefused(f"{here}at", _("missing, or there twice; every value needs its own time"))
        series[at] = point.get("value")
    return series


def _row(row: Mapping[str, Any], where: str, values: Sequence[Any]) -> dict[str, Any]:
    name = _text(row, "name", where, NAME)
    if not name:
        raise AttachmentRefused(f"{where}name", _("missing; say what was measured"))
    low, high = _bound(row, "low", where), _bound(row, "high", where)
    if low is not None and high is not None and low > high:
        raise AttachmentRefused(
            f"{where}low", _("%(low)s is above high, %(high)s") % {"low": f"{low:g}", "high": f"{high:g}"}
        )
    flag = _text(row, "flag", where, UNIT).casefold()
    if flag and flag not in MARKS:
        raise AttachmentRefused(
            f"{where}flag", _("write %(marks)s, or leave it out") % {"marks": ", ".join(MARKS)}
        )
    texts = [_text({"value": value}, "value", where, VALUE) for value in values]
    if not any(texts):
        raise AttachmentRefused(f"{where}value", _("missing; a row needs at least one value"))
    return {
        "name": name,
        "unit": _text(row, "unit", where, UNIT),
        "reference": _text(row, "reference", where, VALUE) or _range(low, high),
        "low": low,
        "high": high,
        "cells": [{"value": text, "mark": _mark(text, low, high, flag)} for text in texts],
    }


def _mark(text: str, low: float | None, high: float | None, flag: str) -> str:
    if not text or flag == "normal":
        return ""
    value = number(text)
    if value is None or (low is None and high is None):
        return flag
    if low is not None and value < low:
        return "low"
    return "high" if high is not None and value > high else ""


def number(text: str) -> float | None:
    """What a plot can draw: the text as a number, or None ("<0.01", "120/80")."""
    return float(text.replace(",", ".")) if NUMBER.fullmatch(text) else None


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low:g}–{high:g}"
    if low is not None:
        return f"≥ {low:g}"
    return f"≤ {high:g}" if high is not None else ""


def _bound(row: Mapping[str, Any], field: str, where: str) -> float | None:
    given = row.get(field)
    if given is None or given == "":
        return None
    value = number(given.strip()) if isinstance(given, str) else given
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AttachmentRefused(where + field, _("%(value)s is no number") % {"value": repr(str(given)[:40])})
    return float(value)


def _text(row: Mapping[str, Any], field: str, where: str, most: int) -> str:
    value = row.get(field)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise AttachmentRefused(where + field, _("a text or a number is wanted"))
    text = " ".join(str(value).split())
    if UNSTORABLE.search(text):
        raise AttachmentRefused(where + field, _("it holds a character that can't be stored"))
    if len(text) > most:
        raise AttachmentRefused(
            where + field,
            _("%(n)s characters, at most %(most)s are kept") % {"n": len(text), "most": most},
        )
    return text


def _list(given: Mapping[str, Any], field: str, where: str = "") -> Sequence[Any]:
    value = given.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise AttachmentRefused(where + field, _("a list is wanted"))
    if len(value) > MAX_ROWS:
        raise AttachmentRefused(
            where + field,
            _("%(n)s entries, at most %(most)s are kept") % {"n": len(value), "most": MAX_ROWS},
        )
    return value


def _objects(given: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    found = _list(given, field)
    if not found:
        raise AttachmentRefused(field, _("empty; at least one row is wanted"))
    if not all(isinstance(row, Mapping) for row in found):
        raise AttachmentRefused(field, _("a list of objects is wanted"))
    return list(found)
