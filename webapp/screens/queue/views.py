from __future__ import annotations

from django.db.models import Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.models import LISTED, Assignment, AssignmentState
from webapp.accounts.access import project_view
from webapp.accounts.models import Project
from webapp.accounts.permissions import Permission


@require_safe
@project_view(Permission.REVIEW)
def mine(request: HttpRequest, project: Project) -> HttpResponse:
    """Own slots only, one row a round, newest first."""
    finished = Q(state__in=[AssignmentState.SUBMITTED, AssignmentState.SKIPPED])
    rounds = (
        Assignment.objects.of(project)
        .filter(LISTED, reviewer=request.user.pk, item__round__state__in=["open", "closed"])
        .values(
            "item__round",
            "item__round__number",
            "item__round__name",
            "item__round__state",
            "item__round__deadline",
        )
        .annotate(
            total=Count("pk"),
            done=Count("pk", filter=finished),
            begun=Count("pk", filter=Q(state=AssignmentState.DRAFT)),
            flagged=Count("pk", filter=Q(flagged=True)),
            skipped=Count("pk", filter=Q(state=AssignmentState.SKIPPED)),
            active_ms=Sum("active_ms"),
            last=Max("submitted_at"),
        )
        .order_by("-item__round__number")
    )
    shown = [_row(found) for found in rounds]
    context = {
        "project": project,
        "open_rounds": [row for row in shown if row["state"] == "open"],
        "closed_rounds": [row for row in shown if row["state"] == "closed"],
    }
    return render(request, "queue/mine.html", context)


def _row(found: dict[str, object]) -> dict[str, object]:
    """The template's words for one round; the time left is told once ten items are done."""
    done, total, active_ms = found["done"], found["total"], found["active_ms"] or 0
    assert isinstance(done, int) and isinstance(total, int) and isinstance(active_ms, int)
    seconds = active_ms / 1000
    return {
        **{name.removeprefix("item__round__"): value for name, value in found.items()},
        "round": found["item__round"],
        "left": total - done,
        "active_s": seconds,
        "estimate_s": seconds / done * (total - done) if done >= 10 and done < total else None,
    }
