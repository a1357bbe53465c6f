from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from webapp.accounts.access import project_view
from webapp.accounts.models import Project
from webapp.accounts.permissions import Permission
from webapp.screens.agreed import agreed, kappas
from webapp.screens.agreement.reads import Row, groups, plot, rows


@require_safe
@project_view(Permission.SEE_AGREEMENT)
def page(request: HttpRequest, project: Project) -> HttpResponse:
    measured = agreed(project)
    specialties = groups(measured.by_specialty, unnamed=_("no specialty"))
    pairs = groups(measured.by_pair, unnamed=_("former reviewers"))
    themes = groups(measured.imported_by_theme, unnamed=_("no theme"))
    context = {
        "project": project,
        "items": measured.items,
        "rows": rows(measured),
        "imported": Row(_("Imported labels"), measured.imported) if measured.imported.n else None,
        "plot": kappas(measured) if measured.items else "",
        "groups": [
            (_("By specialty"), "specialty", specialties, plot(_("κ by specialty"), specialties)),
            (_("By pair of reviewers"), "pair", pairs, plot(_("κ by pair of reviewers"), pairs)),
            (
                _("Imported labels, by theme"),
                "theme",
                themes,
                plot(_("κ of imported labels by theme"), themes),
            ),
        ],
        "disputed": measured.disputed,
    }
    return render(request, "agreement/page.html", context)
