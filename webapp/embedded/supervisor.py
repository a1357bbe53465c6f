"""Keeps the web server, the workers and beat alive: whichever ends is started again, later each time."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from webapp.embedded import processes
from webapp.embedded.preflight import LOOPBACK
from webapp.embedded.say import say

FIRST_PAUSE = 1.0  # seconds before the first restart; doubled with each further one
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0  # seconds alive after which earlier deaths are forgiven
STOP_GRACE = 10.0


@dataclass
class Child:
    """A process of ours by its role. `name` is that of its log and its record."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    process: psutil.Popen | None = None
    deaths: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0


def web(port: int) -> Child:
    argv = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.gunicorn", "--bind", f"{LOOPBACK}:{port}"]
    return Child("web", [*argv, "webapp.wsgi:application"], {"GOLDROUNDS_PROCESS": "web"})


def worker(name: str, queues: str, concurrency: int) -> Child:
    argv = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "webapp.celery",
        "worker",
        "-Q",
        queues,
        "-c",
        str(concurrency),
    ]
    argv += ["-n", f"{name}@%h", "-l", "INFO", "--without-gossip", "--without-mingle"]
    return Child(name, argv, {"GOLDROUNDS_PROCESS": "worker"})


def beat(home: Path) -> Child:
    schedule = str(home / "run" / "beat-schedule")
    argv = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "webapp.celery",
        "beat",
        "-s",
        schedule,
        "--pidfile=",
        "-l",
        "INFO",
    ]
    return Child("beat", argv, {"GOLDROUNDS_PROCESS": "beat"})


def workers(home: Path) -> list[Child]:
    return [worker("worker-io-llm", "io,llm", 2), worker("worker-train", "train", 1), beat(home)]


NAMES = ("beat", "worker-train", "worker-io-llm", "web")


class Supervisor:
    """The children of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.children: list[Child] = []

    def start(self, child: Child) -> None:
        self.children.append(child)
        self._spawn(child)

    def look_after(self) -> None:
        """One look at every child: note a death, and start again whoever has waited long enough."""
        for child in self.children:
            now = time.monotonic()
            if child.process is None:
                if now >= child.restart_at:
                    self._spawn(child)
            elif (code := child.process.poll()) is not None:
                self._note_death(child, code, now)

    def _spawn(self, child: Child) -> None:
        child.process = processes.spawn(self.home, child.name, child.argv, env=child.env)
        child.started_at = time.monotonic()

    def _note_death(self, child: Child, code: int, now: float) -> None:
        if child.process is not None:
            processes.stop_sessions(self.home, [child.process.pid], grace=2)
        child.deaths = 1 if now - child.started_at > STEADY_AFTER else child.deaths + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (child.deaths - 1))
        child.process, child.restart_at = None, now + pause
        log = processes.log_path(self.home, child.name)
        say(f"{child.name} ended with code {code}; it starts again in {pause:.0f} s. Log: {log}")


def stop_all(home: Path) -> None:
    """End web server, workers and beat of this home, whoever started them; trainings and runners go on."""
    pids = [pid for name in NAMES if (pid := processes.recorded_pid(home, name)) is not None]
    processes.stop_sessions(home, pids, STOP_GRACE)
    for name in NAMES:
        processes.forget(home, name)
