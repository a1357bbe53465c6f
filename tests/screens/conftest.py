"""Screens render without collected static files; a world with something on every page."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from tests.screens.world import World, build
from webapp.accounts.models import Project, User
from webapp.jobs.liveness import QUEUES


@pytest.fixture(autouse=True)
def _static_from_sources(settings: LazySettings) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def _no_worker_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs beside the tests over the same cache."""
    monkeypatch.setattr("webapp.screens.workers.workers", lambda: dict.fromkeys(QUEUES))


@pytest.fixture
def world(project: Project, lead: User, ada: User) -> World:
    return build(project, lead, ada)
