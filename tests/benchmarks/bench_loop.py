"""Whether the loop learns: drafts composed from the gold of earlier rounds, against a pool drawn at random."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import figure
from tests.benchmarks.stage import Stage, stage
from tests.shared_data import shared_data

SEEDS = (0, 1, 2)
ROUNDS, SIZE = 5, 228


def run() -> list[dict[str, Any]]:
    data = shared_data()
    if data is None:
        print("The shared data are not here: the loop is not simulated.")
        return []
    with stage() as here:
        said = [_simulated(here, data / "rubrics.jsonl.gz", seed) for seed in SEEDS]
    return [*_recalls(said), *_gains(said)]


def _simulated(here: Stage, path: Path, seed: int) -> list[dict[str, Any]]:
    command = ["simulate_loop", "--rubrics", str(path), "--rounds", str(ROUNDS), "--round-size", str(SIZE)]
    said = here.python("manage.py", *command, "--seed", str(seed))
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def _recalls(said: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    figures = []
    for arm in ("none", "random", "selected"):
        last = [
            next(row for row in rows if row.get("arm") == arm and row["round"] == ROUNDS) for rows in said
        ]
        figures.append(figure(f"loop.recall_last_round_{arm}", [100 * row["recall"] for row in last], "%"))
    return figures


def _gains(said: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The median over the seeds, and how far the worst seed's 95 % interval stays above zero."""
    figures = []
    for name, what in (("over_random", "selected - random"), ("last_over_first", "last round - first round")):
        rows = [next(row for row in some if row.get("compare") == what and "at" not in row) for some in said]
        figures.append(
            figure(f"loop.recall_gain_{name}", [100 * row["recall_gain"] for row in rows], "points")
        )
        lows = [100 * min(row["low"] for row in rows)]
        figures.append(figure(f"loop.recall_gain_{name}_least_low", lows, "points", goal=">= 0.01"))
    return figures
