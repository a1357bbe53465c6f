"""How long reading takes at least, and how long reviewing took."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from annotation.models import Assignment, AssignmentState, Slot

WORDS_PER_MINUTE = 400
"""Above what practised adults read with comprehension (mean 238, Brysbaert 2019, J. Mem. Lang. 109): who is faster
hasn't read everything. Recorded and shown, never a reason to refuse anything."""

MS_PER_WORD = 60_000 // WORDS_PER_MINUTE
TOO_FAST = Q(active_ms__lt=F("words") * MS_PER_WORD)

_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:['’-][^\W_]+)*")


def words_in(text: str) -> int:
    """Words to read; where words aren't spaced, characters."""
    return sum(1 for _ in WORD.finditer(text))


def reading_ms(words: int) -> int:
    return words * MS_PER_WORD


@dataclass(frozen=True, slots=True)
class Pace:
    """One reviewer's work. `decided`, `skipped`: items, repeated ones left out; `hasty`: accepted before they
    could be read; `active_ms` of everything."""

    decided: int
    skipped: int
    hasty: int
    active_ms: int
    words: int

    @property
    def active_s(self) -> float:
        return self.active_ms / 1000

    @property
    def hours(self) -> float:
        return self.active_ms / 3_600_000

    @property
    def per_hour(self) -> float | None:
        """Decided items an hour of active time; None below a minute of it."""
        return self.decided / self.hours if self.active_ms >= 60_000 else None


def paces(work: QuerySet[Assignment]) -> dict[int, Pace]:
    """By reviewer, in one query."""
    blind = Q(slot__in=[Slot.FIRST, Slot.SECOND])
    done = blind & Q(state=AssignmentState.SUBMITTED)
    rows = (
        work.exclude(reviewer=None)
        .values("reviewer")
        .annotate(
            decided=Count("pk", filter=done),
            skipped=Count("pk", filter=blind & Q(state=AssignmentState.SKIPPED)),
            hasty=Count("pk", filter=done & TOO_FAST),
            total_ms=Sum("active_ms"),
            total_words=Sum("words", filter=done, default=0),
        )
        .order_by()
    )
    return {
        row["reviewer"]: Pace(
            row["decided"], row["skipped"], row["hasty"], row["total_ms"] or 0, row["total_words"]
        )
        for row in rows
    }


def hours(work: QuerySet[Assignment]) -> Iterator[dict[str, Any]]:
    """Active time by reviewer, round and the day (UTC) on which its items were decided; day None: not yet."""
    done = Q(state=AssignmentState.SUBMITTED)
    rows = (
        work.exclude(reviewer=None)
        .annotate(day=TruncDate("submitted_at", tzinfo=UTC))
        .values(
            "reviewer__username", "reviewer__first_name", "reviewer__last_name", "item__round__number", "day"
        )
        .annotate(
            decided=Count("pk", filter=done),
            skipped=Count("pk", filter=Q(state=AssignmentState.SKIPPED)),
            total_ms=Sum("active_ms"),
        )
        .filter(Q(decided__gt=0) | Q(skipped__gt=0) | Q(total_ms__gt=0))
        .order_by("reviewer__username", "item__round__number", "day")
    )
    for row in rows:
        name = f"{row['reviewer__first_name']} {row['reviewer__last_name']}".strip()
        yield {
            "reviewer": name or row["reviewer__username"],
            "username": row["reviewer__username"],
            "round": row["item__round__number"],
            "day": row["day"],
            "decided": row["decided"],
            "skipped": row["skipped"],
            "active_ms": row["total_ms"] or 0,
        }
