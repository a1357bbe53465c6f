"""A submit counts once: each is sent 2 to 5 times, some at the same time, and answers are dropped at random."""

from __future__ import annotations

import http.client
import json
import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.faults.damage import Damage
from tests.faults.reviewer import API, Window
from tests.journeys.stack import Stack

PLANTED = """
INSERT INTO annotation_operation
  (project_id, assignment_id, operation_id, actor_id, revision, kind, payload, body_sha256, fence, answer, at)
SELECT project_id, assignment_id, gen_random_uuid(), actor_id, revision + 1000000, kind, payload, body_sha256, fence,
       answer, at
FROM annotation_operation WHERE kind = 'accept' ORDER BY id LIMIT 1
"""


@dataclass(frozen=True)
class Finding:
    submits: int
    sendings: int
    dropped: int
    duplicates: int
    planted_caught: int


@dataclass
class Tally:
    submits: int = 0
    sendings: int = 0
    dropped: int = 0


def run(stack: Stack, windows: Sequence[Window], *, submits: int, seed: int = 1) -> Finding:
    """Submit and undo, in turns, on every window; then count accepts in the tables, plant a double, count again."""
    damage = Damage(stack.home, random.Random(seed))
    each = -(-submits // len(windows))
    with ThreadPoolExecutor(len(windows)) as desk:
        tallies = list(
            desk.map(
                lambda place: _submit_often(windows[place], each, random.Random(seed + place)),
                range(len(windows)),
            )
        )
    told = sum(tally.submits for tally in tallies)
    duplicates = _surplus(damage, told)
    damage.change(PLANTED)
    return Finding(
        submits=told,
        sendings=sum(tally.sendings for tally in tallies),
        dropped=sum(tally.dropped for tally in tallies),
        duplicates=duplicates,
        planted_caught=_surplus(damage, told) - duplicates,
    )


def _surplus(damage: Damage, told: int) -> int:
    """Submits kept, in rows and in the audit log, beyond (or below) those that were meant."""
    kept = int(damage.sql("SELECT count(*) FROM annotation_operation WHERE kind = 'accept'")[0][0])
    logged = int(damage.sql("SELECT count(*) FROM audit_event WHERE action = 'item.accept'")[0][0])
    return abs(kept - told) + abs(logged - told)


def _submit_often(window: Window, times: int, dice: random.Random) -> Tally:
    tally = Tally()
    for _ in range(times):
        _send_repeatedly(window, "accept", dice, tally)
        tally.submits += 1
        _send_repeatedly(window, "reopen", dice, tally)
    return tally


def _send_repeatedly(window: Window, kind: str, dice: random.Random, tally: Tally) -> None:
    """All at once on connections of their own; the last one is asked until it answers."""
    body = window.operation(str(uuid.uuid4()), kind, {})
    revision = window.item["revision"]
    answers = []
    lines = [_post(window, body, revision) for _ in range(dice.randint(1, 4))]
    for line in lines:
        if dice.random() < 0.5:
            tally.dropped += 1
        else:
            answers.append(_read(line))
        line.close()
    status, answer = window.until_answered("POST", window.path, body, if_match=revision)
    tally.sendings += len(lines) + 1
    if status != 200:
        raise AssertionError(f"{kind}: {status} {answer}")
    told = {json.dumps(one, sort_keys=True) for one in [answer, *answers] if one is not None}
    if len(told) != 1:
        raise AssertionError(f"{kind}: one operation, different answers: {told}")
    window.item["revision"] = answer["revision"]


def _post(window: Window, body: dict[str, object], revision: int) -> http.client.HTTPConnection:
    line = window.new_connection()
    line.request("POST", API + window.path, json.dumps(body), window.headers(revision))
    return line


def _read(line: http.client.HTTPConnection) -> object:
    """The answer; None where the server had none (a connection that died with PostgreSQL gives one 500)."""
    response = line.getresponse()
    content = response.read()
    if response.status >= 500:
        return None
    if response.status != 200:
        raise AssertionError(f"{response.status} {content[:300]!r}")
    return json.loads(content)
