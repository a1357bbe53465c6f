"""`make faults`: every harness at full size, with its table and its figures. `--scale 0.1` for a tenth of it.

Full size is 64 reviewers, 50,000 saves, 300 kills, 10,000 submits, 100 jobs and 30 killed runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.figures import figure, keep
from tests.faults import jobs, runs, saves, submits
from tests.faults.reviewer import Window
from tests.faults.world import make
from tests.journeys.stack import Stack, running


class PlantMissed(Exception):
    """A harness did not see the fault that was planted: its zero would say nothing."""


def counted(name: str, count: int, n: int, unit: str = "of n") -> dict[str, Any]:
    """A count that must be zero; n is what it was counted over."""
    return {**figure(name, [count], unit, goal="<= 0"), "n": n}


def caught(planted: int, what: str) -> None:
    if not planted:
        raise PlantMissed(what)


def _windows(stack: Stack, reviewers: int) -> list[Window]:
    made = make(stack, "reviews", str(reviewers))
    opened = [Window(stack.url, token) for token in made["tokens"]]
    for window in opened:
        window.claim(made["round"])
    return opened


def of_submits(stack: Stack, windows: list[Window], scale: float) -> list[dict[str, Any]]:
    found = submits.run(stack, windows, submits=max(len(windows), int(10_000 * scale)))
    print(f"  {found}")
    caught(found.planted_caught, "a second submit")
    return [counted("faults.submit_duplicates", found.duplicates, found.submits)]


def of_saves(stack: Stack, windows: list[Window], scale: float) -> list[dict[str, Any]]:
    kills = max(len(saves.WEIGHTS), int(300 * scale))
    found = saves.run(
        stack, windows, kills=kills, at_least=int(50_000 * scale), kinds=list(saves.WEIGHTS), pause_s=0.05
    )
    print(f"  kills: {dict(found.kills)}; {found.retries} retries; {found.stale} stale")
    print(f"  planted loss: {found.planted_caught} found; real: {found.losses.count}")
    caught(found.planted_caught, "acknowledged saves that PostgreSQL had not written")
    total = sum(found.kills.values())
    return [
        counted("faults.acknowledged_lost", found.losses.count, found.acknowledged),
        {**figure("faults.kills", [total], "kills"), "n": total},
        figure("faults.save_back_after_kill_s", found.recovery_s, "s"),
    ]


def of_jobs(stack: Stack, _windows: list[Window], scale: float) -> list[dict[str, Any]]:
    found = jobs.run(stack, jobs=max(5, int(100 * scale)), every_s=0.5, kill_workers=True, pace_s=1.0)
    print(f"  {found}")
    caught(found.planted_caught == 2, "a lost and a doubled job")
    return [counted("faults.jobs_lost_or_doubled", found.lost + found.doubled, found.jobs)]


def of_runs(stack: Stack, _windows: list[Window], scale: float) -> list[dict[str, Any]]:
    found = runs.run(stack, times=max(1, int(10 * scale)))
    print(f"  {found}")
    caught(found.planted_caught, "a run that ended twice")
    return [
        counted("faults.runs_lost_or_doubled", found.lost_or_doubled, found.attempts),
        figure("faults.dead_run_noticed_s", found.noticed_s, "s", goal="<= 90"),
    ]


HARNESSES: dict[str, Callable[[Stack, list[Window], float], list[dict[str, Any]]]] = {
    "submits": of_submits,
    "saves": of_saves,
    "jobs": of_jobs,
    "runs": of_runs,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "harness", nargs="*", metavar="HARNESS", help=f"of {', '.join(HARNESSES)}; all without it"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("--reviewers", type=int, default=64)
    chosen = parser.parse_args()
    if unknown := set(chosen.harness) - set(HARNESSES):
        parser.error(f"no harness {', '.join(unknown)}")
    with running() as stack:
        windows = _windows(stack, chosen.reviewers)
        for name in chosen.harness or HARNESSES:
            print(f"\n== {name}", flush=True)
            began = time.monotonic()
            keep(HARNESSES[name](stack, windows, chosen.scale))
            print(f"  {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
