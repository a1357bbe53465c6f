"""A pytest plugin, loaded by `-p tests.services`: real services for a test session, on a home that is thrown away.

It runs before pytest-django reads the settings, which need the addresses. Set GOLDROUNDS_HOME to keep the home and
what already runs there; set DATABASE_URL and REDIS_URL to use servers of your own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import psutil
import pytest

from webapp.embedded import services
from webapp.embedded.paths import home

PREFIX = "goldrounds-test-"
STACK = contextlib.ExitStack()


def _remove(thrown_away: Path) -> None:
    services.stop(thrown_away)
    shutil.rmtree(thrown_away)


def _remove_leftovers() -> None:
    """Homes of test sessions that were killed: their name carries the id of the session's process."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)) and left.stat().st_uid == os.getuid():
            _remove(left)


if not os.environ.get("GOLDROUNDS_HOME"):
    _remove_leftovers()
    os.environ["GOLDROUNDS_HOME"] = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
    STACK.callback(_remove, home())

(home() / "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of its absence with every client


def pytest_sessionstart(session: pytest.Session) -> None:
    own_database, own_broker = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    if not session.config.option.collectonly and not (own_database and own_broker):
        wanted = services.embedded_services(
            home(), with_postgres=not own_database, with_valkey=not own_broker
        )
        STACK.enter_context(wanted)


def pytest_unconfigure() -> None:
    STACK.close()
