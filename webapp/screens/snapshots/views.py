from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from rubric_engine.rubric import Dimension
from training import snapshots
from training.formats.items import SPLITS
from training.models import Run, Snapshot, SnapshotState
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, allowed, role_of
from webapp.jobs.models import Job
from webapp.screens.snapshots.forms import NewSnapshot


def _rows(project: Project) -> list[dict[str, Any]]:
    """Every snapshot, newest first, with the job that writes it while it is being built. Two queries."""
    found = list(Snapshot.objects.of(project).order_by("-number"))
    building = [str(one.pk) for one in found if one.state == SnapshotState.BUILDING]
    newest_last = (
        Job.objects.of(project).filter(kind="freeze_snapshot", subject_id__in=building).order_by("created_at")
    )
    jobs = {job.subject_id: job for job in newest_last}
    return [
        {"snapshot": one, "counts": one.manifest.get("counts"), "job": jobs.get(str(one.pk))} for one in found
    ]


def _page(
    request: HttpRequest, project: Project, form: NewSnapshot | None, *, status: int = 200
) -> HttpResponse:
    assert isinstance(request.user, User)
    may_freeze = allowed(role_of(request.user, project), Permission.FREEZE_SNAPSHOTS)
    shown = form or NewSnapshot(licences=snapshots.licences_of(project))
    context = {"project": project, "form": shown if may_freeze else None, **_listed(project)}
    return render(request, "snapshots/list.html", context, status=status)


def _listed(project: Project) -> dict[str, Any]:
    rows = _rows(project)
    return {"rows": rows, "live": any(row["snapshot"].state == SnapshotState.BUILDING for row in rows)}


@require_safe
@project_view(Permission.SEE_SNAPSHOTS)
def listing(request: HttpRequest, project: Project) -> HttpResponse:
    return _page(request, project, None)


@require_safe
@project_view(Permission.SEE_SNAPSHOTS)
def live(request: HttpRequest, project: Project) -> HttpResponse:
    """The table, asked for again while a snapshot is being written."""
    return render(request, "snapshots/table.html", {"project": project, **_listed(project)})


@require_POST
@project_view(Permission.FREEZE_SNAPSHOTS)
def freeze(request: HttpRequest, project: Project) -> HttpResponse:
    form = NewSnapshot(request.POST, licences=snapshots.licences_of(project))
    if not form.is_valid():
        return _page(request, project, form, status=422)
    assert isinstance(request.user, User)
    try:
        snapshots.freeze(
            actor=request.user, project=project, name=form.cleaned_data["name"], options=form.options()
        )
    except snapshots.SnapshotRefused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, project, form, status=422)
    return redirect("snapshots", project.slug)


def _counted(snapshot: Snapshot) -> dict[str, Any]:
    """The counts, with splits and dimensions in the order in which one speaks of them (JSONB sorts keys)."""
    counts = snapshot.manifest.get("counts")
    if counts is None:
        return {"counts": None}
    dimensions = counts["pairs"]["by_dimension"]
    return {
        "counts": counts,
        "splits": [(split, counts["splits"][split]) for split in SPLITS],
        "dimensions": [(one.value, dimensions[one]) for one in Dimension if one in dimensions],
    }


@require_safe
@project_view(Permission.SEE_SNAPSHOTS)
def detail(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    snapshot = get_object_or_404(Snapshot.objects.of(project).select_related("created_by"), pk=pk)
    frozen = snapshot.state == SnapshotState.FROZEN
    context = {
        "project": project,
        "snapshot": snapshot,
        **_counted(snapshot),
        "files": sorted(snapshot.manifest.get("files", {}).items()),
        "too_small": snapshots.too_small(snapshot) if frozen else "",
        "runs": Run.objects.of(project).filter(snapshot=snapshot).order_by("-number"),
        "api": f"/api/v1/projects/{project.slug}/snapshots/{snapshot.pk}",
    }
    return render(request, "snapshots/detail.html", context)
