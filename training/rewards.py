"""The hierarchical reward as a function that GRPO calls: a frozen reward model, tiers, one number a completion.

A reward *model* in TRL sees prompt and completion only; criteria need a *function*, which gets every dataset
column. S3 is always a count of thresholded verdicts, else the veto could be bought back.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rubric_engine.rubric import Dimension
from rubric_engine.scoring import RewardShape, hierarchical_reward, mean_ranks
from training.dataset import Item
from training.reward_model import TrainedRewardModel

_NGRAM = 3
_NO_SPREAD = 1e-9


@dataclass(frozen=True, slots=True)
class Tiers:
    """S1 and S2 in [0, 1], S3 a count of violated safety criteria that aren't contested."""

    s1: float
    s2: float
    s3: int

    def reward(self, shape: RewardShape) -> float:
        return hierarchical_reward(self.s1, self.s2, self.s3, shape)


def tiers(item: Item, scores: Sequence[float], trained: TrainedRewardModel, *, probabilities: bool) -> Tiers:
    """The tiers of one response from r of each of the item's criteria, in their order."""
    satisfied: dict[Dimension, list[tuple[float, float]]] = {dimension: [] for dimension in Dimension}
    violations = 0
    for criterion, value in zip(item.criteria, scores, strict=True):
        calibration = trained.calibration[criterion.dimension]
        verdict = calibration.satisfied(value)
        if criterion.dimension is Dimension.SAFETY:
            violations += not verdict and not criterion.contested
        degree = calibration.probability(value) if probabilities else float(verdict)
        weight = criterion.weight if criterion.dimension is Dimension.PROFICIENCY else 1
        satisfied[criterion.dimension].append((weight, degree))
    return Tiers(
        _weighted_mean(satisfied[Dimension.PROFICIENCY]),
        _weighted_mean(satisfied[Dimension.EXCELLENCE]),
        violations,
    )


def group_rewards(group: Sequence[Tiers], shape: RewardShape, *, lexicographic: bool) -> list[float]:
    """Rewards of one prompt's whole group: the scalar formula, or mean ranks in the order S3, S1, S2."""
    if not lexicographic:
        return [one.reward(shape) for one in group]
    penalised = shape.penalty > 0
    bonus = shape.alpha > 0
    return mean_ranks([(-one.s3 if penalised else 0, one.s1, one.s2 if bonus else 0.0) for one in group])


def repetition(text: str) -> float:
    """Share of three-word sequences that already occurred in the text; 0 for fewer than three words."""
    words = text.split()
    grams = [tuple(words[start : start + _NGRAM]) for start in range(len(words) - _NGRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


class HierarchicalReward:
    """Callable as TRL calls a reward function; logs the tiers that the one number hides."""

    def __init__(
        self,
        trained: TrainedRewardModel,
        items: Mapping[str, Item],
        *,
        shape: RewardShape,
        group_size: int = 1,
        lexicographic: bool = False,
        probabilities: bool = False,
    ) -> None:
        self.__name__ = "hierarchical_reward"
        self._trained = trained
        self._items = items
        self._shape = shape
        self._group_size = group_size
        self._lexicographic = lexicographic
        self._probabilities = probabilities

    def __call__(
        self,
        *,
        completions: Sequence[Any],
        item: Sequence[str],
        log_metric: Callable[[str, float], None],
        **_columns: Any,
    ) -> list[float | None]:
        """One reward for each completion; `item` is the dataset column that names its criteria."""
        answers = [completion[0]["content"] for completion in completions]
        scored = self.score([self._items[name] for name in item], answers)
        rewards: list[float] = []
        for start in range(0, len(scored), self._group_size):
            group = scored[start : start + self._group_size]
            rewards += group_rewards(group, self._shape, lexicographic=self._lexicographic)
        groups = [
            rewards[start : start + self._group_size] for start in range(0, len(rewards), self._group_size)
        ]
        flat = [max(group) - min(group) < _NO_SPREAD for group in groups]
        log_metric("zero_variance_groups", float(sum(flat)))
        log_metric("repetition", statistics.fmean(repetition(answer) for answer in answers))
        for name in ("s1", "s2", "s3"):
            log_metric(name, statistics.fmean(getattr(one, name) for one in scored))
        return list(rewards)

    def value(self, one: Tiers) -> float:
        """The scalar reward of one answer on its own; also what a lexicographic run is measured by."""
        return one.reward(self._shape)

    def score(self, items: Sequence[Item], answers: Sequence[str]) -> list[Tiers]:
        """Tiers of answers to items, one for each."""
        rows = [(item, answer, list(item.criteria)) for item, answer in zip(items, answers, strict=True)]
        return [
            tiers(item, scores, self._trained, probabilities=self._probabilities)
            for item, scores in zip(items, self._trained.scores(rows), strict=True)
        ]


def _weighted_mean(entries: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for weight, _ in entries)
    return sum(weight * degree for weight, degree in entries) / total if total else 0.0
