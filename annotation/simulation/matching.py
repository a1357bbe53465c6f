"""Which drafted criteria say what a truth's criteria say, and what a physician would change.

Pure: numpy only. A match is one to one, greedy from the highest cosine of the texts in normal form, never
below the threshold, and never between statements of opposite polarity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.ledger import FIELDS, Ledger, ledger_of
from rubric_engine.rubric import Criterion
from rubric_engine.wording import normal_form

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Compared:
    """How a draft stands to the truth. `recall` is a share of the truth's criteria, `precision` of the draft's."""

    recall: float
    precision: float
    recall_at: Mapping[float, float]
    edits: int
    strict: bool
    minor: bool


def matched(
    drafted: Sequence[Criterion], truth: Sequence[Criterion], cosines: Floats, threshold: float
) -> dict[int, int]:
    """Index of the draft → index of the truth. cosines: shape (drafted, truth), of the normal forms."""
    sides = [[normal_form(one.text, one.polarity)[1] for one in some] for some in (drafted, truth)]
    order = np.argsort(-cosines, axis=None, kind="stable")
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for flat in order:
        ours, theirs = divmod(int(flat), len(truth))
        if cosines[ours, theirs] < threshold:
            break
        if ours in pairs or theirs in taken or sides[0][ours] is not sides[1][theirs]:
            continue
        pairs[ours] = theirs
        taken.add(theirs)
    return pairs


def compare(
    drafted: Sequence[Criterion],
    truth: Sequence[Criterion],
    cosines: Floats,
    *,
    threshold: float,
    also: Sequence[float] = (),
) -> Compared:
    """Measure a draft against the truth; `also`: further thresholds at which recall is told."""
    found = matched(drafted, truth, cosines, min([threshold, *also]))

    def at(level: float) -> dict[int, int]:
        """What a match at a higher threshold gives: the greedy order is the same, it only ends earlier."""
        return {ours: theirs for ours, theirs in found.items() if cosines[ours, theirs] >= level}

    pairs = at(threshold)
    ledger = corrected(drafted, truth, pairs)
    return Compared(
        recall=len(pairs) / len(truth),
        precision=len(pairs) / len(drafted),
        recall_at={one: len(at(one)) / len(truth) for one in also},
        edits=len(ledger.edited) + len(ledger.rejected) + len(ledger.added),
        strict=ledger.strict,
        minor=ledger.minor,
    )


def corrected(drafted: Sequence[Criterion], truth: Sequence[Criterion], pairs: Mapping[int, int]) -> Ledger:
    """The ledger of a physician who turns the draft into the truth: what matches is edited, the rest replaced."""
    decided = [
        _decided(one, truth[pairs[place]] if place in pairs else None) for place, one in enumerate(drafted)
    ]
    matched_too = set(pairs.values())
    added = [_entry(f"new{place}", one) for place, one in enumerate(truth) if place not in matched_too]
    return ledger_of(drafted, {"criteria": decided + added})


def _decided(drafted: Criterion, wanted: Criterion | None) -> dict[str, Any]:
    if wanted is None:
        return {**_entry(drafted.key, drafted), "rejected": {"reason": "not in the truth"}}
    if normal_form(drafted.text, drafted.polarity) == normal_form(wanted.text, wanted.polarity):
        return _entry(drafted.key, drafted)
    return _entry(drafted.key, wanted)


def _entry(key: str, criterion: Criterion) -> dict[str, Any]:
    fields = {field: getattr(criterion, field) for field in FIELDS}
    return {"key": key, "rejected": None, **fields}
