"""A killed trainer is noticed and its run can be resumed; a killed worker neither loses nor doubles an attempt."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.damage import Damage, NothingToKill, wait_until
from tests.faults.world import make
from tests.journeys.client import Client
from tests.journeys.stack import Stack

NOTICED_S = 90.0
ENDED_S = 420.0
SUPERVISE, TRAIN = "training.supervise", "training.train"

PLANTED = """
SET session_replication_role = replica;
UPDATE training_attempt SET state = 'lost' WHERE run_id = '{run}';
"""
"""Past the triggers that hold the order of states."""


@dataclass(frozen=True)
class Finding:
    """`noticed_s`: from SIGKILL to the row that says so, for each death."""

    noticed_s: list[float]
    attempts: int
    lost_or_doubled: int
    planted_caught: int


class Runs:
    """Launching and watching small reward-model runs over REST."""

    def __init__(self, stack: Stack) -> None:
        self.made = make(stack, "training")
        self.client = Client(stack.url, self.made["project"], self.made["token"])
        self.stack = stack
        self.damage = Damage(stack.home, random.Random(1))

    def launch(self) -> str:
        made = self.client.post(
            "/runs", {"kind": "rm", "preset": "smoke-rm", "snapshot": self.made["snapshot"]}
        )
        return str(made["id"])

    def resume(self, run: str) -> None:
        self.client.post(f"/runs/{run}/resume")

    def attempts(self, run: str) -> list[tuple[int, str]]:
        rows = self.damage.sql(
            f"SELECT number, state FROM training_attempt WHERE run_id = '{run}' ORDER BY number"  # noqa: S608
        )
        return [(int(number), state) for number, state in rows]

    def wait_for(self, run: str, *states: str, within_s: float = ENDED_S) -> float:
        return wait_until(
            lambda: self.attempts(run)[-1][1] in states,
            f"run {run} to be {'/'.join(states)}",
            within_s=within_s,
        )

    def processes(self, run: str, module: str) -> list[psutil.Process]:
        """The living processes of a run, found by what they were started as."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            if module in words and run in words[-1] and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def wait_for_trainer(self, run: str) -> None:
        wait_until(lambda: self.processes(run, TRAIN), f"a trainer of run {run}")
        self.wait_for(run, "running")

    def kill(self, run: str, *modules: str) -> None:
        for module in modules:
            for process in self.processes(run, module):
                os.kill(process.pid, signal.SIGKILL)


DEATHS: dict[str, tuple[str, ...]] = {
    "trainer and its supervisor": (SUPERVISE, TRAIN),
    "trainer": (TRAIN,),
    "worker": (),
}


def run(stack: Stack, *, deaths: Sequence[str] = tuple(DEATHS), times: int = 1) -> Finding:
    """Each of `deaths`, `times` over; then a double is planted and must be counted."""
    runs = Runs(stack)
    noticed: list[float] = []
    expected: dict[str, int] = {}
    for death in [*deaths] * times:
        one = runs.launch()
        runs.wait_for_trainer(one)
        expected[one] = 1
        if DEATHS[death]:
            runs.kill(one, *DEATHS[death])
            noticed.append(runs.wait_for(one, "lost", "failed", within_s=2 * NOTICED_S))
            runs.resume(one)
            expected[one] = 2
        else:
            _kill_worker(runs.damage)
        runs.wait_for(one, "succeeded")
    wrong = _wrong(runs, expected)
    runs.damage.change(PLANTED.format(run=next(iter(expected))))
    return Finding(noticed, sum(expected.values()), wrong, _wrong(runs, expected) - wrong)


def _wrong(runs: Runs, expected: dict[str, int]) -> int:
    """Runs that didn't end as one success after the attempts that were asked for, or whose trainer started twice."""
    wrong = 0
    for one, attempts in expected.items():
        states = [state for _, state in runs.attempts(one)]
        fine = len(states) == attempts and states[-1] == "succeeded" and "succeeded" not in states[:-1]
        wrong += not (fine and all(_starts(runs, one, number) <= 1 for number in range(1, attempts + 1)))
    return wrong


def _starts(runs: Runs, run: str, attempt: int) -> int:
    events: Path = runs.stack.home / "files" / "runs" / run / str(attempt) / "events.jsonl"
    return events.read_text(encoding="utf-8").count('"kind": "started"') if events.exists() else 0


def _kill_worker(damage: Damage) -> None:
    for _ in range(20):
        try:
            damage.kill_worker("worker-train")
        except NothingToKill:
            time.sleep(0.5)
        else:
            return
