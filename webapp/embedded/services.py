"""PostgreSQL and Valkey without the rest: for developers and tests.

`python -m webapp.embedded.services start|stop|status`, or `with embedded_services(home): ...` in Python.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from webapp.embedded import postgres, valkey
from webapp.embedded.errors import EmbeddedError
from webapp.embedded.locks import exclusive
from webapp.embedded.paths import UnsafeDirectory, private_directory
from webapp.embedded.paths import home as chosen_home


def start(home: Path, *, with_postgres: bool = True, with_valkey: bool = True) -> bool:
    """Start what does not run yet; True where anything had to be started. Safe to call from several processes."""
    with exclusive(private_directory(home / "run") / "services.lock"), ThreadPoolExecutor(2) as pool:
        wanted = [service for service, asked in ((postgres, with_postgres), (valkey, with_valkey)) if asked]
        absent = [service for service in wanted if service.running(home) is None]
        starts = [pool.submit(service.start, home) for service in wanted]
        if any(started.exception() for started in starts):
            for service in absent:
                service.stop(home)
        for started in starts:
            started.result()
    return bool(absent)


def stop(home: Path) -> None:
    with exclusive(private_directory(home / "run") / "services.lock"), ThreadPoolExecutor(2) as pool:
        for stopped in [pool.submit(service.stop, home) for service in (valkey, postgres)]:
            stopped.result()


@contextlib.contextmanager
def embedded_services(home: Path, *, with_postgres: bool = True, with_valkey: bool = True) -> Iterator[None]:
    """Both services for the length of a block. What ran before the block goes on after it."""
    ours = start(home, with_postgres=with_postgres, with_valkey=with_valkey)
    try:
        yield
    finally:
        if ours:
            stop(home)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m webapp.embedded.services", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status"))
    action = parser.parse_args(arguments).action
    home = chosen_home()
    try:
        if action == "start":
            start(home)
        elif action == "stop":
            stop(home)
    except (EmbeddedError, UnsafeDirectory) as error:
        print(error, file=sys.stderr)
        return 1
    for service in (postgres, valkey):
        process = service.running(home)
        print(f"{service.NAME}: {'not running' if process is None else f'running, process {process.pid}'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
