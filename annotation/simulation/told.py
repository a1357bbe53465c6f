"""What a simulation says: a line per round and arm, the comparisons that matter, and a plot for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from annotation.simulation.loop import Arm, Item

RESAMPLES = 2_000
BAR = 40


def told(items: Sequence[Item], also: Sequence[float]) -> list[dict[str, Any]]:
    """A row per round and arm; failed drafts count as recall 0 and every criterion to be written."""
    rows = []
    for arm in Arm:
        for number in sorted({item.round for item in items}):
            some = [item for item in items if item.arm is arm and item.round == number]
            rows.append(_row(arm, number, some, also))
    return rows


def _row(arm: Arm, number: int, some: Sequence[Item], also: Sequence[float]) -> dict[str, Any]:
    done = [item.compared for item in some if item.compared is not None]
    low, high = interval([(item.cluster, recall(item)) for item in some])
    return {
        "arm": arm.value,
        "round": number,
        "pool": some[0].pool,
        "items": len(some),
        "failed": len(some) - len(done),
        "recall": _mean([recall(item) for item in some]),
        "recall_low": low,
        "recall_high": high,
        "precision": _mean([one.precision for one in done]),
        **{f"recall_at_{level}": _mean([one.recall_at[level] for one in done]) for level in also},
        "strict_pass": _mean([one.strict for one in done]),
        "minor_pass": _mean([one.minor for one in done]),
        "edits_per_item": _mean([one.edits for one in done]),
    }


def comparisons(items: Sequence[Item], also: Sequence[float]) -> list[dict[str, Any]]:
    """Selected against random on the same items, in all rounds with a pool; the last round against the first.

    Each at the threshold of the simulation, then at the further levels.
    """
    return [row for level in (None, *also) for row in _compared_at(items, level)]


def _compared_at(items: Sequence[Item], level: float | None) -> list[dict[str, Any]]:
    selected, chance = (
        [item for item in items if item.arm is arm and item.pool] for arm in (Arm.SELECTED, Arm.RANDOM)
    )
    by_round: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for item in items:
        if item.arm is Arm.SELECTED:
            by_round[item.round].append((item.cluster, recall(item, level)))
    if len(by_round) < 2:
        return []
    gains = [
        (ours.cluster, recall(ours, level) - recall(other, level))
        for ours, other in zip(selected, chance, strict=True)
    ]
    first, last = by_round[min(by_round)], by_round[max(by_round)]
    growth = _mean([value for _, value in last]) - _mean([value for _, value in first])
    return [
        _gain("selected - random", level, _mean([value for _, value in gains]), interval(gains)),
        _gain("last round - first round", level, growth, _difference(first, last)),
    ]


def _gain(what: str, level: float | None, gain: float, ends: tuple[float, float]) -> dict[str, Any]:
    row = {"compare": what, "recall_gain": round(gain, 4), "low": ends[0], "high": ends[1]}
    return row | {"excludes_zero": ends[0] > 0 or ends[1] < 0} | ({} if level is None else {"at": level})


def recall(item: Item, level: float | None = None) -> float:
    """At the simulation's threshold, or at another level that was asked for; 0 where no draft came about."""
    if item.compared is None:
        return 0.0
    return item.compared.recall if level is None else item.compared.recall_at[level]


def interval(values: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """95 % of the mean by bootstrap over clusters, a fixed seed."""
    means = _resampled(values, np.random.default_rng(0))
    return _ends(means)


def _difference(first: Sequence[tuple[str, float]], last: Sequence[tuple[str, float]]) -> tuple[float, float]:
    dice = np.random.default_rng(0)
    return _ends(_resampled(last, dice) - _resampled(first, dice))


def _resampled(values: Sequence[tuple[str, float]], dice: np.random.Generator) -> np.ndarray[Any, Any]:
    clusters: dict[str, list[float]] = defaultdict(list)
    for cluster, value in values:
        clusters[cluster].append(value)
    sums = np.array([sum(some) for some in clusters.values()])
    counts = np.array([len(some) for some in clusters.values()])
    drawn = dice.integers(0, len(sums), size=(RESAMPLES, len(sums)))
    means: np.ndarray[Any, Any] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means


def _ends(means: np.ndarray[Any, Any]) -> tuple[float, float]:
    low, high = np.quantile(means, [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def _mean(values: Sequence[float | bool]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0


def plot(rows: Sequence[dict[str, Any]]) -> str:
    """Recall by round and arm as bars, with the interval in figures."""
    most = max((row["recall_high"] for row in rows), default=0) or 1.0
    lines = [f"criterion recall against the truth (a full bar is {most:.1%})"]
    for row in rows:
        bar = "█" * round(BAR * row["recall"] / most)
        span = f"{row['recall_low']:.1%} to {row['recall_high']:.1%}"
        lines.append(
            f"{row['arm']:>9} round {row['round']:>2} pool {row['pool']:>5} {bar:<{BAR}} {row['recall']:6.1%}  {span}"
        )
    return "\n".join(lines)
