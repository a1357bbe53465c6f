"""What a benchmark stands on: embedded services in a home of its own, commands over them, gunicorn as in production."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks.figures import REPOSITORY
from tests.journeys.stack import free_port
from webapp.embedded.services import embedded_services

START_S = 60.0


@dataclass(frozen=True)
class Stage:
    """An installation without people or data, migrated."""

    home: Path
    environment: dict[str, str]

    def python(self, *arguments: str) -> str:
        """What the command prints.

        Raises:
            RuntimeError: with the end of what it said, where it fails.
        """
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}:\n{done.stderr[-3000:]}")
        return done.stdout.strip()

    def last_line(self, *arguments: str) -> str:
        return self.python(*arguments).rpartition("\n")[2]

    @contextmanager
    def web(self, application: str = "webapp.wsgi") -> Iterator[tuple[int, psutil.Process]]:
        """(port, process) of gunicorn, until the block ends."""
        port = free_port()
        command = ["-m", "gunicorn", "-c", "webapp/gunicorn.py", "--bind", f"127.0.0.1:{port}", application]
        with (self.home / "gunicorn.log").open("wb") as log:
            started = subprocess.Popen(
                [sys.executable, *command],
                cwd=REPOSITORY,
                env=self.environment | {"GOLDROUNDS_PROCESS": "web"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_for_page(port)
            yield port, psutil.Process(started.pid)
        finally:
            started.terminate()
            started.wait(timeout=30)


@contextmanager
def stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="goldrounds-bench-") as directory:
        environment = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        } | {"GOLDROUNDS_HOME": directory, "TQDM_DISABLE": "1"}
        with embedded_services(Path(directory)):
            made = Stage(Path(directory), environment)
            made.python("manage.py", "migrate", "--verbosity", "0")
            yield made


def _wait_for_page(port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/health/")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise RuntimeError(f"gunicorn did not answer within {START_S:.0f} s")
