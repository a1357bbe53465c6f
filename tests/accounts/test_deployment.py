"""Protects a deployment: Django's own checks find nothing, and a database that may forget is refused at the start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import connection

from webapp.audit.checks import durable_database
from webapp.embedded.paths import REPOSITORY

PRODUCTION = {
    "DATABASE_URL": settings.ENV.database_url,
    "REDIS_URL": settings.ENV.cache_url,
    "SECRET_KEY": "Zk3!" + "0aB9-xY7_qW5" * 6,
    "ALLOWED_HOSTS": "goldrounds.example",
    "CSRF_TRUSTED_ORIGINS": "https://goldrounds.example",
    "HTTPS": "1",
    "DEBUG": "0",
}


def manage(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PRODUCTION, **changed, "PYTHONWARNINGS": "ignore"}
    for name in ("DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"):  # of pytest and of the browser tests
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_deployment_check_finds_nothing() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", "--database", "default")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues" in done.stdout
    assert "1 silenced" in done.stdout, "axes.W006 alone is silenced; settings/project.py says why"


@pytest.mark.parametrize("changed", [{"HTTPS": "0"}, {"DEBUG": "1"}, {"SECRET_KEY": "short"}])
def test_the_deployment_check_would_find_a_careless_setting(changed: dict[str, str]) -> None:
    assert manage("check", "--deploy", "--fail-level", "WARNING", **changed).returncode != 0


def test_production_without_a_secret_key_does_not_start() -> None:
    done = manage("check", SECRET_KEY="")
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_a_database_without_a_broker_is_refused() -> None:
    done = manage("check", REDIS_URL="")
    assert done.returncode != 0
    assert "Set both DATABASE_URL and REDIS_URL, or neither" in done.stderr


@pytest.fixture
def forgetful(db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def check_at_the_start() -> None:
    """What webapp/wsgi.py and `migrate` do."""
    BaseCommand().check(tags=[Tags.database], databases=["default"])


def test_the_database_of_these_tests_is_durable(db: None) -> None:
    check_at_the_start()


@pytest.mark.usefixtures("forgetful")
def test_a_database_that_acknowledges_before_it_wrote_is_refused() -> None:
    with pytest.raises(
        SystemCheckError, match=r"synchronous_commit=off.*\n.*HINT: Set synchronous_commit=on"
    ):
        check_at_the_start()


def test_a_database_without_fsync_is_refused(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync belongs to the whole server; the one of the tests keeps it, so the answer alone is changed."""
    monkeypatch.setattr("webapp.audit.checks._value", lambda _, name: "off" if name == "fsync" else "on")
    found = durable_database(app_configs=None, databases=["default"])
    assert [error.id for error in found] == ["audit.E001"]
    assert "fsync=off" in found[0].msg


def test_a_role_whose_commits_are_not_durable_stops_migrations_and_the_web_server() -> None:
    """The whole way, in processes of their own: a setting that the URL brings is a setting of the connection."""
    url = f"{settings.ENV.database_url}?options=-c%20synchronous_commit%3Doff"
    refused = manage("migrate", "--plan", DATABASE_URL=url)
    assert refused.returncode != 0
    assert "synchronous_commit=off" in refused.stderr
    served = subprocess.run(
        [sys.executable, "-c", "import webapp.wsgi"],
        cwd=REPOSITORY,
        env={**os.environ, **PRODUCTION, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert served.returncode != 0
    assert "synchronous_commit=off" in served.stderr
