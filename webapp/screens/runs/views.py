from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from training import runs
from training.models import Run, RunKind
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, allowed, role_of
from webapp.screens.runs import reads, standing
from webapp.screens.runs.forms import NewRun


def _may_launch(request: HttpRequest, project: Project) -> bool:
    assert isinstance(request.user, User)
    return allowed(role_of(request.user, project), Permission.LAUNCH_RUNS)


def _run(project: Project, pk: UUID) -> Run:
    related = ("project", "snapshot", "reward_model", "evaluates", "created_by")
    return get_object_or_404(Run.objects.of(project).select_related(*related), pk=pk)


@require_safe
@project_view(Permission.SEE_RUNS)
def listing(request: HttpRequest, project: Project) -> HttpResponse:
    context = {"project": project, "may_launch": _may_launch(request, project), **reads.listing(project)}
    return render(request, "runs/list.html", context)


@require_safe
@project_view(Permission.SEE_RUNS)
def listing_live(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "runs/table.html", {"project": project, **reads.listing(project)})


def _launch_page(request: HttpRequest, project: Project, form: NewRun, *, status: int = 200) -> HttpResponse:
    context = {
        "project": project,
        "form": form,
        "kind": form.kind,
        "kinds": RunKind,
        **reads.choices(project, form.kind),
        **reads.launchable(project),
    }
    return render(request, "runs/new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Permission.LAUNCH_RUNS)
def new(request: HttpRequest, project: Project) -> HttpResponse:
    asked = request.GET.get("kind", "") or request.POST.get("kind", "")
    kind = RunKind(asked) if asked in RunKind.values else RunKind.REWARD_MODEL
    if request.method != "POST":
        initial = {
            name: request.GET[name]
            for name in ("snapshot", "reward_model", "evaluates")
            if name in request.GET
        }
        return _launch_page(request, project, NewRun(project=project, kind=kind, initial=initial))
    form = NewRun(request.POST, project=project, kind=kind)
    if not form.is_valid():
        return _launch_page(request, project, form, status=422)
    assert isinstance(request.user, User)
    try:
        run = runs.launch(actor=request.user, project=project, kind=kind, **form.asked())
    except runs.RunRefused as refusal:
        form.add_error(None, str(refusal))
        return _launch_page(request, project, form, status=422)
    return redirect("run", project.slug, run.pk)


def _shown(request: HttpRequest, project: Project, pk: UUID) -> dict[str, Any]:
    run = _run(project, pk)
    facts = {"facts": standing.made_from(run), "config_text": reads.config_text(run)}
    return {**reads.live(run), **facts, "may_launch": _may_launch(request, project)}


@require_safe
@project_view(Permission.SEE_RUNS)
def detail(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    return render(request, "runs/detail.html", _shown(request, project, pk))


@require_safe
@project_view(Permission.SEE_RUNS)
def live(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    return render(request, "runs/live.html", _shown(request, project, pk))


@require_safe
@project_view(Permission.SEE_RUNS)
def config(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    run = _run(project, pk)
    return HttpResponse(reads.config_text(run), content_type="application/json")


@require_POST
@project_view(Permission.LAUNCH_RUNS)
def cancel(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    run = _run(project, pk)
    assert isinstance(request.user, User)
    try:
        runs.cancel(actor=request.user, run=run)
        messages.info(request, _("r%(n)d stops at its next step and keeps a checkpoint.") % {"n": run.number})
    except runs.RunRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("run", project.slug, run.pk)


@require_POST
@project_view(Permission.LAUNCH_RUNS)
def resume(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    run = _run(project, pk)
    assert isinstance(request.user, User)
    try:
        runs.resume(actor=request.user, run=run)
    except runs.RunRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("run", project.slug, run.pk)
