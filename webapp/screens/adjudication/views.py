from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.aligning import concerns_safety, rows_of, unsettled
from annotation.models import STANDING, Assignment, AssignmentState, RoundState, Slot
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, allowed, role_of

SHOWN = 100


@dataclass(frozen=True)
class Waiting:
    """One item, with how many of its rows ask and whether safety is among them; `mine`: one may settle it now."""

    third: Assignment
    since: datetime | None
    asks: int
    safety: bool
    mine: bool


@require_safe
@project_view(Permission.SEE_AGREEMENT)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)
    may = allowed(role_of(user, project), Permission.ADJUDICATE)
    waiting = _waiting(project)
    had = set(
        Assignment.objects.of(project)
        .filter(item__in=[third.item_id for third in waiting], reviewer=user)
        .exclude(slot=Slot.ADJUDICATOR)
        .values_list("item_id", flat=True)
    )
    lines = [_line(third, user, may and third.item_id not in had) for third in waiting]
    context = {"project": project, "lines": lines[:SHOWN], "more": len(lines) > SHOWN, "shown": SHOWN}
    return render(request, "adjudication/page.html", context)


def _waiting(project: Project) -> list[Assignment]:
    """Thirds that nobody has decided, by when the second of the two was done."""
    return list(
        _undecided(project)
        .annotate(since=Subquery(_second_done(project)))
        .select_related("item__instruction", "item__round", "reviewer")
        .order_by("since", "pk")[: SHOWN + 1]
    )


def _undecided(project: Project) -> QuerySet[Assignment]:
    return Assignment.objects.of(project).filter(
        STANDING,
        slot=Slot.ADJUDICATOR,
        state__in=[AssignmentState.OPEN, AssignmentState.DRAFT],
        item__round__state=RoundState.OPEN,
    )


def _second_done(project: Project) -> QuerySet[Assignment, Any]:
    blind = Assignment.objects.of(project).filter(STANDING, slot__in=[Slot.FIRST, Slot.SECOND])
    return (
        blind.filter(item=OuterRef("item"))
        .order_by()
        .values("item")
        .annotate(last=Max("submitted_at"))
        .values("last")
    )


def _line(third: Assignment, user: User, may: bool) -> Waiting:
    asking = set(unsettled(third.document))
    rows = [row for row in rows_of(third.document) if row["key"] in asking]
    return Waiting(
        third=third,
        since=getattr(third, "since", None),
        asks=len(rows),
        safety=any(concerns_safety(third.document, row) for row in rows),
        mine=may and third.reviewer_id in (None, user.pk),
    )
