"""No acknowledged edit is lost: reviewers save while processes are killed; what they were told against the rows."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.faults.damage import Damage, NothingToKill, wait_until
from tests.faults.reviewer import Acknowledged, Window
from tests.journeys.stack import Stack
from webapp.embedded import valkey

WEIGHTS = {"web worker": 8, "web": 1, "PostgreSQL backend": 5, "PostgreSQL": 5, "broker": 4}
"""How often each is hit. All of web seldom: after repeated deaths its supervisor waits up to 30 s."""


@dataclass
class Losses:
    """What was acknowledged and isn't there, or is there as something else."""

    lost: list[Acknowledged]
    wrong_documents: list[str]

    @property
    def count(self) -> int:
        return len(self.lost) + len(self.wrong_documents)


@dataclass
class Finding:
    acknowledged: int
    kills: Counter[str]
    losses: Losses
    stale: int
    retries: int
    planted_caught: int
    recovery_s: list[float] = field(default_factory=list)


def compare(damage: Damage, windows: Sequence[Window]) -> Losses:
    """Acknowledgements against operations, and the last of each reviewer against the document."""
    rows = {
        operation: (assignment, int(revision))
        for operation, assignment, revision in damage.sql(
            "SELECT operation_id, assignment_id, revision FROM annotation_operation"
        )
    }
    documents = {
        assignment: (int(revision), int(weight))
        for assignment, revision, weight in damage.sql(
            "SELECT id, revision, (document #>> '{criteria,0,weight}')::int FROM annotation_assignment"
        )
    }
    told = [one for window in windows for one in window.acknowledged]
    lost = [one for one in told if rows.get(one.operation_id) != (one.assignment, one.revision)]
    last = [window.acknowledged[-1] for window in windows if window.acknowledged]
    wrong = [one.assignment for one in last if not _shown(one, documents[one.assignment])]
    return Losses(lost, wrong)


def _shown(last: Acknowledged, document: tuple[int, int]) -> bool:
    """The last edit is in the document, or a later one is that nobody was told of."""
    revision, weight = document
    return revision > last.revision or (revision, weight) == (last.revision, last.weight)


class Crowd:
    """Reviewers who save as fast as they are answered, each in a thread."""

    def __init__(self, windows: Sequence[Window], pause_s: float) -> None:
        self.windows, self.pause_s = windows, pause_s
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._save, args=[window], daemon=True) for window in windows
        ]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _save(self, window: Window) -> None:
        while not self._stop.is_set():
            window.save(stop=self._stop)
            time.sleep(self.pause_s)

    @property
    def acknowledged(self) -> int:
        return sum(len(window.acknowledged) for window in self.windows)

    def wait_for_more(self, more: int) -> float:
        goal = self.acknowledged + more
        return wait_until(lambda: self.acknowledged >= goal, f"{more} more acknowledged saves")


def plant_a_loss(damage: Damage, crowd: Crowd, *, tries: int = 5) -> int:
    """Let PostgreSQL acknowledge before it has written, and kill it: the losses that the comparison must find."""
    damage.change("ALTER ROLE goldrounds SET synchronous_commit = off")
    damage.kill_postgres()
    for _ in range(tries):
        crowd.wait_for_more(4 * len(crowd.windows))
        damage.kill_postgres()
        crowd.wait_for_more(len(crowd.windows))
        if found := compare(damage, crowd.windows).count:
            break
    damage.change("ALTER ROLE goldrounds RESET synchronous_commit")
    damage.kill_postgres()
    crowd.wait_for_more(len(crowd.windows))
    for window in crowd.windows:
        window.acknowledged.clear()
    return found


def run(
    stack: Stack,
    windows: Sequence[Window],
    *,
    kills: int,
    at_least: int,
    seed: int = 1,
    pause_s: float = 0.0,
    kinds: Sequence[str] = (),
) -> Finding:
    """Plant a loss and catch it, then kill `kills` times (each of `kinds` first) while the reviewers save.

    Goes on saving until `at_least` saves were acknowledged.
    """
    dice = random.Random(seed)
    damage = Damage(stack.home, dice)
    done: Counter[str] = Counter()
    recovery = []
    with Crowd(windows, pause_s) as crowd:
        crowd.wait_for_more(len(windows))
        planted = plant_a_loss(damage, crowd)
        queue = [*kinds, *dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=max(0, kills - len(kinds)))]
        for number, kind in enumerate(queue, start=1):
            wait_until(partial(_killed, damage, kind), f"{kind} to kill")
            done[kind] += 1
            recovery.append(crowd.wait_for_more(len(windows)))
            wait_until(lambda: valkey.answers(stack.home), "the broker again")
            time.sleep(dice.random() * 0.3)
            if number % 10 == 0:
                print(f"  {number} kills, {crowd.acknowledged} acknowledged saves", flush=True)
        left = at_least - crowd.acknowledged
        if left > 0:
            wait_until(lambda: crowd.acknowledged >= at_least, f"{left} more saves", within_s=1800)
    refused = [text for window in windows for text in window.refused]
    if refused:
        raise AssertionError(f"the product refused correct saves: {refused[:3]}")
    return Finding(
        acknowledged=crowd.acknowledged,
        kills=done,
        losses=compare(damage, windows),
        stale=sum(window.stale for window in windows),
        retries=sum(window.retries for window in windows),
        planted_caught=planted,
        recovery_s=recovery,
    )


def _killed(damage: Damage, kind: str) -> bool:
    try:
        damage.kinds[kind]()
    except NothingToKill:
        return False
    return True
