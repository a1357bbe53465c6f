"""The dashboard's two plots: drafts accepted by round, and agreement by dimension."""

from __future__ import annotations

from django.core.cache import cache
from django.db.models import Count, Max
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from annotation import agreement
from annotation.agreement import wilson
from annotation.models import Assignment, AssignmentState, Round
from annotation.rounds import PassRates
from rubric_engine.rubric import Dimension
from webapp.accounts.models import Project
from webapp.screens.charts import Interval, Point, Reference, Series, coefficient, intervals, lines, percent

MARKS = {Dimension.SAFETY: "diamond", Dimension.PROFICIENCY: "round", Dimension.EXCELLENCE: "triangle"}
PUBLISHED_KAPPA = 0.88
KEPT_FOR_S = 3600


def accepted(closed: list[Round], open_round: tuple[int, PassRates] | None = None) -> SafeString:
    """Strict and minor pass rates of the closed rounds with Wilson bands; of the open one, open marks."""
    shown = [(one.number, one.reviewed, one.strict_passes or 0, one.minor_passes or 0, True) for one in closed if one.reviewed]
    if open_round and open_round[1].reviewed:
        number, rates = open_round
        shown.append((number, rates.reviewed, rates.strict, rates.minor, False))
    if not shown:
        return SafeString("")
    series = [
        _rates(_("minor"), "proficiency", [(number, n, minor, final) for number, n, _s, minor, final in shown]),
        _rates(_("strict"), "excellence", [(number, n, strict, final) for number, n, strict, _m, final in shown]),
    ]
    ticks = [
        (float(number), (_("Round %(n)d") if final else _("Round %(n)d, open")) % {"n": number})
        for number, *_rest, final in shown
    ]
    return lines(
        title=_("Drafts accepted, by round"),
        series=series,
        x_ticks=ticks,
        y_range=(0, 1),
        y_ticks=(0, 0.25, 0.5, 0.75, 1),
        show=percent,
        reference=Reference(0.95, _("95 %: converged")),
        x_name=_("Round"),
        x_padding=0.45 if len(shown) == 1 else 0.25,
    )


def _rates(name: str, tone: str, rounds: list[tuple[int, int, int, bool]]) -> Series:
    points = []
    for number, n, passes, final in rounds:
        low, high = wilson(passes, n) or (None, None)
        points.append(Point(number, passes / n, low, high, final, str(number)))
    return Series(name, points, tone, label=f"{name} {percent(points[-1].y)}")


def agreed(project: Project) -> agreement.ProjectAgreement:
    """Agreement between blind reviewers, measured anew when another double review is done."""
    seen = (
        Assignment.objects.of(project)
        .filter(item__double=True, state=AssignmentState.SUBMITTED)
        .aggregate(n=Count("pk"), last=Max("submitted_at"))
    )
    stamp = seen["last"].timestamp() if seen["last"] else 0
    key = f"agreement:{project.pk}:{seen['n']}:{stamp}"
    found: agreement.ProjectAgreement = cache.get_or_set(key, lambda: agreement.of_project(project), KEPT_FOR_S)
    return found


def kappas(measured: agreement.ProjectAgreement) -> SafeString:
    names = {
        Dimension.SAFETY: _("Safety"),
        Dimension.PROFICIENCY: _("Proficiency"),
        Dimension.EXCELLENCE: _("Excellence"),
    }
    rows = [
        Interval(
            names[dimension],
            found.kappa.value,
            found.kappa.low,
            found.kappa.high,
            dimension.value,
            MARKS[dimension],
            _("n = %(n)d") % {"n": found.n}
            if found.kappa.value is not None
            else _("undefined, n = %(n)d") % {"n": found.n},
        )
        for dimension, found in measured.verdicts.items()
    ]
    lowest = min((row.low for row in rows if row.low is not None), default=0.0)
    return intervals(
        title=_("Agreement between blind reviewers"),
        rows=rows,
        x_range=(min(0.0, lowest), 1.0),
        x_ticks=(0.0, 0.25, 0.5, 0.75),
        show=coefficient,
        reference=Reference(PUBLISHED_KAPPA, _(".88, published")),
    )
