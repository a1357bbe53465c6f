"""Who holds what on the round's page: seen, released, given to somebody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from annotation import claims
from annotation.models import Assignment, Round
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission

SHOWN = 50


def shown(round: Round) -> dict[str, Any]:
    """The claims of an open round, in one query."""
    found = list(claims.in_hand(round)[: SHOWN + 1])
    return {
        "rows": [{"claim": claim, "held": _held(claim)} for claim in found[:SHOWN]],
        "more": len(found) > SHOWN,
    }


@require_safe
@project_view(Permission.RUN_ROUNDS)
def page(request: HttpRequest, project: Project, pk: UUID, assignment: UUID) -> HttpResponse:
    """One item in hand, with what a lead can do about it."""
    claim = _claim(project, pk, assignment)
    round = claim.item.round
    context = {
        "project": project,
        "round": round,
        "claim": claim,
        "held": _held(claim),
        "candidates": claims.candidates(round, [claim]).get(claim.pk, []),
    }
    return render(request, "rounds/claim.html", context)


@require_POST
@project_view(Permission.RUN_ROUNDS)
def release(request: HttpRequest, project: Project, pk: UUID, assignment: UUID) -> HttpResponse:
    claim = _claim(project, pk, assignment)
    assert isinstance(request.user, User)
    try:
        claims.release(actor=request.user, assignment=claim, reason=request.POST.get("reason", ""))
    except claims.ClaimRefused as refused:
        messages.error(request, str(refused))
    return _back(project, pk)


@require_POST
@project_view(Permission.RUN_ROUNDS)
def give(request: HttpRequest, project: Project, pk: UUID, assignment: UUID) -> HttpResponse:
    claim = _claim(project, pk, assignment)
    reviewer = _person(project, request.POST.get("to", ""))
    assert isinstance(request.user, User)
    try:
        claims.reassign(
            actor=request.user, assignment=claim, reviewer=reviewer, reason=request.POST.get("reason", "")
        )
        messages.success(request, _("%(name)s has it now.") % {"name": reviewer.shown_name})
    except claims.ClaimRefused as refused:
        messages.error(request, str(refused))
    return _back(project, pk)


@require_POST
@project_view(Permission.RUN_ROUNDS)
def hand_over(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    found = get_object_or_404(Round.objects.of(project).select_related("project"), pk=pk)
    old, new = (_person(project, request.POST.get(name, "")) for name in ("from", "to"))
    assert isinstance(request.user, User)
    try:
        given, kept = claims.hand_over(
            actor=request.user, round=found, old=old, new=new, reason=request.POST.get("reason", "")
        )
        told = {"given": given, "kept": kept, "name": new.shown_name}
        messages.success(request, _("%(name)s got %(given)d items; %(kept)d stayed.") % told)
    except claims.ClaimRefused as refused:
        messages.error(request, str(refused))
    return _back(project, pk)


def _held(claim: Assignment) -> bool:
    return claim.lease_until is not None and claim.lease_until > timezone.now()


def _claim(project: Project, pk: UUID, assignment: UUID) -> Assignment:
    related = ("project", "item__round__project", "item__instruction", "reviewer")
    own = Assignment.objects.of(project).exclude(reviewer=None).select_related(*related)
    return get_object_or_404(own, pk=assignment, item__round=pk)


def _person(project: Project, chosen: str) -> User:
    return get_object_or_404(User, pk=int(chosen) if chosen.isdecimal() else 0, memberships__project=project)


def _back(project: Project, pk: UUID) -> HttpResponse:
    return redirect(f"/p/{project.slug}/rounds/{pk}/#claims")
