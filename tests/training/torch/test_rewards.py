"""Protects the hierarchical reward that GRPO sees, against hand computations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from rubric_engine.rubric import Criterion, Dimension
from rubric_engine.scoring import RewardShape
from training.calibration import Calibration
from training.configs import GrpoConfig, InvalidConfig, from_preset
from training.dataset import Item
from training.reward_model import TrainedRewardModel
from training.rewards import HierarchicalReward, Tiers, group_rewards, repetition

CRITERIA = (
    Criterion("p1", Dimension.PROFICIENCY, "One.", weight=3),
    Criterion("p2", Dimension.PROFICIENCY, "Two.", weight=1),
    Criterion("e", Dimension.EXCELLENCE, "Kind."),
    Criterion("s", Dimension.SAFETY, "Safe."),
)
ITEM = Item("i", "Question", CRITERIA, {}, {}, "cluster")
SHAPE = RewardShape(alpha=0.2, beta=0.2, penalty=1.5)


@dataclass
class _Scripted:
    answers: dict[str, list[float]]
    calibration: Calibration = field(default_factory=Calibration)

    def scores(self, rows: Sequence[tuple[Item, str, Sequence[Criterion]]]) -> list[list[float]]:
        return [self.answers[answer] for _, answer, _ in rows]


ANSWERS = {
    "best": [5.0, 5.0, 5.0, 5.0],
    "plain": [5.0, -5.0, -5.0, 5.0],
    "unsafe": [5.0, 5.0, 5.0, -5.0],
}


def _reward(item: Item = ITEM, **fields: object) -> HierarchicalReward:
    trained: TrainedRewardModel = _Scripted(ANSWERS)  # type: ignore[assignment]
    return HierarchicalReward(trained, {item.id: item}, shape=SHAPE, group_size=3, **fields)  # type: ignore[arg-type]


def _call(reward: HierarchicalReward, answers: list[str]) -> tuple[list[float | None], dict[str, float]]:
    logged: dict[str, float] = {}
    values = reward(
        completions=[[{"role": "assistant", "content": answer}] for answer in answers],
        item=["i"] * len(answers),
        log_metric=logged.__setitem__,
        prompts=[],
    )
    return values, logged


def test_scalar_reward_equals_the_formula_by_hand() -> None:
    values, logged = _call(_reward(), ["best", "plain", "unsafe"])
    assert values == pytest.approx([1.2, 0.75, 1.2 - 1.5])
    assert logged["s1"] == pytest.approx((1 + 0.75 + 1) / 3)
    assert logged["s2"] == pytest.approx(2 / 3)
    assert logged["s3"] == pytest.approx(1 / 3)
    assert logged["zero_variance_groups"] == 0


def test_the_best_unsafe_answer_is_below_the_worst_safe_one() -> None:
    assert Tiers(1.0, 1.0, 1).reward(SHAPE) < Tiers(0.0, 0.0, 0).reward(SHAPE)


def test_probabilities_soften_s1_and_s2_and_never_the_veto() -> None:
    values, _ = _call(_reward(probabilities=True), ["unsafe", "best", "plain"])
    sure = 1 / (1 + math.exp(-5))
    assert values[0] == pytest.approx(sure + 0.2 * sure - 1.5)


def test_the_clip_acts_when_alpha_is_above_beta() -> None:
    shape = RewardShape(alpha=0.5, beta=0.2, penalty=1.5)
    assert Tiers(1.0, 1.0, 0).reward(shape) == pytest.approx(1.2)
    assert Tiers(0.5, 1.0, 0).reward(shape) == pytest.approx(1.0)


def test_the_clip_does_not_act_when_alpha_is_not_above_beta() -> None:
    assert Tiers(1.0, 1.0, 0).reward(SHAPE) == pytest.approx(1 + SHAPE.alpha)


def test_a_group_of_equal_answers_is_counted_as_without_variance() -> None:
    _, logged = _call(_reward(), ["plain", "plain", "plain"])
    assert logged["zero_variance_groups"] == 1


def test_lexicographic_reward_ranks_within_the_group_with_mean_ranks() -> None:
    values, _ = _call(_reward(lexicographic=True), ["unsafe", "best", "best"])
    assert values == pytest.approx([0.0, 0.75, 0.75])


def test_lexicographic_order_lets_no_bonus_outweigh_proficiency() -> None:
    group = [Tiers(0.5, 1.0, 0), Tiers(0.6, 0.0, 0)]
    assert group_rewards(group, SHAPE, lexicographic=True) == [0.0, 1.0]
    scalar = group_rewards(group, SHAPE, lexicographic=False)
    assert scalar[0] > scalar[1]


def test_a_contested_safety_criterion_does_not_veto() -> None:
    contested = replace(ITEM, criteria=(*CRITERIA[:3], replace(CRITERIA[3], contested=True)))
    values, logged = _call(_reward(contested), ["unsafe", "unsafe", "unsafe"])
    assert logged["s3"] == 0
    assert values[0] == pytest.approx(1.2)


def test_lambda_at_or_below_one_plus_beta_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="strictly greater"):
        from_preset("embedded-grpo", snapshot_dir="s", reward_model_dir="r", penalty=1.2)


def test_the_no_veto_ablation_passes_by_the_check_and_is_marked() -> None:
    config = from_preset("embedded-grpo", snapshot_dir="s", reward_model_dir="r", ablation="no_veto")
    assert isinstance(config, GrpoConfig)
    assert config.shape().ablation
    assert Tiers(1.0, 0.0, 3).reward(config.shape()) == pytest.approx(1.0)


def test_repetition_is_the_share_of_repeated_word_triples() -> None:
    assert repetition("rest rest rest rest") == pytest.approx(0.5)
    assert repetition("rest and drink water") == 0.0
    assert repetition("rest") == 0.0
