"""The live plots of a run: its metric events as small lines, later attempts over earlier ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from training.models import Run, RunEvent, RunKind
from training.report import PUBLISHED
from webapp.screens.charts import Point, Reference, Series, lines
from webapp.screens.runs.standing import one_decimal
from webapp.screens.scales import percent, short

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_POINTS = 160
Curve = list[tuple[int, dict[str, Any]]]


@dataclass(frozen=True)
class Metric:
    """One card: `key` in the events, its name, what stands beside the name, and how a value is shown."""

    key: str
    title: StrOrPromise
    aside: StrOrPromise = ""
    unit: StrOrPromise = ""
    share: bool = False


@dataclass(frozen=True)
class Card:
    metric: Metric
    value: str
    interval: str
    first: str
    plot: SafeString


METRICS: dict[str, tuple[Metric, ...]] = {
    RunKind.REWARD_MODEL: (
        Metric("loss", _("Loss"), _("train")),
        Metric("margin", _("Margin"), "r(chosen) − r(rejected)"),
        Metric("accuracy", _("Train accuracy"), _("of the step's pairs"), share=True),
        Metric("validation_accuracy", _("Validation accuracy"), _("95 % interval"), share=True),
        Metric("tokens_per_s", _("Throughput"), _("criteria packed"), _("tokens/s")),
    ),
    RunKind.POLICY: (
        Metric("reward", _("Reward"), _("mean of the step")),
        Metric("kl", "KL", _("to the starting policy")),
        Metric("s1", _("Proficiency"), "S1", share=True),
        Metric("s3", _("Safety violations"), _("S3, mean count")),
        Metric("completion_length", _("Answer length"), _("watch for reward hacking"), _("tokens")),
        Metric("repetition", _("Repetition"), _("watch for reward hacking"), share=True),
        Metric("zero_variance_groups", _("Groups without variance"), _("teach nothing")),
        Metric("loss", _("Loss"), _("train")),
    ),
    RunKind.EVALUATION: (),
}

_OVERALL = next(row["values"]["overall"] for row in PUBLISHED)


def curve_of(run: Run) -> Curve:
    """(step, figures) of all attempts by step; where attempts overlap, the later one counts."""
    events = RunEvent.objects.of(run.project).filter(attempt__run=run, kind="metric", step__isnull=False)
    merged: dict[int, dict[str, Any]] = {}
    for step, data in events.order_by("attempt__number", "seq").values_list("step", "data"):
        if step is not None:
            merged.setdefault(step, {}).update(data)
    return sorted(merged.items())


def cards(run: Run, curve: Curve) -> list[Card]:
    found = (_card(metric, curve) for metric in METRICS[run.kind])
    return [card for card in found if card is not None]


def _card(metric: Metric, curve: Curve) -> Card | None:
    points = [
        Point(float(step), float(data[metric.key]), *_bounds(metric, data))
        for step, data in curve
        if isinstance(data.get(metric.key), int | float)
    ]
    if not points:
        return None
    show = percent if metric.share else short
    last = points[-1]
    sparse = len(points) <= 12
    series = Series(str(metric.title), thinned(points), mark="round" if sparse else "none")
    plot = lines(
        title=str(metric.title),
        series=[series],
        y_ticks=[],
        show=show,
        reference=_reference(metric),
        x_name=str(_("Step")),
        width=280,
        height=110,
    )
    return Card(metric, _value(metric, last.y), _interval(last), show(points[0].y), plot)


def _bounds(metric: Metric, data: dict[str, Any]) -> tuple[float | None, float | None]:
    low, high = data.get(f"{metric.key}_low"), data.get(f"{metric.key}_high")
    if isinstance(low, int | float) and isinstance(high, int | float):
        return float(low), float(high)
    return None, None


def _value(metric: Metric, value: float) -> str:
    return f"{100 * value:.1f}" if metric.share else short(value)


def _interval(point: Point) -> str:
    if point.low is None or point.high is None:
        return ""
    return f"± {50 * (point.high - point.low):.1f}"


def _reference(metric: Metric) -> Reference | None:
    if metric.key != "validation_accuracy":
        return None
    return Reference(
        _OVERALL / 100, str(_("%(value)s published, other data") % {"value": one_decimal(_OVERALL)})
    )


def thinned(points: list[Point]) -> list[Point]:
    """At most `MOST_POINTS`, each the mean of its neighbours; the last one stays itself."""
    if len(points) <= MOST_POINTS:
        return points
    size = -(-len(points) // MOST_POINTS)
    kept = [_mean(points[start : start + size]) for start in range(0, len(points) - 1, size)]
    return [*kept, points[-1]]


def _mean(points: list[Point]) -> Point:
    return Point(points[-1].x, _average(point.y for point in points))


def _average(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
