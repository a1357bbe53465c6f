from __future__ import annotations

import csv
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation import pace, quality
from annotation.models import Assignment, Round, RoundState
from webapp.accounts.access import project_view
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission
from webapp.screens.quality import plots

FORMULA = ("=", "+", "-", "@", "\t", "\r")
WORKED_ON = (RoundState.OPEN, RoundState.CLOSED)


@require_safe
@project_view(Permission.SEE_QUALITY)
def everyone(request: HttpRequest, project: Project) -> HttpResponse:
    rounds = list(Round.objects.of(project).filter(state__in=WORKED_ON).order_by("-number"))
    chosen = next((one for one in rounds if str(one.number) == request.GET.get("round")), None)
    assert isinstance(request.user, User)
    measured = quality.of_project(project, viewer=request.user, round=chosen)
    context = {
        "project": project,
        "rounds": rounds,
        "chosen": chosen,
        "rows": measured,
        "caught": plots.caught(measured),
        "repeated": plots.repeated(measured),
        "unchanged": plots.unchanged(measured),
        "words_per_minute": pace.WORDS_PER_MINUTE,
    }
    return render(request, "quality/everyone.html", context)


@require_safe
@project_view(Permission.REVIEW)
def mine(request: HttpRequest, project: Project) -> HttpResponse:
    """One's own figures. What was measured on the quiet is told of closed rounds only."""
    assert isinstance(request.user, User)
    own = quality.of_person(project, request.user)
    context = {
        "project": project,
        "own": own,
        "unchanged": plots.of_anchoring(own.anchoring) if own else "",
        "words_per_minute": pace.WORDS_PER_MINUTE,
    }
    return render(request, "quality/mine.html", context)


@require_safe
@project_view(Permission.SEE_QUALITY)
def hours(request: HttpRequest, project: Project) -> StreamingHttpResponse:
    """Active time as a table for the accounts: by reviewer, round and day."""
    response = StreamingHttpResponse(_lines(project), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="hours-{project.slug}.csv"'
    response["Cache-Control"] = "no-store"
    return response


class _Line:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line


def _lines(project: Project) -> Iterator[str]:
    writer = csv.writer(_Line(), lineterminator="\n")
    names = (
        _("reviewer"),
        _("account"),
        _("round"),
        _("day (UTC)"),
        _("items decided"),
        _("items skipped"),
        _("active hours"),
    )
    yield writer.writerow(names)
    for row in pace.hours(Assignment.objects.of(project)):
        yield writer.writerow(
            [
                plain(row["reviewer"]),
                plain(row["username"]),
                row["round"],
                row["day"].isoformat() if row["day"] else _("not decided yet"),
                row["decided"],
                row["skipped"],
                f"{row['active_ms'] / 3_600_000:.3f}",
            ]
        )


def plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(FORMULA) else text
