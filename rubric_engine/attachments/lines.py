"""A lab table or vital signs as a person types or pastes them: a line a measurement.

    name; value; unit; low; high
    Heart rate; 08:00 = 118 | 09:00 = 124; /min; 60; 100

Tabs part as well as semicolons do, so cells copied from a spreadsheet can be pasted.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from rubric_engine.attachments.faults import AttachmentRefused

FIELDS = ("name", "value", "unit", "low", "high")


def rows_of(text: str) -> list[dict[str, Any]]:
    """The rows, in the shape that `tables.measured` reads.

    Raises:
        AttachmentRefused: naming the line.
    """
    rows: list[dict[str, Any]] = []
    for n, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t" if "\t" in line else ";")]
        if len(cells) > len(FIELDS):
            raise AttachmentRefused(
                "",
                _("Line %(n)s has %(parts)s parts; write %(fields)s.")
                % {"n": n, "parts": len(cells), "fields": "; ".join(FIELDS)},
            )
        row: dict[str, Any] = dict(zip(FIELDS, cells, strict=False))
        if "=" in row.get("value", ""):
            row["series"] = [_point(part, n) for part in row.pop("value").split("|")]
        rows.append(row)
    return rows


def _point(part: str, line: int) -> dict[str, str]:
    at, equals, value = part.partition("=")
    if not equals:
        raise AttachmentRefused(
            "", _("Line %(line)s: write each value of a series as time = value.") % {"line": line}
        )
    return {"at": at.strip(), "value": value.strip()}
