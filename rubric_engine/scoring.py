"""Scores, the lexicographic order, criterion pairs and the hierarchical reward.

Pure: no Django, no torch. Formulas: ProMedical (arXiv 2604.08326), sections 4 to 6 of our field guide.
Order compares integers only; floats are for display and for rewards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import total_ordering

from rubric_engine.rubric import Criterion, Dimension, Rubric

Verdicts = Mapping[str, bool]
"""criterion key → whether the statement was *met* by one response (before polarity)."""


class IncompleteVerdicts(ValueError):
    """Scores exist over complete verdicts only; `missing` names the criteria without one."""

    def __init__(self, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(f"{len(self.missing)} verdicts are missing: {', '.join(self.missing)}")


@total_ordering
@dataclass(frozen=True, slots=True)
class Score:
    """The three tiers of one response.

    violations: S3, violated safety criteria that aren't contested. weighted: Σ w·satisfied over
    proficiency, an integer, of `weight_total`. bonus: S2, satisfied excellence criteria, of `bonus_total`.
    """

    violations: int
    weighted: int
    weight_total: int
    bonus: int
    bonus_total: int

    @property
    def s1(self) -> float:
        """Proficiency in [0, 1]."""
        return self.weighted / self.weight_total

    @property
    def s2(self) -> float:
        """Excellence in [0, 1]; 0 where the rubric has no excellence criterion."""
        return self.bonus / self.bonus_total if self.bonus_total else 0.0

    @property
    def s3(self) -> int:
        return self.violations

    def _rank(self) -> tuple[int, int, int]:
        return (-self.violations, self.weighted, self.bonus)

    def __lt__(self, other: Score) -> bool:
        """Worse in the lexicographic order: more violations, then lower S1, then lower S2."""
        return self._rank() < other._rank()

    def ties(self, other: Score) -> bool:
        return self._rank() == other._rank()


def score(rubric: Rubric, verdicts: Verdicts) -> Score:
    """Score one response.

    Raises:
        IncompleteVerdicts: if any criterion of the rubric has no verdict.
        ZeroDivisionError: never; a rubric without proficiency is refused as invalid by its `Rubric` rules.
    """
    missing = [criterion.key for criterion in rubric.criteria if criterion.key not in verdicts]
    if missing:
        raise IncompleteVerdicts(missing)

    def satisfied(criterion: Criterion) -> bool:
        return criterion.satisfied(met=verdicts[criterion.key])

    proficiency = rubric.of(Dimension.PROFICIENCY)
    excellence = rubric.of(Dimension.EXCELLENCE)
    return Score(
        violations=sum(
            not satisfied(criterion) for criterion in rubric.of(Dimension.SAFETY) if not criterion.contested
        ),
        weighted=sum(criterion.weight for criterion in proficiency if satisfied(criterion)),
        weight_total=sum(criterion.weight for criterion in proficiency) or 1,
        bonus=sum(satisfied(criterion) for criterion in excellence),
        bonus_total=len(excellence),
    )


def deciding_criteria(rubric: Rubric, first: Verdicts, second: Verdicts) -> Iterator[tuple[Criterion, bool]]:
    """Criteria on which two responses differ, each with whether the first one satisfies it.

    A criterion without a verdict on both sides decides nothing. One response pair with K deciding
    criteria gives K training instances for Bradley–Terry.
    """
    for criterion in rubric.criteria:
        if (
            criterion.key in first
            and criterion.key in second
            and first[criterion.key] != second[criterion.key]
        ):
            yield criterion, criterion.satisfied(met=first[criterion.key])


@dataclass(frozen=True, slots=True)
class RewardShape:
    """The constants of r(y) = clip(S1 + α·S2, 0, 1 + β) − λ·S3.

    λ > 1 + β strictly: at equality the best unsafe answer ties the worst safe one. An ablation passes
    by that check on purpose, is marked, and is never promoted.
    """

    alpha: float = 0.2
    beta: float = 0.2
    penalty: float = 1.5
    ablation: bool = False

    def __post_init__(self) -> None:
        if self.ablation:
            return
        if not 0 < self.alpha < 1 or self.beta <= 0:
            raise ValueError(f"alpha {self.alpha} must lie in (0, 1) and beta {self.beta} above 0")
        if self.penalty <= 1 + self.beta:
            raise ValueError(
                f"lambda {self.penalty} must be strictly greater than 1 + beta = {1 + self.beta}: "
                "else an unsafe answer can tie or beat a safe one"
            )


def hierarchical_reward(s1: float, s2: float, s3: int, shape: RewardShape) -> float:
    """r(y) for one response; `s1` and `s2` in [0, 1], `s3` a count of violated safety criteria."""
    return min(max(s1 + shape.alpha * s2, 0.0), 1.0 + shape.beta) - shape.penalty * s3


def mean_ranks(ranks: Sequence[tuple[int, float, float]]) -> list[float]:
    """Lexicographic reward of a whole group: each (−S3, S1, S2) gets its rank in [0, 1], ties the mean rank.

    Shape: n tuples → n floats; a group of one gives [0.5].
    """
    ordered = sorted(ranks)
    last = len(ordered) - 1
    if last <= 0:
        return [0.5] * len(ordered)
    first = {rank: ordered.index(rank) for rank in set(ordered)}
    count = {rank: ordered.count(rank) for rank in set(ordered)}
    return [(first[rank] + (count[rank] - 1) / 2) / last for rank in ranks]
