"""Protects the agreement figures: known values, equality with scikit-learn, and "undefined" where they don't exist."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from annotation import agreement, rounds
from annotation.agreement import Rated, krippendorff_alpha, measure, wilson
from annotation.models import Assignment
from rubric_engine.models import ImportedRating
from rubric_engine.rubric import Dimension
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, User

# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): four observers, twelve units, gaps as None.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
UNITS = [[value for value in unit if value is not None] for unit in zip(*OBSERVERS, strict=True)]
ratings = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=30)


def test_alpha_gives_the_published_values() -> None:
    assert krippendorff_alpha(UNITS) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(UNITS, interval=True) == pytest.approx(0.849, abs=5e-4)


def test_wilson_gives_known_intervals() -> None:
    assert wilson(95, 100) == pytest.approx((0.8882, 0.9785), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(0, 0) is None


@settings(max_examples=60, deadline=None)
@given(ratings, st.booleans())
def test_the_tables_of_the_bootstrap_give_the_kappa_and_alpha_of_the_libraries(
    pairs: list[tuple[int, int]], ordinal: bool
) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assume(len(set(first)) > 1 and len(set(second)) > 1)
    values = sorted({*first, *second})
    (table,) = agreement._tables([Rated("x", a, b) for a, b in pairs], values)
    weights = agreement._distance(np.array(values, dtype=float), ordinal)
    expected = cohen_kappa_score(first, second, weights="quadratic" if ordinal else None, labels=range(1, 6))
    assert agreement._kappa(table, weights) == pytest.approx(expected)
    assert agreement.kappa(first, second, quadratic=ordinal) == pytest.approx(expected)
    assert agreement._alpha(table + table.T, weights) == pytest.approx(
        krippendorff_alpha(pairs, interval=ordinal)
    )


def test_quadratic_kappa_counts_distances_not_ranks_of_the_values_that_occur() -> None:
    first, second = [1, 5, 1, 5, 4], [1, 5, 5, 5, 1]
    expected = cohen_kappa_score(first, second, weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert agreement.kappa(first, second, quadratic=True) == pytest.approx(expected)


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
