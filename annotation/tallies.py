"""How far a round is, and how many of its drafts passed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q

from annotation import gold
from annotation.coefficients import wilson
from annotation.models import (
    STANDING,
    Assignment,
    AssignmentState,
    DraftState,
    Gold,
    Round,
    RoundItem,
    RoundState,
    Slot,
)
from annotation.probing import UNCOUNTED

DECIDED = [AssignmentState.SUBMITTED, AssignmentState.SKIPPED]


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """Counts of items, but for `slots` and `slots_done`. `decided` = `gold` + `skipped`.

    An item whose last slot was accepted a moment ago is neither until it is settled (`annotation.settling`).
    """

    items: int
    queued: int
    drafted: int
    failed: int
    gold: int
    skipped: int
    begun: int
    flagged: int
    adjudicating: int
    unassigned_adjudications: int
    slots: int
    slots_done: int

    @property
    def decided(self) -> int:
        return self.gold + self.skipped

    @property
    def undecided(self) -> int:
        return self.drafted - self.decided

    @property
    def percent(self) -> int:
        return self.slots_done * 100 // self.slots if self.slots else 0


def progress(round: Round) -> RoundProgress:
    """How far a round is, in two queries."""
    of_slot = (
        Assignment.objects.of(round.project).filter(STANDING, item=OuterRef("pk")).exclude(slot=Slot.REPEAT)
    )
    undecided = of_slot.exclude(state__in=DECIDED)
    live = Gold.objects.of(round.project).filter(item=OuterRef("pk"), withdrawn_at=None)
    accepted = of_slot.filter(state=AssignmentState.SUBMITTED)
    is_gold, is_open, has_slot = Exists(live), Exists(undecided), Exists(of_slot)
    items = (
        RoundItem.objects.of(round.project)
        .filter(round=round)
        .annotate(is_gold=is_gold, is_open=is_open, has_slot=has_slot, is_accepted=Exists(accepted))
    )
    counted = items.aggregate(
        items=Count("pk"),
        queued=Count("pk", filter=Q(draft_state=DraftState.QUEUED)),
        drafted=Count("pk", filter=Q(draft_state=DraftState.DRAFTED)),
        failed=Count("pk", filter=Q(draft_state=DraftState.FAILED)),
        gold=Count("pk", filter=Q(is_gold=True)),
        skipped=Count("pk", filter=Q(is_accepted=False, is_open=False, has_slot=True)),
    )
    third = Q(slot=Slot.ADJUDICATOR) & ~Q(state__in=DECIDED)
    slots = (
        Assignment.objects.of(round.project)
        .filter(STANDING, item__round=round)
        .aggregate(
            slots=Count("pk"),
            slots_done=Count("pk", filter=Q(state__in=DECIDED)),
            begun=Count("item", distinct=True, filter=Q(state=AssignmentState.DRAFT)),
            flagged=Count("item", distinct=True, filter=Q(flagged=True)),
            adjudicating=Count("pk", filter=third),
            unassigned_adjudications=Count("pk", filter=third & Q(reviewer=None)),
        )
    )
    return RoundProgress(**counted, **slots)


@dataclass(frozen=True, slots=True)
class PassRates:
    """Strict and minor passes of `reviewed` items, with Wilson's 95 % intervals (None for no items).

    A doubly reviewed item counts once, after adjudication; skipped items don't count, and neither do those with
    a seeded error or judged before the draft was shown.
    """

    reviewed: int
    strict: int
    minor: int

    @property
    def strict_interval(self) -> tuple[float, float] | None:
        return wilson(self.strict, self.reviewed)

    @property
    def minor_interval(self) -> tuple[float, float] | None:
        return wilson(self.minor, self.reviewed)

    @property
    def strict_rate(self) -> float | None:
        return self.strict / self.reviewed if self.reviewed else None

    @property
    def minor_rate(self) -> float | None:
        return self.minor / self.reviewed if self.reviewed else None


def pass_rates(round: Round) -> PassRates:
    """As written when the round closed; as they stand until then."""
    if round.state == RoundState.CLOSED:
        return PassRates(round.reviewed or 0, round.strict_passes or 0, round.minor_passes or 0)
    return counted(round)


def counted(round: Round) -> PassRates:
    counted = (
        gold.of_project(round.project)
        .filter(item__round=round)
        .exclude(item__probe__kind__in=UNCOUNTED)
        .aggregate(
            reviewed=Count("pk"),
            strict=Count("pk", filter=Q(strict=True)),
            minor=Count("pk", filter=Q(minor=True)),
        )
    )
    return PassRates(**counted)
