from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from training.models import AttemptState
from webapp.accounts.access import membership_of, project_view
from webapp.accounts.models import Project, Role, User
from webapp.accounts.permissions import Permission, allowed
from webapp.screens.agreed import agreed, kappas
from webapp.screens.charts import sparkline
from webapp.screens.context import home_of
from webapp.screens.loop import plots, state
from webapp.screens.loop.next_step import next_step
from webapp.screens.workers import look


@require_safe
@login_required
def dashboard(request: HttpRequest, project: str) -> HttpResponse:
    """The loop; a member whose role has no dashboard is sent to where the own work is."""
    assert isinstance(request.user, User)
    membership = membership_of(request.user, project)
    if not allowed(Role(membership.role), Permission.SEE_DASHBOARD):
        return redirect(home_of(membership))
    return render(request, "loop/dashboard.html", _context(membership.project, request.user))


@require_safe
@project_view(Permission.SEE_DASHBOARD)
def live(request: HttpRequest, project: Project) -> HttpResponse:
    """The part of the dashboard that is asked for again while something runs."""
    assert isinstance(request.user, User)
    return render(request, "loop/live.html", _context(project, request.user))


@require_safe
@project_view(Permission.SEE_DASHBOARD)
def workers(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "parts/workers.html", {"workers": look(), "project": project})


def _context(project: Project, user: User) -> dict[str, Any]:
    seen = state.overview(project, user)
    measured = agreed(project)
    curves = state.curves(project, seen.runs)
    current = (seen.round["round"].number, seen.round["rates"]) if seen.round else None
    return {
        "project": project,
        "seen": seen,
        "step": next_step(seen.state),
        "accepted": plots.accepted(seen.closed, current),
        "kappas": kappas(measured) if measured.items else "",
        "double_items": measured.items,
        "runs": [_row(run, curves) for run in seen.runs],
        "best": seen.best and {"run": seen.best, **_percents(seen.best)},
    }


def _row(run: Any, curves: dict[int, list[float]]) -> dict[str, Any]:
    ended = run.ended or timezone.now()
    return {
        "run": run,
        "state": AttemptState(run.state).label.lower() if run.state else "",
        "curve": sparkline(curves.get(run.attempt_pk, []), title=run.get_kind_display()),
        "seconds": (ended - run.began).total_seconds() if run.began else None,
        **_percents(run),
    }


def _percents(run: Any) -> dict[str, Any]:
    """Overall accuracy and veto F1 in percent, each with half the width of its interval."""
    shown = {}
    for name, key in (("overall", "overall"), ("veto", "safety.f1")):
        found = state.figure(run, key)
        if found:
            half = (found["high"] - found["low"]) * 50 if found.get("low") is not None else None
            shown[name] = {"value": found["value"] * 100, "half": half, "n": found.get("n")}
    return shown
