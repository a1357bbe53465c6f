"""The order in which a reward model sees its items, and the rows and targets of one micro-batch.

The whole order follows from the seed: a resumed run computes it again and goes on at its step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rubric_engine.rubric import Dimension
from training.configs import Ablation, RewardModelConfig
from training.dataset import Item, response_pairs
from training.losses import Targets
from training.packing import Row, lay_out
from training.rendering import Renderer


@dataclass(frozen=True, slots=True)
class PreparedItem:
    """An item as rows: one for each response with verdicts, and the targets within those rows."""

    item: Item
    rows: tuple[Row, ...]
    targets: Targets
    pair_count: int

    @property
    def length(self) -> int:
        return max(len(row.tokens) for row in self.rows)


def usable(items: Sequence[Item], config: RewardModelConfig) -> list[Item]:
    """Items with at least one verdict; without their safety criteria in the `no_safety_data` ablation."""
    if config.ablation is Ablation.NO_SAFETY_DATA:
        items = [
            replace(
                item, criteria=tuple(one for one in item.criteria if one.dimension is not Dimension.SAFETY)
            )
            for item in items
        ]
    return [item for item in items if any(item.judged(response) for response in item.responses)]


def prepare(item: Item, renderer: Renderer, config: RewardModelConfig) -> PreparedItem:
    """Tokenise one item and point its pairs and verdicts at the leaves of its rows."""
    rows: list[Row] = []
    targets = Targets()
    leaf: dict[tuple[str, str], int] = {}
    for response in sorted(item.responses):
        judged = item.judged(response)
        if not judged:
            continue
        rows.append(lay_out(renderer.row(item, item.responses[response], [one for one, _ in judged])))
        share = 1 / len(judged) if config.reduction == "pair" else 1.0
        for criterion, satisfied in judged:
            leaf[response, criterion.key] = len(leaf)
            weight = share * config.dimension_weights.get(criterion.dimension, 1.0)
            targets.verdicts.append((leaf[response, criterion.key], satisfied, weight))
    pairs = list(response_pairs(item))
    for pair in pairs:
        share = 1 / len(pair.deciding) if config.reduction == "pair" else 1.0
        for criterion, first_wins in pair.deciding:
            first, second = leaf[pair.first, criterion.key], leaf[pair.second, criterion.key]
            weight = share * config.dimension_weights.get(criterion.dimension, 1.0)
            targets.pairs.append((first, second, weight) if first_wins else (second, first, weight))
    return PreparedItem(item, tuple(rows), targets, len(pairs))


def plan_steps(pair_counts: Sequence[int], config: RewardModelConfig) -> list[list[int]]:
    """Item indices of every step of the run. Items stay whole, so that their responses are packed once.

    A step takes items until it holds `batch_pairs` response pairs; an item without pairs counts as one.
    """
    steps: list[list[int]] = []
    for epoch in range(config.epochs):
        step: list[int] = []
        filled = 0
        for index in np.random.default_rng([config.seed, epoch]).permutation(len(pair_counts)).tolist():
            size = max(pair_counts[index], 1)
            if step and filled + size > config.batch_pairs:
                steps.append(step)
                step, filled = [], 0
            step.append(index)
            filled += size
        if step:
            steps.append(step)
    return steps[: config.max_steps]


def micro_batches(
    items: Sequence[PreparedItem], *, rows: int
) -> Iterator[tuple[list[Row], Targets, list[str]]]:
    """Items of one step in groups of at most `rows` rows (at least one item), of like length."""
    group: list[PreparedItem] = []
    for item in sorted(items, key=lambda one: (one.length, one.item.id)):
        if group and sum(len(one.rows) for one in group) + len(item.rows) > rows:
            yield _joined(group)
            group = []
        group.append(item)
    if group:
        yield _joined(group)


def _joined(items: Sequence[PreparedItem]) -> tuple[list[Row], Targets, list[str]]:
    rows: list[Row] = []
    targets = Targets()
    leaves = 0
    for one in items:
        rows.extend(one.rows)
        targets.pairs += [(first + leaves, second + leaves, w) for first, second, w in one.targets.pairs]
        targets.verdicts += [(leaf + leaves, satisfied, w) for leaf, satisfied, w in one.targets.verdicts]
        leaves += sum(len(row.leaves) for row in one.rows)
    return rows, targets, [one.item.id for one in items]
