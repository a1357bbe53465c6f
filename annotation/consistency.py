"""Agreement with oneself: items that came to the same reviewer twice, compared with what they said before.

A repeat makes no gold. Compared are verdicts on drafted criteria that stood both times, and whole decisions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from annotation.anchoring import NOTHING, Share
from annotation.document import live_criteria
from annotation.gold import response_keys
from annotation.models import Assignment, AssignmentState, Slot

FIELDS = ("dimension", "text", "weight", "polarity", "contested")


@dataclass(frozen=True, slots=True)
class Consistency:
    """`verdicts` given alike; drafted `criteria` treated alike (kept, changed to the same, or rejected)."""

    items: int = 0
    verdicts: Share = NOTHING
    criteria: Share = NOTHING

    def __add__(self, other: Consistency) -> Consistency:
        return Consistency(
            self.items + other.items, self.verdicts + other.verdicts, self.criteria + other.criteria
        )


def consistency(work: QuerySet[Assignment]) -> dict[int, Consistency]:
    """By reviewer, over the repeats that are decided."""
    found: dict[int, Consistency] = defaultdict(Consistency)
    for before, again in _pairs(work):
        assert again.reviewer_id is not None
        found[again.reviewer_id] += compared(before, again)
    return dict(found)


def compared(before: Assignment, again: Assignment) -> Consistency:
    verdicts, others = _verdicts(before), _verdicts(again)
    shared = verdicts.keys() & others.keys()
    treated, again_treated = _treatment(before), _treatment(again)
    keys = treated.keys() & again_treated.keys()
    return Consistency(
        1,
        Share(sum(verdicts[one] == others[one] for one in shared), len(shared)),
        Share(sum(treated[key] == again_treated[key] for key in keys), len(keys)),
    )


def _pairs(work: QuerySet[Assignment]) -> Iterator[tuple[Assignment, Assignment]]:
    repeats = list(work.filter(slot=Slot.REPEAT, state=AssignmentState.SUBMITTED))
    firsts = {
        (one.item_id, one.reviewer_id): one
        for one in work.filter(
            item__in=[repeat.item_id for repeat in repeats], state=AssignmentState.SUBMITTED
        ).exclude(slot__in=[Slot.REPEAT, Slot.ADJUDICATOR])
    }
    for again in repeats:
        if before := firsts.get((again.item_id, again.reviewer_id)):
            yield before, again


def _verdicts(assignment: Assignment) -> dict[tuple[str, int], bool]:
    """By drafted criterion that stands, and response."""
    document = assignment.document
    behind = response_keys(assignment.response_order)
    return {
        (criterion["key"], behind[letter]): verdict["met"]
        for criterion in live_criteria(document)
        if criterion["origin"] == "draft"
        for letter, verdict in document["verdicts"].get(criterion["key"], {}).items()
        if letter not in document["unjudged"]
    }


def _treatment(assignment: Assignment) -> dict[str, Any]:
    return {
        criterion["key"]: None
        if criterion["rejected"] is not None
        else tuple(criterion[field] for field in FIELDS)
        for criterion in assignment.document["criteria"]
        if criterion["origin"] == "draft"
    }
