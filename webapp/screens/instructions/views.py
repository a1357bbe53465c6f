from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.models import RoundItem
from rubric_engine.models import Instruction, Response, RubricVersion
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, allowed, role_of
from webapp.screens.instructions.forms import NewPicture, NewTable, Search
from webapp.screens.instructions.reads import shown
from webapp.screens.paging import page


@require_safe
@project_view(Permission.SEE_INSTRUCTIONS)
def listing(request: HttpRequest, project: Project) -> HttpResponse:
    every = Instruction.objects.of(project)
    search = Search(request.GET)
    search.offer(
        specialties=list(
            every.exclude(specialty="").values_list("specialty", flat=True).distinct().order_by("specialty")
        ),
        sources=list(
            every.exclude(source_key="")
            .values_list("source_key", flat=True)
            .distinct()
            .order_by("source_key")
        ),
    )
    responses = (
        Response.objects.of(project)
        .filter(instruction=OuterRef("pk"))
        .order_by()
        .values("instruction")
        .annotate(n=Count("pk"))
    )
    rows = search.narrow(every, project).annotate(
        answers=Coalesce(Subquery(responses.values("n")), 0),
        source_rubric=Exists(
            RubricVersion.objects.of(project).filter(instruction=OuterRef("pk"), kind="source")
        ),
        in_round=Exists(RoundItem.objects.of(project).filter(instruction=OuterRef("pk"))),
    )
    found = page(rows, request.GET)
    return render(request, "instructions/list.html", {"page": found, "search": search, "project": project})


@require_safe
@project_view(Permission.SEE_INSTRUCTIONS)
def detail(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    changes = allowed(role_of(request.user, project), Permission.IMPORT_DATA)
    forms = {"picture_form": NewPicture(), "table_form": NewTable()} if changes else {}
    return render(request, "instructions/detail.html", {**shown(project, pk), **forms})
