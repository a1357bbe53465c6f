"""Killing parts of a running product with SIGKILL, and reading its tables as the superuser."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from webapp.embedded import postgres, processes, valkey
from webapp.embedded.paths import DATABASE, valkey_socket

SOON_S = 120.0


class NothingToKill(Exception):
    """The part is down at this moment."""


def wait_until(holds: Callable[[], object], what: str, *, within_s: float = SOON_S) -> float:
    """Poll until `holds`; returns the seconds it took. Raises TimeoutError naming `what`."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within_s:
            raise TimeoutError(f"{what}: not within {within_s:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - began


class Damage:
    """The parts of one home that can be killed."""

    def __init__(self, home: Path, dice: random.Random) -> None:
        self.home, self.dice = home, dice
        self.kinds: dict[str, Callable[[], None]] = {
            "web worker": self.kill_web_worker,
            "web": self.kill_web,
            "PostgreSQL backend": self.kill_backend,
            "PostgreSQL": self.kill_postgres,
            "broker": self.kill_broker,
        }

    def kill_web_worker(self) -> None:
        self._kill([self.dice.choice(self._children(self._child("web")))])

    def kill_web(self) -> None:
        self._kill(processes.with_descendants([self._child("web")]))

    def kill_backend(self) -> None:
        serving = [
            one for one in self._children(self._postgres()) if f" {DATABASE} " in " ".join(self._words(one))
        ]
        if not serving:
            raise NothingToKill("no backend")
        self._kill([self.dice.choice(serving)])

    def kill_postgres(self) -> None:
        self._kill(processes.with_descendants([self._postgres()]))

    def kill_broker(self) -> None:
        found = valkey.running(self.home)
        if found is None:
            raise NothingToKill("no broker")
        self._kill([found])

    def kill_worker(self, name: str) -> None:
        """A Celery worker with its pool; what it started in sessions of their own lives on."""
        leader = self._child(name)
        self._kill(processes.session_of(self.home, leader.pid))

    def kill_runners(self) -> None:
        """The processes that run jobs; a worker starts them in sessions of their own."""
        living = processes.with_descendants(processes.launched_from(self.home, apart_from=[]))
        self._kill([one for one in living if "run_jobs" in self._words(one)])

    def flush_broker(self) -> None:
        """FLUSHALL: every message and every cached value is gone."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(5)
                connection.connect(str(valkey_socket(self.home)))
                connection.sendall(b"FLUSHALL\r\n")
                if not connection.recv(16).startswith(b"+OK"):
                    raise NothingToKill("the broker did not flush")
        except OSError as error:
            raise NothingToKill("no broker") from error

    def sql(self, text: str) -> list[list[str]]:
        """Rows of one statement, as text. Waits for a server that is just starting."""
        until = time.monotonic() + SOON_S
        while True:
            try:
                answer = postgres.psql(self.home, f"COPY ({text}) TO STDOUT;", database=DATABASE)
                return [line.split("\t") for line in answer.splitlines()]
            except Exception:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def change(self, text: str) -> None:
        postgres.psql(self.home, text, database=DATABASE)

    def _child(self, name: str) -> psutil.Process:
        found = processes.find_remembered(self.home, name)
        if found is None:
            raise NothingToKill(name)
        return found

    def _postgres(self) -> psutil.Process:
        found = postgres.running(self.home)
        if found is None:
            raise NothingToKill("no PostgreSQL")
        return found

    def _children(self, parent: psutil.Process) -> list[psutil.Process]:
        try:
            found = parent.children()
        except psutil.NoSuchProcess:
            found = []
        if not found:
            raise NothingToKill(str(parent.pid))
        return found

    def _words(self, process: psutil.Process) -> list[str]:
        try:
            return process.cmdline()
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # a zombie counts as gone
            return []

    def _kill(self, victims: list[psutil.Process]) -> None:
        for victim in victims:
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                continue
