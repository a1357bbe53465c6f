"""The reward model's loss: Bradley–Terry over deciding criteria, cross-entropy over verdicts.

−log σ(r(x, y_w, c) − r(x, y_l, c)) (ProMedical, arXiv 2604.08326, section 5) plus `coefficient` × the binary
cross-entropy of σ(r) against *satisfied* (ours). An empty term is 0. Each term is a weighted mean over the
whole step, so that gradients summed over micro-batches are the step's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid


@dataclass(slots=True)
class Targets:
    """What the leaves of one micro-batch are trained on. Indices point into its scores.

    pairs: (chosen leaf, rejected leaf, weight). verdicts: (leaf, satisfied, weight).
    """

    pairs: list[tuple[int, int, float]] = field(default_factory=list)
    verdicts: list[tuple[int, bool, float]] = field(default_factory=list)

    @property
    def pair_weight(self) -> float:
        return sum(weight for *_, weight in self.pairs)

    @property
    def verdict_weight(self) -> float:
        return sum(weight for *_, weight in self.verdicts)


@dataclass(frozen=True, slots=True)
class LossParts:
    """This micro-batch's share of the step's loss, and its margins r(chosen) − r(rejected)."""

    loss: Tensor
    margins: Tensor


def combined_loss(
    scores: Tensor, targets: Targets, *, coefficient: float, pair_weight: float, verdict_weight: float
) -> LossParts:
    """The loss of one micro-batch; the weights are totals over the whole step (0: the term is empty)."""
    loss, margins = scores.sum() * 0.0, scores.new_zeros(0)
    if targets.pairs:
        chosen, rejected, weights = zip(*targets.pairs, strict=True)
        margins = scores[list(chosen)] - scores[list(rejected)]
        loss = loss - (scores.new_tensor(weights) * logsigmoid(margins)).sum() / pair_weight
    if targets.verdicts and coefficient:
        leaves, satisfied, weights = zip(*targets.verdicts, strict=True)
        entropy = binary_cross_entropy_with_logits(
            scores[list(leaves)], scores.new_tensor([float(label) for label in satisfied]), reduction="none"
        )
        loss = loss + coefficient * (scores.new_tensor(weights) * entropy).sum() / verdict_weight
    return LossParts(loss, margins.detach())


def accuracy(margins: Tensor) -> float:
    """Share of pairs with a positive margin; a tie counts one half. NaN for none."""
    return float(((margins > 0).float() + 0.5 * (margins == 0).float()).mean()) if len(margins) else torch.nan
