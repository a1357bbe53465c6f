"""The dashboard's plot of drafts accepted, by round."""

from __future__ import annotations

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from annotation.agreement import wilson
from annotation.models import Round
from annotation.rounds import PassRates
from webapp.screens.charts import Point, Reference, Series, lines
from webapp.screens.scales import percent


def accepted(closed: list[Round], open_round: tuple[int, PassRates] | None = None) -> SafeString:
    """Strict and minor pass rates of the closed rounds with Wilson bands; of the open one, open marks."""
    shown = [
        (one.number, one.reviewed, one.strict_passes or 0, one.minor_passes or 0, True)
        for one in closed
        if one.reviewed
    ]
    if open_round and open_round[1].reviewed:
        number, rates = open_round
        shown.append((number, rates.reviewed, rates.strict, rates.minor, False))
    if not shown:
        return SafeString("")
    series = [
        _rates(
            _("minor"), "proficiency", [(number, n, minor, final) for number, n, _s, minor, final in shown]
        ),
        _rates(
            _("strict"), "excellence", [(number, n, strict, final) for number, n, strict, _m, final in shown]
        ),
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
