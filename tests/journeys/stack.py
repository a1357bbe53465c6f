"""The whole product as `make run` starts it, on a home of its own, for journeys and benchmarks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 120.0
STOP_S = 150.0


@dataclass(frozen=True)
class Person:
    username: str
    role: str
    token: str


@dataclass(frozen=True)
class Stack:
    """A running product: its address, and its command line on the same home."""

    url: str
    home: Path
    environment: dict[str, str]
    first_page_s: float

    def manage(self, *arguments: str) -> str:
        """Run manage.py; returns its standard output. Raises CalledProcessError with what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def create_project(self, slug: str, people: Sequence[tuple[str, str]]) -> dict[str, Person]:
        wanted = [part for username, role in people for part in ("--person", f"{username}:{role}")]
        lines = self.manage("create_project", slug, *wanted).splitlines()
        made = [json.loads(line) for line in lines if line.startswith("{")]
        return {row["username"]: Person(row["username"], row["role"], row["token"]) for row in made}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(home: Path | None = None, *, sample: bool = False, **extra: str) -> Iterator[Stack]:
    """Start everything, wait for the first page, stop everything. A temporary home is removed after.

    Without `sample` the instance is empty: no story competes for the machine.
    """
    with contextlib.ExitStack() as cleanup:
        if home is None:
            home = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="goldrounds-stack-")))
        port = free_port()
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "GOLDROUNDS_PROCESS", "DJANGO_SETTINGS_MODULE"}
        }
        environment |= {
            "GOLDROUNDS_HOME": str(home),
            "PORT": str(port),
            "GOLDROUNDS_SAMPLE": str(int(sample)),
            **extra,
        }
        log = home.parent / f"{home.name}.log"
        cleanup.callback(log.unlink, missing_ok=True)
        started = time.monotonic()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "webapp.embedded.run"],
                cwd=REPOSITORY,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        cleanup.callback(_stop, process)
        url = f"http://127.0.0.1:{port}"
        _wait_for_page(process, url, log)
        yield Stack(url, home, environment, time.monotonic() - started)


def _wait_for_page(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the stack ended with {process.returncode}:\n{log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{url}/accounts/login/", timeout=5) as page:
                if page.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise TimeoutError(f"no first page at {url} within {START_S:.0f} s:\n{log.read_text()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
