"""Protects what a reviewer's browser keeps: the sealing key is one's own, the same in every session, and goes to
nobody else; a key map is kept whole or refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.cast import make_token
from webapp.accounts import desks
from webapp.accounts.models import Project, User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
DESK, KEYS = "/api/v1/review/desk", "/api/v1/review/desk/keys"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def journal(user: User) -> dict[str, str]:
    answer = at(user).get(DESK)
    assert answer.status_code == 200
    return dict(answer.json()["journal"])


def put(user: User, keys: Any) -> Any:
    return at(user).put(KEYS, keys, content_type="application/json")


def test_the_sealing_key_is_the_same_in_every_session_and_another_one_for_each_person(
    ada: User, ben: User
) -> None:
    first, again = journal(ada), journal(ada)
    assert first == again
    assert len(base64.b64decode(first["secret"])) == 32
    assert first["secret"] != journal(ben)["secret"]
    assert first["name"] != journal(ben)["name"]


def test_the_sealing_key_is_kept_by_no_cache_and_stored_nowhere(ada: User) -> None:
    answer = at(ada).get(DESK)
    assert answer["Cache-Control"] == "no-store"
    assert base64.b64decode(answer.json()["journal"]["secret"]).hex() not in str(vars(ada.desk))


def test_another_secret_of_the_server_gives_another_key_under_another_name(
    ada: User, settings: Settings
) -> None:
    before = desks.sealing_key(desks.desk_of(actor=ada))
    settings.SECRET_KEY = "another secret of this server"
    after = desks.sealing_key(desks.desk_of(actor=ada))
    assert before.name != after.name
    assert before.secret != after.secret


def test_who_reviews_nowhere_has_no_desk(admin: User, api_client_user: User, ada: User) -> None:
    for user in (admin, api_client_user):
        assert at(user).get(DESK).status_code == 403
        assert put(user, {}).status_code == 403
    ada.is_active = False
    ada.save()
    assert at(ada).get(DESK).status_code == 401


def test_a_token_gets_no_sealing_key(ada: User, project: Project) -> None:
    answer = Client(headers={"Authorization": f"Bearer {make_token(ada, project)}"}).get(DESK)
    assert answer.status_code == 403
    assert b"secret" not in answer.content


def test_a_key_map_is_kept_for_the_person(ada: User, ben: User) -> None:
    mine = {"single": False, "keys": {"met": ["t"], "heavier": ["+", "="], "flag": []}}
    assert put(ada, mine).json() == mine
    assert at(ada).get(DESK).json()["keys"] == mine
    assert at(ben).get(DESK).json()["keys"] == {}


@pytest.mark.parametrize(
    "keys",
    [
        {"single": "yes"},
        {"keys": []},
        {"keys": {"Met!": ["t"]}},
        {"keys": {"met": "t"}},
        {"keys": {"met": [""]}},
        {"keys": {"met": ["x" * 11]}},
        {"keys": {"met": [7]}},
        {"keys": {"met": ["Backspace"]}},
        {"keys": {"met": ["4"]}},
        {
            "keys": {f"met_{'x' * n}": [] for n in range(36)}
            | {f"a{'b' * n}_{c}": [] for n in range(30) for c in "abc"}
        },
    ],
)
def test_a_key_map_that_breaks_a_rule_is_refused_and_the_old_one_stays(ada: User, keys: Any) -> None:
    put(ada, {"keys": {"met": ["t"]}})
    refused = put(ada, keys)
    assert refused.status_code == 422
    assert refused.json()["title"]
    assert at(ada).get(DESK).json()["keys"]["keys"] == {"met": ["t"]}
