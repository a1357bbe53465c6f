"""Protects the intervals: resampled by instruction cluster, and undefined where nothing can be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import bootstrap

OBSERVATIONS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from([0.0, 0.5, 1.0])), min_size=1)


@given(observations=OBSERVATIONS)
def test_the_mean_lies_in_its_interval(observations: list[tuple[str, float]]) -> None:
    figure = bootstrap.mean(observations, samples=200, nothing="none")
    assert figure.value == pytest.approx(sum(value for _, value in observations) / len(observations))
    assert figure.n == len(observations)
    if figure.low is not None and figure.high is not None:
        assert 0 <= figure.low <= figure.high <= 1


def test_copies_within_a_cluster_do_not_narrow_the_interval() -> None:
    few = [(f"c{number}", float(number % 2)) for number in range(10)]
    many = [row for row in few for _ in range(50)]
    narrow = bootstrap.mean(
        [(f"d{index}", value) for index, (_, value) in enumerate(many)], samples=500, nothing=""
    )
    once, copied = (bootstrap.mean(rows, samples=500, nothing="") for rows in (few, many))
    assert (copied.low, copied.high) == (once.low, once.high)
    assert narrow.low is not None
    assert once.low is not None
    assert narrow.low > once.low


def test_one_cluster_has_a_value_and_no_interval() -> None:
    figure = bootstrap.mean([("a", 1.0), ("a", 0.0)], samples=200, nothing="none")
    assert (figure.value, figure.low, figure.high) == (0.5, None, None)
    assert figure.undefined == "no interval: one instruction cluster only"


def test_nothing_is_undefined_with_its_reason() -> None:
    assert bootstrap.mean([], samples=200, nothing="no pairs").undefined == "no pairs"


@pytest.mark.parametrize(
    ("counts", "precision", "recall", "f1"),
    [
        ((3.0, 1.0, 2.0), 0.75, 0.6, 2 / 3),
        ((0.0, 0.0, 2.0), None, 0.0, None),
        ((0.0, 1.0, 0.0), 0.0, None, None),
        ((0.0, 0.0, 0.0), None, None, None),
        ((0.0, 1.0, 1.0), 0.0, 0.0, 0.0),
    ],
)
def test_precision_recall_and_f1_of_nothing_over_nothing_are_undefined(
    counts: tuple[float, float, float], precision: float | None, recall: float | None, f1: float | None
) -> None:
    rows = [("a", counts)]
    values = [
        bootstrap.of_sums(rows, statistic, samples=200, undefined="0 / 0").value
        for statistic in (bootstrap.precision, bootstrap.recall, bootstrap.f1)
    ]
    assert values == [pytest.approx(want) if want is not None else None for want in (precision, recall, f1)]
