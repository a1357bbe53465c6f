"""Protects the API's tokens: never stored in clear, of one project, and dead once revoked, expired or their user is
disabled."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.accounts.people import make_person
from tests.cast import make_project, make_token, make_user
from webapp.accounts.models import ApiToken, Membership, Project, Role, User


@pytest.fixture
def owner(project: Project) -> User:
    return make_person(project, Role.LEAD, totp=False).user


def status(project: Project, secret: str, **origin: str) -> int:
    answer = Client().get(
        f"/api/v1/projects/{project.slug}/rounds",
        headers={"Authorization": f"Bearer {secret}"},
        **origin,  # type: ignore[arg-type]
    )
    return answer.status_code


def test_a_token_opens_its_project(project: Project, owner: User) -> None:
    assert status(project, make_token(owner, project)) == 200


def test_its_last_use_is_kept(project: Project, owner: User) -> None:
    status(project, make_token(owner, project))
    assert ApiToken.objects.get(user=owner).last_used_at is not None


def test_a_token_opens_no_other_project_of_its_user(project: Project, owner: User) -> None:
    other = make_project("elsewhere")
    Membership.objects.create(project=other, user=owner, role=Role.LEAD)
    assert status(other, make_token(owner, project)) == 404


def test_a_token_opens_nothing_to_who_has_left_the_project(project: Project, owner: User) -> None:
    secret = make_token(owner, project)
    Membership.objects.filter(user=owner).delete()
    assert status(project, secret) == 404


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
    ids=["revoked", "expired"],
)
def test_a_dead_token_opens_nothing(project: Project, owner: User, change: dict[str, object]) -> None:
    secret = make_token(owner, project)
    ApiToken.objects.filter(user=owner).update(**change)
    assert status(project, secret) == 401


def test_a_token_of_a_disabled_user_opens_nothing(project: Project, owner: User) -> None:
    secret = make_token(owner, project)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert status(project, secret) == 401


@pytest.mark.parametrize("secret", ["", "gr_", "gr_made-up", "Bearer", "\x00", "gr_" + "x" * 5000])
def test_a_made_up_token_opens_nothing(project: Project, secret: str) -> None:
    assert status(project, secret) == 401


def test_a_digest_is_no_token(project: Project, owner: User) -> None:
    make_token(owner, project)
    assert status(project, ApiToken.objects.get(user=owner).digest) == 401


def test_tokens_of_sample_people_work_on_this_machine_only(project: Project) -> None:
    secret = make_token(make_user("sample", project, Role.LEAD), project)
    assert status(project, secret) == 200
    assert status(project, secret, HTTP_X_FORWARDED_FOR="127.0.0.1") == 401
    assert status(project, secret, REMOTE_ADDR="192.0.2.7") == 401


@pytest.mark.django_db
def test_no_table_holds_a_token_or_a_password_in_clear(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_project", "secretive", "--person", "newly:admin")
    made = json.loads(capsys.readouterr().out)
    assert made["token"] and made["password"]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for secret in (made["token"], made["password"]):
                cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{secret}%"])  # noqa: S608
                assert cursor.fetchone() == (0,), table
