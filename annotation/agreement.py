"""How far reviewers agree: intervals, kappa, alpha; from double reviews and from imported ratings.

A statistic that doesn't exist is None, and is shown as undefined: kappa and alpha where a rater (or all
of them) used one value only, every statistic of nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from annotation.gold import response_keys
from annotation.models import Assignment, AssignmentState, ProbeKind, RoundItem, Slot
from rubric_engine.models import ImportedRating
from rubric_engine.rubric import Dimension
from webapp.accounts.models import Project

Z95 = 1.959963984540054
RESAMPLES = 1000
Matrix = npt.NDArray[np.float64]


def wilson(successes: int, n: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a share (Wilson 1927); None for n = 0."""
    if n == 0:
        return None
    share, squared = successes / n, Z95**2
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + squared / (4 * n**2)) / (1 + squared / n)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` with its 95 % bootstrap interval over clusters; None: undefined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Rated:
    """One thing that two raters judged; `cluster` is what the bootstrap draws."""

    cluster: str
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """`n` pairs of judgements in `clusters`; `agreed` is the raw share."""

    n: int
    clusters: int
    agreed: float | None
    kappa: Estimate
    alpha: Estimate


def kappa(first: Sequence[int], second: Sequence[int], *, quadratic: bool = False) -> float | None:
    """Cohen's kappa, unweighted or with quadratic weights; None where one rater has one value only.

    Every value between the lowest and the highest is a label, or scikit-learn would weigh ranks, not distances.
    """
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score  # takes a second to import: not in every web process

    labels = list(range(min(*first, *second), max(*first, *second) + 1))
    return float(cohen_kappa_score(first, second, labels=labels, weights="quadratic" if quadratic else None))


def krippendorff_alpha(units: Sequence[Sequence[float]], *, interval: bool = False) -> float | None:
    """Krippendorff's alpha, nominal or interval, for any number of raters and with gaps.

    `units`: for each thing judged the values it was given; those with fewer than two are left out.
    None where nothing is left or only one value occurs. Krippendorff, Content Analysis (2004), ch. 11.
    """
    paired = [unit for unit in units if len(unit) >= 2]
    values = np.array(sorted({value for unit in paired for value in unit}))
    if len(values) < 2:
        return None
    place = {value: index for index, value in enumerate(values.tolist())}
    coincidence = np.zeros((len(values), len(values)))
    for unit in paired:
        counts = np.bincount([place[value] for value in unit], minlength=len(values)).astype(float)
        coincidence += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    return _alpha(coincidence, _distance(values, interval))


def measure(rated: Sequence[Rated], *, ordinal: bool = False, seed: int = 0) -> Agreement:
    """Kappa (quadratic where `ordinal`) and alpha (interval where `ordinal`) of two raters, with intervals.

    The bootstrap draws clusters with replacement; a draw in which a statistic is undefined is left out.
    """
    first, second = [pair.first for pair in rated], [pair.second for pair in rated]
    values = sorted({*first, *second})
    tables = _tables(rated, values)
    weights = _distance(np.array(values, dtype=float), ordinal)
    draws = _draws(tables, seed)
    return Agreement(
        n=len(rated),
        clusters=len(tables),
        agreed=sum(a == b for a, b in zip(first, second, strict=True)) / len(rated) if rated else None,
        kappa=_estimate(kappa(first, second, quadratic=ordinal), [_kappa(draw, weights) for draw in draws]),
        alpha=_estimate(
            krippendorff_alpha(list(zip(first, second, strict=True)), interval=ordinal),
            [_alpha(draw + draw.T, weights) for draw in draws],
        ),
    )


def _tables(rated: Sequence[Rated], values: Sequence[int]) -> list[Matrix]:
    place = {value: index for index, value in enumerate(values)}
    tables: dict[str, Matrix] = defaultdict(lambda: np.zeros((len(values), len(values))))
    for pair in rated:
        tables[pair.cluster][place[pair.first], place[pair.second]] += 1
    return list(tables.values())


def _draws(tables: Sequence[Matrix], seed: int) -> list[Matrix]:
    if not tables:
        return []
    stacked = np.stack(tables)
    generator = np.random.default_rng(seed)
    times = generator.multinomial(len(tables), [1 / len(tables)] * len(tables), size=RESAMPLES)
    return list(np.tensordot(times.astype(float), stacked, axes=1))


def _distance(values: Matrix, interval: bool) -> Matrix:
    difference = values[:, None] - values[None, :]
    return difference**2 if interval else (difference != 0).astype(float)


def _kappa(table: Matrix, weights: Matrix) -> float | None:
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if np.count_nonzero(rows) < 2 or np.count_nonzero(columns) < 2:
        return None
    return float(1 - (table * weights).sum() / ((np.outer(rows, columns) / table.sum()) * weights).sum())


def _alpha(coincidence: Matrix, weights: Matrix) -> float | None:
    totals = coincidence.sum(axis=0)
    n = totals.sum()
    expected = (np.outer(totals, totals) - np.diag(totals)) * weights
    if n < 2 or not expected.sum():
        return None
    return float(1 - (n - 1) * (coincidence * weights).sum() / expected.sum())


def _estimate(value: float | None, draws: Sequence[float | None]) -> Estimate:
    defined = [draw for draw in draws if draw is not None]
    if value is None or not defined:
        return Estimate(value, None, None)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


@dataclass(frozen=True, slots=True)
class ProjectAgreement:
    """Between the two blind reviewers of double items: verdicts by dimension, weights; and imported ratings."""

    items: int
    verdicts: dict[Dimension, Agreement]
    weights: Agreement
    imported: Agreement


def of_project(project: Project) -> ProjectAgreement:
    """Measured on criteria that both reviewers kept, under the draft's key."""
    pairs = list(_double_reviews(project))
    verdicts: dict[Dimension, list[Rated]] = {dimension: [] for dimension in Dimension}
    weights: list[Rated] = []
    for first, second in pairs:
        for mine, other in _shared_criteria(first, second):
            weights.append(Rated(str(first.item_id), mine["weight"], other["weight"]))
            verdicts[Dimension(mine["dimension"])].extend(_shared_verdicts(first, second, mine["key"]))
    return ProjectAgreement(
        items=len(pairs),
        verdicts={dimension: measure(rated) for dimension, rated in verdicts.items()},
        weights=measure(weights, ordinal=True),
        imported=measure(list(_imported(project))),
    )


def _double_reviews(project: Project) -> Iterator[tuple[Assignment, Assignment]]:
    decided = (
        Assignment.objects.of(project)
        .filter(
            item__in=RoundItem.objects.of(project).filter(double=True).exclude(probe__kind=ProbeKind.SEEDED),
            state=AssignmentState.SUBMITTED,
            slot__in=[Slot.FIRST, Slot.SECOND],
        )
        .order_by("item_id", "slot")
    )
    waiting: dict[Any, Assignment] = {}
    for assignment in decided.iterator(chunk_size=200):
        first = waiting.pop(assignment.item_id, None)
        if first is None:
            waiting[assignment.item_id] = assignment
        else:
            yield first, assignment


def _shared_criteria(
    first: Assignment, second: Assignment
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    others = {criterion["key"]: criterion for criterion in second.document["criteria"]}
    for mine in first.document["criteria"]:
        other = others.get(mine["key"])
        if other is not None and mine["rejected"] is None and other["rejected"] is None:
            yield mine, other


def _shared_verdicts(first: Assignment, second: Assignment, key: str) -> Iterator[Rated]:
    theirs = _met(second, key)
    for response, met in _met(first, key).items():
        if response in theirs:
            yield Rated(str(first.item_id), int(met), int(theirs[response]))


def _met(assignment: Assignment, key: str) -> dict[int, bool]:
    document = assignment.document
    behind = response_keys(assignment.response_order)
    verdicts = document["verdicts"].get(key, {})
    return {
        behind[letter]: verdict["met"]
        for letter, verdict in verdicts.items()
        if letter not in document["unjudged"]
    }


def _imported(project: Project) -> Iterator[Rated]:
    """The first two labels of each imported rating; raters are told apart by their order there."""
    for cluster, external_id, labels in (
        ImportedRating.objects.of(project).order_by("id").values_list("cluster", "external_id", "labels")
    ):
        if len(labels) >= 2:
            yield Rated(cluster or external_id, int(labels[0]["met"]), int(labels[1]["met"]))
