"""From scores to verdicts: Platt scaling per dimension, and the safety threshold.

P(satisfied) = σ(a·r + b), fitted on the validation split with Platt's smoothed targets (Platt 1999). A
temperature alone can't move a bias. A dimension with one class only is *undefined*: it keeps σ(r) and says so.
Torch-free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from rubric_engine.rubric import Dimension

_NEWTON_STEPS = 100
_RIDGE = 1e-6


@dataclass(frozen=True, slots=True)
class DimensionCalibration:
    """P(satisfied) = σ(slope·r + offset); a verdict is *satisfied* where r ≥ threshold."""

    slope: float = 1.0
    offset: float = 0.0
    threshold: float = 0.0
    n: int = 0
    undefined: str | None = "not calibrated"

    def probability(self, score: float) -> float:
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, self.slope * score + self.offset))))

    def satisfied(self, score: float) -> bool:
        return score >= self.threshold


@dataclass(frozen=True, slots=True)
class Calibration:
    """One calibration for each dimension."""

    dimensions: Mapping[Dimension, DimensionCalibration] = field(
        default_factory=lambda: {dimension: DimensionCalibration() for dimension in Dimension}
    )

    def __getitem__(self, dimension: Dimension) -> DimensionCalibration:
        return self.dimensions[dimension]

    def as_dict(self) -> dict[str, Any]:
        return {
            str(dimension): {
                "slope": one.slope,
                "offset": one.offset,
                "threshold": one.threshold,
                "n": one.n,
                "undefined": one.undefined,
            }
            for dimension, one in self.dimensions.items()
        }

    @classmethod
    def from_dict(cls, payload: Mapping[str, Any]) -> Self:
        return cls({Dimension(name): DimensionCalibration(**entry) for name, entry in payload.items()})


def calibrate(
    labelled: Mapping[Dimension, tuple[Sequence[float], Sequence[bool]]], *, safety_recall: float
) -> Calibration:
    """Fit every dimension on (scores, satisfied) of the validation split."""
    return Calibration(
        {
            dimension: _calibrate_one(
                *labelled.get(dimension, ((), ())),
                recall=safety_recall if dimension is Dimension.SAFETY else None,
            )
            for dimension in Dimension
        }
    )


def _calibrate_one(
    scores: Sequence[float], satisfied: Sequence[bool], *, recall: float | None
) -> DimensionCalibration:
    positives, n = sum(satisfied), len(satisfied)
    if positives in (0, n):
        only = "no labels" if not n else f"only {'satisfied' if positives else 'violated'} labels"
        return DimensionCalibration(n=n, undefined=f"{only} on the validation split")
    slope, offset = platt(scores, satisfied)
    if slope <= 0:
        return DimensionCalibration(n=n, undefined="scores do not rise with satisfaction on validation")
    threshold = -offset / slope
    if recall is not None:
        violated = [score for score, good in zip(scores, satisfied, strict=True) if not good]
        threshold = recall_threshold(violated, recall=recall)
    return DimensionCalibration(slope, offset, threshold, n, None)


def platt(scores: Sequence[float], satisfied: Sequence[bool]) -> tuple[float, float]:
    """Slope and offset by Newton's method with Platt's targets (N₊+1)/(N₊+2) and 1/(N₋+2)."""
    score = np.asarray(scores, dtype=float)
    label = np.asarray(satisfied, dtype=bool)
    positives = int(label.sum())
    target = np.where(label, (positives + 1) / (positives + 2), 1 / (len(label) - positives + 2))
    features = np.stack([score, np.ones_like(score)])
    weights = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(weights @ features, -50, 50)))
        gradient = features @ (probability - target) + _RIDGE * weights
        curvature = (features * (probability * (1 - probability))) @ features.T + _RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        weights = weights - step
        if float(np.abs(step).max()) < 1e-10:
            break
    return float(weights[0]), float(weights[1])


def recall_threshold(violated_scores: Sequence[float], *, recall: float) -> float:
    """The lowest threshold that calls at least `recall` of the violated "violated" (score < threshold)."""
    ordered = sorted(violated_scores)
    needed = math.ceil(recall * len(ordered) - 1e-9)
    return math.nextafter(ordered[max(needed, 1) - 1], math.inf)
