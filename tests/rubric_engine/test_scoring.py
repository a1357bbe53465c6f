"""Protects the order and the reward: nothing good ever buys back a safety violation."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubric_engine.rubric import Criterion, Dimension, Polarity, Rubric
from rubric_engine.scoring import (
    IncompleteVerdicts,
    RewardShape,
    deciding_criteria,
    hierarchical_reward,
    mean_ranks,
    score,
)

DIMENSIONS = st.sampled_from(list(Dimension))
POLARITIES = st.sampled_from(list(Polarity))


@st.composite
def rubrics(draw: st.DrawFn) -> Rubric:
    shapes = draw(
        st.lists(st.tuples(DIMENSIONS, POLARITIES, st.integers(1, 5), st.booleans()), min_size=1, max_size=12)
    )
    return Rubric(
        tuple(
            Criterion(f"c{n}", dimension, f"Statement {n}", weight, polarity, contested)
            for n, (dimension, polarity, weight, contested) in enumerate(shapes)
        )
    )


@st.composite
def judged(draw: st.DrawFn, responses: int = 2) -> tuple[Rubric, list[dict[str, bool]]]:
    rubric = draw(rubrics())
    verdicts = [
        {criterion.key: draw(st.booleans()) for criterion in rubric.criteria} for _ in range(responses)
    ]
    return rubric, verdicts


@st.composite
def shapes(draw: st.DrawFn) -> RewardShape:
    alpha = draw(st.floats(0.01, 0.99))
    beta = draw(st.floats(0.01, 2.0))
    return RewardShape(alpha=alpha, beta=beta, penalty=1 + beta + draw(st.floats(0.01, 3.0)))


@given(POLARITIES, st.booleans())
def test_satisfied_and_met_are_each_others_inverse(polarity: Polarity, met: bool) -> None:
    criterion = Criterion("c", Dimension.SAFETY, "T", 3, polarity)
    assert criterion.met(satisfied=criterion.satisfied(met=met)) is met


@given(judged(responses=3))
def test_the_order_is_total_and_agrees_with_its_tiers(case: tuple[Rubric, list[dict[str, bool]]]) -> None:
    rubric, verdicts = case
    first, second, third = (score(rubric, given_ones) for given_ones in verdicts)
    assert (first < second) + (second < first) + first.ties(second) == 1
    if first < second and second < third:
        assert first < third
    if first.s3 != second.s3:
        assert (first < second) is (first.s3 > second.s3), "fewer violations win, whatever else holds"
    elif first.weighted != second.weighted:
        assert (first < second) is (first.weighted < second.weighted)


@given(judged(), st.randoms())
def test_turning_every_polarity_with_its_verdicts_changes_no_score(
    case: tuple[Rubric, list[dict[str, bool]]], random: object
) -> None:
    rubric, (verdicts, _) = case
    turned = {Polarity.MUST_HOLD: Polarity.MUST_NOT_HOLD, Polarity.MUST_NOT_HOLD: Polarity.MUST_HOLD}
    other = Rubric(
        tuple(
            Criterion(c.key, c.dimension, c.text, c.weight, turned[c.polarity], c.contested)
            for c in rubric.criteria
        )
    )
    assert score(other, {key: not met for key, met in verdicts.items()}) == score(rubric, verdicts)


@given(judged())
def test_deciding_criteria_are_those_that_one_satisfies_and_the_other_violates(
    case: tuple[Rubric, list[dict[str, bool]]],
) -> None:
    rubric, (first, second) = case
    decided = dict(deciding_criteria(rubric, first, second))
    for criterion in rubric.criteria:
        here, there = (
            criterion.satisfied(met=first[criterion.key]),
            criterion.satisfied(met=second[criterion.key]),
        )
        assert (criterion in decided) is (here != there)
        if criterion in decided:
            assert decided[criterion] is here


@given(judged())
def test_contested_safety_criteria_never_veto(case: tuple[Rubric, list[dict[str, bool]]]) -> None:
    rubric, (verdicts, _) = case
    contested = [c for c in rubric.criteria if c.dimension is Dimension.SAFETY and c.contested]
    worst = verdicts | {criterion.key: criterion.met(satisfied=False) for criterion in contested}
    assert score(rubric, worst).s3 == score(rubric, verdicts).s3


@given(rubrics())
def test_a_missing_verdict_gives_no_score(rubric: Rubric) -> None:
    verdicts = {criterion.key: True for criterion in rubric.criteria[1:]}
    with pytest.raises(IncompleteVerdicts) as caught:
        score(rubric, verdicts)
    assert caught.value.missing == (rubric.criteria[0].key,)


@given(
    shapes(),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 3),
    st.integers(1, 4),
)
def test_the_veto_is_never_bought_back(
    shape: RewardShape, s1: float, s2: float, other_s1: float, other_s2: float, violations: int, more: int
) -> None:
    safer = hierarchical_reward(s1, s2, violations, shape)
    worse = hierarchical_reward(other_s1, other_s2, violations + more, shape)
    assert safer > worse


@given(shapes(), st.floats(0, 1), st.floats(0, 1), st.integers(0, 4))
def test_the_reward_stays_within_its_bounds(
    shape: RewardShape, s1: float, s2: float, violations: int
) -> None:
    reward = hierarchical_reward(s1, s2, violations, shape)
    assert -shape.penalty * violations <= reward <= 1 + shape.beta - shape.penalty * violations


def test_the_clip_acts_where_alpha_exceeds_beta() -> None:
    shape = RewardShape(alpha=0.5, beta=0.2, penalty=1.5)
    assert hierarchical_reward(1.0, 1.0, 0, shape) == pytest.approx(1.2)
    assert hierarchical_reward(1.0, 0.3, 0, shape) == pytest.approx(1.15)


def test_the_clip_acts_where_s2_is_a_count() -> None:
    shape = RewardShape(alpha=0.2, beta=0.2, penalty=1.5)
    assert hierarchical_reward(1.0, 4, 0, shape) == pytest.approx(1.2)
    assert hierarchical_reward(1.0, 1.0, 0, shape) == pytest.approx(1.2), "α = β: met exactly at S2 = 1"


@pytest.mark.parametrize(
    ("alpha", "beta", "penalty"), [(0.2, 0.2, 1.2), (0.2, 0.5, 1.0), (0, 0.2, 2), (1, 0.2, 2), (0.2, 0, 2)]
)
def test_a_shape_that_lets_safety_be_bought_is_refused_unless_it_is_an_ablation(
    alpha: float, beta: float, penalty: float
) -> None:
    with pytest.raises(ValueError, match=r"alpha|lambda"):
        RewardShape(alpha=alpha, beta=beta, penalty=penalty)
    assert RewardShape(alpha=alpha, beta=beta, penalty=penalty, ablation=True).ablation


RANKS = st.tuples(
    st.integers(-3, 0), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])
)


@given(st.lists(RANKS, min_size=1, max_size=12))
def test_mean_ranks_order_a_group_as_its_tiers_do(group: list[tuple[int, float, float]]) -> None:
    rewards = mean_ranks(group)
    assert all(0 <= reward <= 1 for reward in rewards)
    assert sum(rewards) == pytest.approx(len(group) / 2)
    for (here, reward), (there, other) in itertools.combinations(zip(group, rewards, strict=True), 2):
        assert (reward < other) is (here < there)
        assert (reward == other) is (here == there)


def test_a_group_of_equals_has_no_variance() -> None:
    assert mean_ranks([(0, 0.5, 0.5)] * 4) == [0.5] * 4
