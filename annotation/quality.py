"""Everything that is measured of one reviewer's work, together. It never blocks anything."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from annotation.anchoring import NOTHING, Anchoring, Share, anchoring, vigilance
from annotation.consistency import Consistency, consistency
from annotation.models import Assignment, Gold, Round, RoundState
from annotation.pace import Pace, paces
from webapp.accounts.models import Project, User


@dataclass(frozen=True, slots=True)
class Quality:
    """One reviewer. `caught`: seeded errors; `repeated`: agreement with oneself."""

    reviewer: User
    pace: Pace
    caught: Share
    repeated: Consistency
    anchoring: Anchoring

    @property
    def hasty(self) -> Share:
        return Share(self.pace.hasty, self.pace.decided)


UNMEASURED = Anchoring(NOTHING, NOTHING)


def of_project(project: Project, *, viewer: User, round: Round | None = None) -> list[Quality]:
    """Every reviewer with a slot, by name. Of themselves the viewer sees what closed rounds tell."""
    work = Assignment.objects.of(project)
    gold = Gold.objects.of(project)
    if round is not None:
        work, gold = work.filter(item__round=round), gold.filter(item__round=round)
    told = Q(item__round__state=RoundState.CLOSED)
    return _measured(
        work,
        work.filter(told | ~Q(reviewer=viewer)),
        gold.filter(told | ~Q(assignment__reviewer=viewer)),
    )


def of_person(project: Project, person: User) -> Quality | None:
    """What a reviewer may see of themselves; None where they have had no item."""
    work = Assignment.objects.of(project).filter(reviewer=person)
    closed = Q(item__round__state=RoundState.CLOSED)
    gold = Gold.objects.of(project).filter(closed, assignment__reviewer=person)
    found = _measured(work, work.filter(closed), gold)
    return found[0] if found else None


def _measured(work: QuerySet[Assignment], told: QuerySet[Assignment], gold: QuerySet[Gold]) -> list[Quality]:
    by_pace, caught = paces(work), vigilance(told)
    repeated, anchored = consistency(told), anchoring(gold)
    people = User.objects.filter(pk__in=by_pace).order_by("username")
    return [
        Quality(
            reviewer=person,
            pace=by_pace[person.pk],
            caught=caught.get(person.pk, NOTHING),
            repeated=repeated.get(person.pk, Consistency()),
            anchoring=anchored.get(person.pk, UNMEASURED),
        )
        for person in people
    ]
