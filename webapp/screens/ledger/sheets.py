"""The ledger as CSV. A spreadsheet takes no cell of it for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from annotation.fates import Entry

HEAD = (
    *("round", "item", "instruction", "specialty", "drafter", "dimension", "what_happened", "criterion"),
    *("drafted", "decided", "reason", "changed", "wording_only"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "％", "＝", "＋", "－", "＠")


class _Echo:
    """A file whose `write` hands back what was written."""

    def write(self, text: str) -> str:
        return text


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(HEAD))
    for entry in entries:
        yield str(writer.writerow([safe(cell) for cell in _cells(entry)]))


def safe(cell: object) -> str:
    """With an apostrophe before what a spreadsheet would compute."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def _cells(entry: Entry) -> tuple[object, ...]:
    return (
        entry.round,
        entry.position,
        entry.external_id,
        entry.specialty,
        entry.drafter,
        entry.dimension,
        entry.fate,
        entry.key,
        entry.drafted,
        entry.decided,
        entry.reason,
        entry.changed,
        "yes" if entry.wording else "",
    )
