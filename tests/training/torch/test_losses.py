"""Protects the reward model's loss against hand computations."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses import Targets, accuracy, combined_loss


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_loss_is_bradley_terry_plus_half_cross_entropy() -> None:
    scores = torch.tensor([2.0, 0.5, -1.0])
    targets = Targets(pairs=[(0, 1, 1.0), (2, 1, 1.0)], verdicts=[(0, True, 1.0), (2, False, 1.0)])
    loss = combined_loss(scores, targets, coefficient=0.5, pair_weight=2.0, verdict_weight=2.0).loss
    ranking = -(math.log(_sigmoid(1.5)) + math.log(_sigmoid(-1.5))) / 2
    entropy = -(math.log(_sigmoid(2.0)) + math.log(1 - _sigmoid(-1.0))) / 2
    assert float(loss) == pytest.approx(ranking + 0.5 * entropy, abs=1e-6)


def test_weights_make_weighted_means() -> None:
    scores = torch.tensor([1.0, 0.0])
    targets = Targets(pairs=[(0, 1, 3.0), (1, 0, 1.0)])
    loss = combined_loss(scores, targets, coefficient=0.5, pair_weight=4.0, verdict_weight=0.0).loss
    expected = -(3 * math.log(_sigmoid(1.0)) + math.log(_sigmoid(-1.0))) / 4
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_an_empty_term_is_zero() -> None:
    scores = torch.tensor([1.0, 0.0], requires_grad=True)
    parts = combined_loss(scores, Targets(), coefficient=0.5, pair_weight=0.0, verdict_weight=0.0)
    assert float(parts.loss.detach()) == 0.0
    parts.loss.backward()


def test_shares_of_micro_batches_add_up_to_the_whole_step() -> None:
    scores = torch.tensor([2.0, 0.5, -1.0, 0.3])
    first = Targets(pairs=[(0, 1, 1.0)], verdicts=[(0, True, 1.0)])
    second = Targets(pairs=[(0, 1, 1.0)], verdicts=[(1, False, 1.0)])
    whole = Targets(pairs=[(0, 1, 1.0), (2, 3, 1.0)], verdicts=[(0, True, 1.0), (3, False, 1.0)])
    totals = {"coefficient": 0.5, "pair_weight": 2.0, "verdict_weight": 2.0}
    apart = combined_loss(scores[:2], first, **totals).loss + combined_loss(scores[2:], second, **totals).loss
    assert float(apart) == pytest.approx(float(combined_loss(scores, whole, **totals).loss), abs=1e-6)


def test_a_tie_counts_one_half_in_accuracy() -> None:
    assert accuracy(torch.tensor([1.0, 0.0, -1.0])) == pytest.approx(0.5)
