"""A launcher on a home of its own, for tests, benchmarks and fault runs."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from webapp.embedded import postgres, preflight, processes, valkey
from webapp.embedded.paths import REPOSITORY

STARTED = "Ctrl-C stops everything."
SECONDS = 180.0
LAUNCHER = (sys.executable, "-m", "webapp.embedded.run")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((preflight.LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def environment(home: Path, port: int) -> dict[str, str]:
    without = (
        "DATABASE_URL",
        "REDIS_URL",
        "GOLDROUNDS_PROCESS",
        "DJANGO_SETTINGS_MODULE",
        "MAKEFLAGS",
        "MAKELEVEL",
    )
    kept = {name: value for name, value in os.environ.items() if name not in without}
    return {**kept, "GOLDROUNDS_HOME": str(home), "PORT": str(port)}


def status(port: int, path: str = "/health/") -> int | None:
    """The status that the page answers with, or None where nobody answers."""
    with contextlib.closing(http.client.HTTPConnection(preflight.LOOPBACK, port, timeout=30)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None


class Instance:
    """`command` starts the launcher: itself, or make above it."""

    def __init__(
        self, home: Path, port: int, command: Sequence[str] = LAUNCHER, directory: Path = REPOSITORY
    ) -> None:
        self.home, self.port = home, port
        self.output = home.parent / f"{home.name}-{time.monotonic_ns()}.out"
        self.began = time.monotonic()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment(home, port),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_until(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS
        while text not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def seconds_to_page(self, limit: float = SECONDS) -> float:
        """Wait for the sign-in page; the time since the command was started."""
        while status(self.port, "/accounts/login/") != http.client.OK:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - self.began < limit, self.said()
            time.sleep(0.02)
        return time.monotonic() - self.began

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(180)

    def everything(self) -> list[psutil.Process]:
        servers = [server for server in (postgres.running(self.home), valkey.running(self.home)) if server]
        launcher = [psutil.Process(self.process.pid)] if self.process.poll() is None else []
        left = processes.launched_from(self.home, apart_from=[])
        return processes.with_descendants([*launcher, *servers, *left])

    def kill_everything(self) -> None:
        for process in self.everything():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(10)
