"""What can be wrong with a file: every fault names line, field, reason and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

MOST_REFUSALS = 100
"""Reading stops here: a file with a hundred faults has one cause, and a person reads no more."""


class RefusalRow(TypedDict):
    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One fault. `line` counts from 1 as an editor does (rows, for Parquet); 0 is the file as a whole."""

    line: int
    field: str
    reason: str

    def as_row(self) -> RefusalRow:
        return {"line": self.line, "field": self.field, "reason": self.reason}

    def as_the_last(self) -> Refusal:
        """The fault at which reading ended: what stands after it was not looked at."""
        return Refusal(self.line, self.field, f"{self.reason}. Nothing after it was read")

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "the file"
        return f"{where}{f', {self.field}' if self.field else ''}: {self.reason}"


class RowRefused(Exception):
    """One field of one row can't be taken; reading goes on, so that the person sees all faults at once."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field}: {reason}")


class FileRefused(Exception):
    """The file can't be read further: a broken stream, a wrong format, a cap. `refusal` says where."""

    def __init__(self, reason: str, *, line: int = 0, field: str = "") -> None:
        self.refusal = Refusal(line, field, reason)
        super().__init__(str(self.refusal))


class ImportRefused(Exception):
    """Nothing of the file was taken. `refusals` holds the first hundred faults."""

    def __init__(self, refusals: list[Refusal]) -> None:
        self.refusals = refusals
        more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
        super().__init__(f"Nothing was imported. {refusals[0]}{more}")
