"""Protects the agreement figures: known values, equality with scikit-learn, and "undefined" where they don't exist."""

from __future__ import annotations

import gzip
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from annotation import agreement, rounds
from annotation.coefficients import (
    Rated,
    alpha,
    alpha_ordinal,
    coincidences_of,
    distance,
    measure,
    nominal,
    wilson,
)
from annotation.models import Assignment
from rubric_engine.models import ImportedRating
from rubric_engine.rubric import Dimension
from tests import cast
from tests.annotation.desk import Desk
from tests.shared_data import require_shared_data
from webapp.accounts.models import Project, User

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): four observers, twelve units, gaps as None.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = [[value for value in unit if value is not None] for unit in zip(*OBSERVERS, strict=True)]
VALUES = [1, 2, 3, 4, 5]
ratings = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=30)


def by_definition(units: list[list[int]], level: str) -> float:
    """Alpha as Krippendorff writes it, over all pairs of values; slow, and shares no code with ours."""
    paired = [unit for unit in units if len(unit) > 1]
    flat = [value for unit in paired for value in unit]
    counts = Counter(flat)

    def delta(c: int, k: int) -> float:
        if level == "nominal":
            return float(c != k)
        between = sum(counts[g] for g in counts if min(c, k) <= g <= max(c, k))
        return float((between - (counts[c] + counts[k]) / 2) ** 2)

    observed = sum(
        delta(c, k) / (len(unit) - 1)
        for unit in paired
        for i, c in enumerate(unit)
        for j, k in enumerate(unit)
        if i != j
    )
    expected = sum(delta(c, k) for i, c in enumerate(flat) for j, k in enumerate(flat) if i != j)
    return 1 - (len(flat) - 1) * observed / expected


def test_alpha_gives_the_published_values() -> None:
    table = coincidences_of(UNITS, VALUES)
    scale = np.array(VALUES, dtype=float)
    assert float(alpha(table, weights=nominal(scale))) == pytest.approx(0.743, abs=5e-4)
    assert float(alpha_ordinal(table)) == pytest.approx(0.815, abs=5e-4)
    assert float(alpha(table, weights=distance(scale) ** 2)) == pytest.approx(0.849, abs=5e-4)


def test_wilson_gives_known_intervals() -> None:
    assert wilson(95, 100) == pytest.approx((0.8882, 0.9785), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) is None


@settings(max_examples=80, deadline=None)
@given(ratings)
def test_kappa_is_scikit_learns_in_all_three_weightings(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assume(len(set(first)) > 1 and len(set(second)) > 1)
    found = measure([Rated(str(place), *pair) for place, pair in enumerate(pairs)])
    for weights, estimate in ((None, found.kappa), ("linear", found.linear), ("quadratic", found.quadratic)):
        expected = cohen_kappa_score(first, second, weights=weights, labels=range(1, 6))
        assert estimate.value == pytest.approx(expected)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(st.integers(1, 5), min_size=2, max_size=4), min_size=2, max_size=20))
def test_alpha_is_that_of_its_definition_pair_by_pair(units: list[list[int]]) -> None:
    values = sorted({value for unit in units for value in unit})
    assume(len(values) > 1)
    table = coincidences_of(units, values)
    for level, found in (
        ("nominal", alpha(table, weights=nominal(np.array(values, dtype=float)))),
        ("ordinal", alpha_ordinal(table)),
    ):
        assert float(found) == pytest.approx(by_definition(units, level))


def test_the_shared_label_agreement_gives_the_numbers_of_the_libraries() -> None:
    path = require_shared_data() / "label_agreement.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        labels = [[int(label["met"]) for label in json.loads(line)["labels"]] for line in lines]
    rated = [
        Rated(str(place), one[0], one[1], tuple(one[2:])) for place, one in enumerate(labels) if len(one) > 1
    ]
    found = measure(rated)
    assert found.n == len(rated) > 50
    assert found.kappa.value == pytest.approx(
        cohen_kappa_score([one.first for one in rated], [one.second for one in rated])
    )
    assert found.alpha.value == pytest.approx(
        by_definition([one for one in labels if len(one) > 1], "nominal")
    )
    krippendorff = pytest.importorskip("krippendorff", reason="GPL, optional: see docs/dependencies.md")
    data = [
        [one[rater] if rater < len(one) else np.nan for one in labels]
        for rater in range(max(map(len, labels)))
    ]
    assert found.alpha.value == pytest.approx(krippendorff.alpha(data, level_of_measurement="nominal"))


def test_weighted_kappa_counts_distances_not_ranks_of_the_values_that_occur() -> None:
    first, second = [1, 5, 1, 5, 4], [1, 5, 5, 5, 1]
    expected = cohen_kappa_score(first, second, weights="quadratic", labels=[1, 2, 3, 4, 5])
    rated = [Rated(str(place), *pair) for place, pair in enumerate(zip(first, second, strict=True))]
    assert measure(rated).quadratic.value == pytest.approx(expected)


def test_one_value_only_is_undefined_and_perfect_agreement_is_one() -> None:
    constant = measure([Rated(str(number), 1, number % 2) for number in range(10)])
    assert constant.kappa.value is None
    assert constant.alpha.value is not None
    assert measure([Rated("a", 1, 1), Rated("b", 1, 1)]).alpha.value is None
    perfect = measure([Rated(str(number), number % 2, number % 2) for number in range(10)])
    assert (perfect.kappa.value, perfect.alpha.value, perfect.agreed) == (1.0, 1.0, 1.0)


def test_nothing_gives_nothing() -> None:
    empty = measure([])
    assert (empty.n, empty.agreed, empty.kappa.value, empty.alpha.low) == (0, None, None, None)


def test_the_interval_is_reproducible_and_holds_the_value() -> None:
    rated = [Rated(str(number // 3), number % 2, (number // 2) % 2 or number % 2) for number in range(90)]
    once, again = measure(rated, seed=4), measure(rated, seed=4)
    assert once == again
    assert once.clusters == 30
    assert once.kappa.low is not None
    assert once.kappa.value is not None
    assert once.kappa.high is not None
    assert once.kappa.low < once.kappa.value < once.kappa.high


def test_clusters_are_drawn_whole() -> None:
    """The same pair ten times in one cluster says no more than once: the interval stays as wide."""
    pairs = [(0, 0), (1, 1), (0, 1), (1, 1), (0, 0), (1, 0), (1, 1), (0, 0)]
    single = measure([Rated(str(place), *pair) for place, pair in enumerate(pairs)])
    tenfold = measure([Rated(str(place), *pair) for place, pair in enumerate(pairs) for _ in range(10)])
    assert tenfold.kappa.low == pytest.approx(single.kappa.low)
    assert tenfold.n == 10 * single.n


def test_double_reviews_give_agreement_by_dimension_under_each_ones_own_letters(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = cast.make_round(project, lead, items=4, responses=3, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    for user in (ada, ben):
        desk = Desk(user)
        while desk.claim(round):
            assignment = Assignment.rows.get(pk=desk.item["id"])
            low = min(assignment.response_order)
            for criterion in desk.item["draft"]["criteria"]:
                for letter, response in zip("ABC", assignment.response_order, strict=True):
                    met = response == low
                    if criterion["key"] == "p1" and user == ben:
                        met = not met
                    desk.do("set_verdict", key=criterion["key"], response=letter, met=met)
            if user == ben:
                desk.do("reject", key="e1", reason="")
                desk.do("set_weight", key="s1", weight=4)
            desk.do("accept")
    found = agreement.of_project(project)
    assert found.items == 4
    assert found.verdicts[Dimension.SAFETY].kappa.value == 1.0
    assert found.verdicts[Dimension.SAFETY].n == 4 * 2 * 3
    assert found.verdicts[Dimension.PROFICIENCY].agreed == 0.5
    assert found.verdicts[Dimension.EXCELLENCE].n == 0
    assert found.weights.n == 4 * 4
    assert found.weights.agreed == 0.75
    assert [group.n for group in found.by_pair.values()] == [found.overall.n]
    assert sum(group.n for group in found.by_specialty.values()) == found.overall.n
    assert found.disputed[0].verdicts == (0, 3)  # the safety statement: its weight alone
    assert {(one.text[:5], one.rejected) for one in found.disputed if one.rejected} == {("Ackno", True)}
    assert max(one.verdicts for one in found.disputed) == (3, 3)


def test_imported_ratings_are_measured_beside(project: Project) -> None:
    for number in range(6):
        ImportedRating.rows.create(
            project=project,
            external_id=str(number),
            criterion="x",
            labels=[{"by": "a", "met": number % 2 == 0}, {"by": "b", "met": number % 3 == 0}],
        )
    ImportedRating.rows.create(
        project=project, external_id="one", criterion="x", labels=[{"by": "a", "met": True}]
    )
    imported = agreement.of_project(project).imported
    assert imported.n == 6
    assert imported.kappa.value is not None
