"""No acknowledged write is lost to kill -9 of PostgreSQL, of a backend, or of Valkey, and each start recovers."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.benchmarks.figures import figure
from tests.faults.ledger import Ledger
from webapp.embedded import postgres, processes, services, valkey
from webapp.embedded.paths import valkey_url

KILLS, WRITERS, SEED = 60, 16, 20261123


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="goldrounds-fault-") as directory:
        home = Path(directory)
        with services.embedded_services(home):
            acknowledged, lost, recoveries = survive(home, kills=KILLS, writers=WRITERS, seed=SEED)
    return [
        figure(
            "faults.services_lost_writes",
            [float(lost)],
            f"of {acknowledged} writes, {KILLS} kills",
            goal="<= 0",
        ),
        figure("faults.services_recovery_s", recoveries, "s", goal="<= 30"),
    ]


def survive(home: Path, *, kills: int, writers: int, seed: int) -> tuple[int, int, list[float]]:
    """Kill at random while writers write. Returns acknowledged, lost, and the seconds of each recovery.

    Raises AssertionError where a planted loss is not found, or a message in Valkey did not outlive its server.
    """
    chance, ledger, recoveries = random.Random(seed), Ledger(home), []
    broker = redis.Redis.from_url(valkey_url(home))
    ledger.start(writers)
    for number in range(kills):
        time.sleep(chance.uniform(0.1, 0.4))
        broker.rpush("kept", number)
        broker.execute_command("WAITAOF", 1, 0, 5000)
        _kill(home, chance.choice(("postgres", "everything", "backend", "valkey")), chance)
        began = time.monotonic()
        services.start(home)
        recoveries.append(time.monotonic() - began)
    ledger.stop()
    lost = len(ledger.lost())
    assert broker.llen("kept") == kills
    ledger.lose_one()
    assert len(ledger.lost()) == lost + 1
    return len(ledger.acknowledged), lost, recoveries


def _kill(home: Path, what: str, chance: random.Random) -> None:
    server, broker = postgres.running(home), valkey.running(home)
    assert server is not None
    assert broker is not None
    backends = server.children()
    victims: list[psutil.Process] = {
        "postgres": [server],
        "everything": [server, *backends],
        "backend": [chance.choice(backends)],
        "valkey": [broker],
    }[what]
    processes.send(victims, signal.SIGKILL)
    processes.wait_for_end(victims, 10)
