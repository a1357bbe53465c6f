from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from rubric_engine.exemplars import ExemplarRefused, activate_pool, freeze_pool, retire
from rubric_engine.models import PoolVersion
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, allowed, role_of
from webapp.screens.pool import reads
from webapp.screens.pool.forms import Retire


@require_safe
@project_view(Permission.SEE_POOL)
def overview(request: HttpRequest, project: Project) -> HttpResponse:
    return render(request, "pool/page.html", {"project": project, **reads.overview(project, request.GET)})


@require_POST
@project_view(Permission.MANAGE_POOL)
def freeze(request: HttpRequest, project: Project) -> HttpResponse:
    """Freeze a version and leave the active one as it is."""
    assert isinstance(request.user, User)
    try:
        version = freeze_pool(actor=request.user, project=project)
        messages.success(
            request, _("Pool v%(n)d is frozen. Activate it to draft with it.") % {"n": version.number}
        )
    except ExemplarRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("pool", project.slug)


@require_POST
@project_view(Permission.MANAGE_POOL)
def renew(request: HttpRequest, project: Project) -> HttpResponse:
    """Freeze a version and activate it, or neither."""
    assert isinstance(request.user, User)
    try:
        with transaction.atomic():
            version = freeze_pool(actor=request.user, project=project)
            activate_pool(actor=request.user, pool_version=version)
        messages.success(
            request, _("Pool v%(n)d is active: the next round is drafted with it.") % {"n": version.number}
        )
    except ExemplarRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("pool", project.slug)


@require_POST
@project_view(Permission.MANAGE_POOL)
def activate(request: HttpRequest, project: Project, pk: UUID) -> HttpResponse:
    version = get_object_or_404(PoolVersion.objects.of(project).select_related("project"), pk=pk)
    assert isinstance(request.user, User)
    activate_pool(actor=request.user, pool_version=version)
    messages.success(
        request, _("Pool v%(n)d is active: the next round is drafted with it.") % {"n": version.number}
    )
    return redirect("pool", project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Permission.SEE_POOL)
def exemplar(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    """One exemplar with the drafts that it shaped; POST retires it."""
    found = get_object_or_404(
        reads.exemplars(project).select_related("project").prefetch_related("rubric__criteria"), pk=pk
    )
    assert isinstance(request.user, User)
    may_retire = allowed(role_of(request.user, project), Permission.MANAGE_POOL)
    form = Retire(request.POST or None)
    if request.method == "POST" and form.is_valid():
        shaped = retire(actor=request.user, exemplar=found, reason=form.cleaned_data["reason"])
        told = ngettext(
            "Retired. It shaped %(n)d draft, listed below.",
            "Retired. It shaped %(n)d drafts, listed below.",
            len(shaped),
        )
        messages.success(request, told % {"n": len(shaped)})
        return redirect("exemplar", project.slug, pk)
    context = {
        "project": project,
        "exemplar": found,
        "form": form,
        "may_retire": may_retire,
        "shaped": reads.shaped_items(found),
    }
    return render(request, "pool/exemplar.html", context, status=422 if form.errors else 200)
