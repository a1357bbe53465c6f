"""From `make run` to the first page: on a new home, on one that ran before, and after kill -9 of everything."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import figure
from tests.embedded.instance import STARTED, Instance, free_port

REPEATS = 5
MAKE = ("make", "run")


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="goldrounds-bench-") as directory:
        homes = [Path(directory) / str(number) for number in range(REPEATS)]
        new = [_seconds(home) for home in homes]
        again = [_seconds(homes[0]) for _ in range(REPEATS)]
        killed = [_seconds_after_kill(homes[0]) for _ in range(REPEATS)]
    return [
        figure("start.first_page_s", again, "s", goal="<= 15"),
        figure("start.first_page_after_kill_s", killed, "s", goal="<= 15"),
        figure("start.first_page_new_home_s", new, "s"),
    ]


def _seconds(home: Path) -> float:
    instance = Instance(home, free_port(), MAKE)
    try:
        seconds = instance.seconds_to_page()
        instance.wait_until(STARTED)
        return seconds
    finally:
        instance.stop()


def _seconds_after_kill(home: Path) -> float:
    instance = Instance(home, free_port(), MAKE)
    try:
        instance.wait_until(STARTED)
    finally:
        instance.kill_everything()
    return _seconds(home)
