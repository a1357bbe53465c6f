"""Jobs are neither lost nor doubled: imports are uploaded while the broker forgets everything and workers die."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

from tests.faults.damage import Damage, NothingToKill, wait_until
from tests.faults.world import make
from tests.journeys.stack import Stack

WORKS_BETWEEN_S = 20.0
WORKERS: dict[str, Callable[[Damage], None]] = {
    "runner": lambda damage: damage.kill_runners(),
    "worker": lambda damage: damage.kill_worker("worker-io-llm"),
    "broker": lambda damage: damage.kill_broker(),
}
PLANTED = """
DELETE FROM jobs_job WHERE subject_id = '{lost}';
INSERT INTO audit_event (project_id, actor_id, at, action, subject_type, subject_id, old, new, reason)
SELECT project_id, actor_id, at, action, subject_type, subject_id, old, new, reason
FROM audit_event WHERE action = 'job.succeeded' AND subject_id = '{doubled}'
"""
ENDED = {"succeeded", "failed", "cancelled"}


@dataclass(frozen=True)
class Finding:
    jobs: int
    faults: Counter[str]
    lost: int
    doubled: int
    planted_caught: int


def run(
    stack: Stack, *, jobs: int, every_s: float, kill_workers: bool, pace_s: float = 0.0, seed: int = 1
) -> Finding:
    """Upload `jobs` files of two instructions each, one every `pace_s`; flush the broker until all have ended."""
    made = make(stack, "imports")
    damage = Damage(stack.home, random.Random(seed))
    ended = threading.Event()
    faults: Counter[str] = Counter()
    pool = ThreadPoolExecutor(1)
    vandal = pool.submit(_vandalise, damage, ended, faults, every_s, kill_workers)
    accepted = []
    for number in range(jobs):
        accepted.append(_upload(stack, made, number))
        time.sleep(pace_s)
    wait_until(lambda: len(_states(damage, accepted)) == jobs, "every job to end", within_s=60 + 5 * jobs)
    ended.set()
    vandal.result()
    pool.shutdown()
    lost, doubled = _count(damage, accepted)
    damage.change(PLANTED.format(lost=accepted[0], doubled=_job_of(damage, accepted[1])))
    planted_lost, planted_doubled = _count(damage, accepted)
    caught = (planted_lost > lost) + (planted_doubled > doubled)
    return Finding(jobs, faults, lost, doubled, caught)


def _upload(stack: Stack, made: dict[str, str], number: int) -> str:
    """The id of the accepted import. An upload without an answer wasn't accepted; it is sent again as another file."""
    for again in range(100):
        rows = "".join(
            f'{{"id": "{number}-{again}-{row}", "instruction": "Question {number} {again} {row}?"}}\n'
            for row in range(2)
        )
        try:
            answer = httpx2.post(
                f"{stack.url}/api/v1/projects/{made['project']}/imports",
                headers={"Authorization": f"Bearer {made['token']}"},
                data={"kind": "instructions"},
                files={"file": (f"{number}-{again}.jsonl", rows.encode())},
                timeout=60,
                trust_env=False,
            )
        except httpx2.HTTPError:
            time.sleep(0.1)
            continue
        if answer.status_code == 202:
            return str(answer.json()["id"])
        if answer.status_code < 500:
            raise AssertionError(f"{answer.status_code} {answer.text[:500]}")
    raise AssertionError(f"upload {number} was never answered")


def _vandalise(
    damage: Damage, ended: threading.Event, faults: Counter[str], every_s: float, kill_workers: bool
) -> None:
    """Flush all the time; kill the worker and the broker now and then, so that something still works between."""
    killed_at = time.monotonic()
    while not ended.wait(every_s):
        try:
            damage.flush_broker()
            faults["FLUSHALL"] += 1
            if kill_workers and time.monotonic() - killed_at > WORKS_BETWEEN_S:
                killed_at = time.monotonic()
                for kind, kill in WORKERS.items():
                    kill(damage)
                    faults[kind] += 1
        except NothingToKill:
            continue


def _states(damage: Damage, imports: list[str]) -> dict[str, str]:
    rows = damage.sql("SELECT subject_id, state FROM jobs_job WHERE kind = 'import'")
    return {subject: state for subject, state in rows if subject in set(imports) and state in ENDED}


def _job_of(damage: Damage, subject: str) -> str:
    return damage.sql(f"SELECT id FROM jobs_job WHERE subject_id = '{subject}'")[0][0]  # noqa: S608


def _count(damage: Damage, imports: list[str]) -> tuple[int, int]:
    """(accepted imports that didn't succeed or whose rows aren't there, jobs that ended twice or rows twice)."""
    states = _states(damage, imports)
    written = dict(damage.sql("SELECT id, rows_written FROM rubric_engine_import WHERE state = 'imported'"))
    lost = sum(states.get(one) != "succeeded" or written.get(one) != "2" for one in imports)
    ends = damage.sql(
        "SELECT subject_id, count(*) FROM audit_event WHERE action = 'job.succeeded' GROUP BY 1 HAVING count(*) > 1"
    )
    return lost, len(ends)
