"""A draft and its gold side by side, criterion by criterion. Pure: values in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rubric_engine.rubric import Criterion


@dataclass(frozen=True)
class Row:
    """`fate`: kept, edited, rejected or added; `old` is None for an added, `new` for a rejected criterion."""

    fate: str
    old: Criterion | None
    new: Criterion | None
    reason: str = ""

    @property
    def shown(self) -> Criterion:
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def changed(self) -> list[str]:
        """The fields that changed beside the text."""
        if self.old is None or self.new is None:
            return []
        fields = ("dimension", "weight", "polarity", "contested")
        return [name for name in fields if getattr(self.old, name) != getattr(self.new, name)]


def rows(draft: Iterable[Criterion], gold: Iterable[Criterion], ledger: Mapping[str, Any]) -> list[Row]:
    """In the draft's order, the added ones at the end."""
    decided = {criterion.key: criterion for criterion in gold}
    reasons = {entry["key"]: entry.get("reason", "") for entry in ledger.get("rejected", ())}
    built = []
    for old in draft:
        new = decided.pop(old.key, None)
        if new is None:
            built.append(Row("rejected", old, None, reasons.get(old.key, "")))
        else:
            built.append(Row("kept" if new == old else "edited", old, new))
    return built + [Row("added", None, new) for new in decided.values()]
