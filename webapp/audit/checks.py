"""A database that may forget what it has acknowledged is refused: every process checks at its start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage
from django.db import OperationalError, connections

UNSAFE = {
    "fsync": "the server acknowledges what a power cut erases, and may destroy the whole database",
    "synchronous_commit": "the server acknowledges edits that a crash of it loses",
}


def durable_database(
    *, app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Errors for fsync=off and synchronous_commit=off, as this product's own connections see them."""
    return [error for alias in databases or [] for error in _errors_of(alias)]


def _errors_of(alias: str) -> list[CheckMessage]:
    try:
        with connections[alias].cursor() as cursor:
            values = {name: _value(cursor, name) for name in UNSAFE}
    except OperationalError:
        return []  # nothing is acknowledged while it can't be reached; the next start looks again
    return [
        checks.Error(
            f"The database {alias!r} runs with {name}=off: {UNSAFE[name]}.",
            hint=f"Set {name}=on in postgresql.conf, and for the role and the database (ALTER ROLE … RESET {name}).",
            id=f"audit.E{number:03}",
        )
        for number, (name, value) in enumerate(values.items(), start=1)
        if value == "off"
    ]


def _value(cursor: Any, name: str) -> str:
    cursor.execute(f"SHOW {name}")
    return str(cursor.fetchone()[0])
