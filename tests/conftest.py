"""The cast of people that most tests share: one project, its members, and somebody from outside."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tests import cast
from webapp.accounts.models import Project, Role, User


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Pages are rendered without `collectstatic`."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def project(db: None) -> Project:
    return cast.make_project()


@pytest.fixture
def lead(project: Project) -> User:
    return cast.make_user("lead", project, Role.LEAD)


@pytest.fixture
def admin(project: Project) -> User:
    return cast.make_user("admin", project, Role.ADMIN)


@pytest.fixture
def ada(project: Project) -> User:
    return cast.make_user("ada", project, Role.PHYSICIAN)


@pytest.fixture
def ben(project: Project) -> User:
    return cast.make_user("ben", project, Role.PHYSICIAN)


@pytest.fixture
def cleo(project: Project) -> User:
    return cast.make_user("cleo", project, Role.PHYSICIAN)


@pytest.fixture
def adjudicator(project: Project) -> User:
    return cast.make_user("adjudicator", project, Role.ADJUDICATOR)


@pytest.fixture
def api_client_user(project: Project) -> User:
    return cast.make_user("machine", project, Role.API_CLIENT)


@pytest.fixture
def outsider(db: None) -> User:
    """A physician of another project."""
    return cast.make_user("outsider", cast.make_project("elsewhere"), Role.PHYSICIAN)
