from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation.agreement import Agreement
from annotation.models import Assignment, AssignmentState, Slot
from rubric_engine.rubric import Dimension
from webapp.accounts.access import project_view
from webapp.accounts.models import Project
from webapp.accounts.permissions import Permission
from webapp.screens.agreed import agreed, kappas

DISPUTES_SHOWN = 100


@require_safe
@project_view(Permission.SEE_AGREEMENT)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    measured = agreed(project)
    rows = [
        _row(_("Safety, met or not"), Dimension.SAFETY, measured.verdicts[Dimension.SAFETY]),
        _row(_("Proficiency, met or not"), Dimension.PROFICIENCY, measured.verdicts[Dimension.PROFICIENCY]),
        _row(_("Excellence, met or not"), Dimension.EXCELLENCE, measured.verdicts[Dimension.EXCELLENCE]),
        _row(_("Weights 1 to 5, quadratic"), None, measured.weights),
    ]
    context = {
        "project": project,
        "items": measured.items,
        "rows": rows,
        "imported": _row(_("Imported labels of two raters"), None, measured.imported)
        if measured.imported.n
        else None,
        "plot": kappas(measured) if measured.items else "",
        "disputes": _disputes(project),
    }
    return render(request, "agreement/page.html", context)


def _row(label: str, dimension: Dimension | None, found: Agreement) -> dict[str, Any]:
    return {"label": label, "dimension": dimension, "found": found}


def _disputes(project: Project) -> list[Assignment]:
    """Items that wait for a third reviewer, the oldest first."""
    waiting = Assignment.objects.of(project).filter(
        slot=Slot.ADJUDICATOR,
        state__in=[AssignmentState.OPEN, AssignmentState.DRAFT],
        item__round__state="open",
    )
    related = waiting.select_related("item__instruction", "item__round", "reviewer")
    return list(related.order_by("item__round__number", "item__position")[:DISPUTES_SHOWN])
