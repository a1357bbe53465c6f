"""What became of each drafted criterion, and whether the draft passed: strict and minor (rulings, 14).

Pure. `strict`: the decided criteria are the draft's, none added, none rejected, none changed.
`minor`: wording only, strict included. A changed `contested` counts as a change: it moves the veto.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from annotation.document import Document
from annotation.wording import is_wording
from rubric_engine.rubric import Criterion

FIELDS = ("dimension", "text", "weight", "polarity", "contested")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Entries: kept {key}, edited {key, changes: {field: [old, new]}, wording}, rejected {key, text, reason},
    added {key, dimension, text}."""

    kept: list[dict[str, Any]]
    edited: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    added: list[dict[str, Any]]

    @property
    def strict(self) -> bool:
        return not (self.edited or self.rejected or self.added)

    @property
    def minor(self) -> bool:
        return not (self.rejected or self.added) and all(entry["wording"] for entry in self.edited)

    def as_json(self) -> dict[str, Any]:
        return {"kept": self.kept, "edited": self.edited, "rejected": self.rejected, "added": self.added}


def ledger_of(draft: Iterable[Criterion], document: Document) -> Ledger:
    """Compare a decided document with the draft that it began from."""
    decided = {criterion["key"]: criterion for criterion in document["criteria"]}
    ledger = Ledger(kept=[], edited=[], rejected=[], added=[])
    drafted = list(draft)
    for criterion in drafted:
        _enter(ledger, criterion, decided.get(criterion.key))
    known = {criterion.key for criterion in drafted}
    ledger.added.extend(
        {"key": criterion["key"], "dimension": criterion["dimension"], "text": criterion["text"]}
        for criterion in document["criteria"]
        if criterion["key"] not in known and criterion["rejected"] is None
    )
    return ledger


def _enter(ledger: Ledger, criterion: Criterion, decided: dict[str, Any] | None) -> None:
    if decided is None or decided["rejected"] is not None:
        reason = decided["rejected"]["reason"] if decided else ""
        ledger.rejected.append({"key": criterion.key, "text": criterion.text, "reason": reason})
        return
    changes = {
        field: [getattr(criterion, field), decided[field]]
        for field in FIELDS
        if getattr(criterion, field) != decided[field]
    }
    if not changes:
        ledger.kept.append({"key": criterion.key})
        return
    wording = list(changes) == ["text"] and is_wording(criterion.text, decided["text"])
    ledger.edited.append({"key": criterion.key, "changes": changes, "wording": wording})
