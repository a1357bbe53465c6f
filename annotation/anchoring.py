"""How far a draft draws its reviewer along: seeded errors that were caught, and what was judged before the draft.

Only decided items count, and whoever shows a reviewer their own figures takes those of closed rounds: until
then a figure would be a hint.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Func, IntegerField, QuerySet
from django.db.models.fields.json import KeyTransform

from annotation.agreement import wilson
from annotation.models import Assignment, AssignmentState, Gold, ProbeKind, Slot
from annotation.planting import caught

BLIND = [Slot.FIRST, Slot.SECOND]


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `n`, with Wilson's 95 % interval (None for n = 0)."""

    part: int
    n: int

    @property
    def value(self) -> float | None:
        return self.part / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.part, self.n)

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.n + other.n)


NOTHING = Share(0, 0)


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Drafted criteria that stand unchanged, where the draft was there from the start and where one judged first.

    The further the first lies above the second, the more the draft is followed because it is there.
    """

    shown: Share
    judged_first: Share


def vigilance(work: QuerySet[Assignment]) -> dict[int, Share]:
    """By reviewer: seeded errors caught, of those in decided items."""
    found: dict[int, Share] = defaultdict(lambda: NOTHING)
    seeded = work.filter(
        slot__in=BLIND,
        state=AssignmentState.SUBMITTED,
        item__probe__kind=ProbeKind.SEEDED,
        reviewer__isnull=False,
    )
    rows = seeded.values_list("reviewer", "document", "item__probe__planted").order_by()
    for reviewer, document, planted in rows.iterator(chunk_size=200):
        assert planted is not None, "a seeded probe says what is planted"
        found[reviewer] += Share(int(caught(document, planted)), 1)
    return dict(found)


def anchoring(gold: QuerySet[Gold]) -> dict[int, Anchoring]:
    """By reviewer, from the ledgers of live gold that needed no third person."""
    counted = (
        gold.filter(withdrawn_at=None, assignment__slot__in=BLIND, assignment__reviewer__isnull=False)
        .exclude(item__probe__kind=ProbeKind.SEEDED)
        .annotate(
            kept=_entries("kept"),
            changed=_entries("edited") + _entries("rejected"),
        )
        .values_list("assignment__reviewer", "item__probe__kind", "kept", "changed")
    )
    shown: dict[int, Share] = defaultdict(lambda: NOTHING)
    first: dict[int, Share] = defaultdict(lambda: NOTHING)
    for reviewer, kind, kept, changed in counted.iterator(chunk_size=500):
        bucket = first if kind == ProbeKind.BLIND_FIRST else shown
        bucket[reviewer] += Share(kept, kept + changed)
    return {reviewer: Anchoring(shown[reviewer], first[reviewer]) for reviewer in {*shown, *first}}


def _entries(name: str) -> Func:
    return Func(KeyTransform(name, "ledger"), function="jsonb_array_length", output_field=IntegerField())
