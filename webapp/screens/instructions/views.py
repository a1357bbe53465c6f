from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotation.models import RoundItem
from rubric_engine.models import Instruction, Response, RubricVersion
from webapp.accounts.access import project_view
from webapp.accounts.models import Project
from webapp.accounts.permissions import Permission
from webapp.screens.instructions.forms import Search
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
    shown = page(rows, request.GET)
    return render(request, "instructions/list.html", {"page": shown, "search": search, "project": project})


@require_safe
@project_view(Permission.SEE_INSTRUCTIONS)
def detail(request: HttpRequest, project: Project, pk: int) -> HttpResponse:
    rubrics = RubricVersion.objects.of(project).prefetch_related("criteria").order_by("pk")
    items = RoundItem.objects.of(project).select_related("round").order_by("round__number")
    instruction = get_object_or_404(
        Instruction.objects.of(project).prefetch_related(
            "responses", Prefetch("rubrics", queryset=rubrics), Prefetch("round_items", queryset=items)
        ),
        pk=pk,
    )
    return render(request, "instructions/detail.html", {"instruction": instruction, "project": project})
