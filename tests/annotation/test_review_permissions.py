"""Protects the edges of the review API: each role, each endpoint, one's own and foreign objects."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from annotation import rounds
from annotation.models import Assignment, Round
from tests import cast
from tests.annotation.desk import API, Desk
from webapp.accounts.models import ApiToken, Membership, Project, Role, User

ENDPOINTS = ["rail", "claim", "item", "lease", "operations"]
OPERATION = {
    "operation_id": "11111111-1111-4111-8111-111111111111",
    "kind": "flag",
    "payload": {"reason": "other"},
    "fence": 1,
}


@pytest.fixture
def opened(project: Project, lead: User, ada: User) -> Round:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=2))
    assert Desk(ada).claim(round)
    return round


def ask(desk: Desk, endpoint: str, round: Round, item: object) -> int:
    if endpoint == "rail":
        return desk.get(f"rounds/{round.pk}/items").status_code
    if endpoint == "claim":
        return desk.post(f"rounds/{round.pk}/claim").status_code
    if endpoint == "item":
        return desk.get(f"items/{item}").status_code
    if endpoint == "lease":
        return desk.post(f"items/{item}/lease").status_code
    return desk.post(f"items/{item}/operations", OPERATION, **{"If-Match": '"0"'}).status_code


def claimed() -> Assignment:
    return Assignment.rows.get(position=1)


MATRIX = {
    "ada": {"rail": 200, "claim": 200, "item": 200, "lease": 200, "operations": 200},
    "ben": {"rail": 200, "claim": 204, "item": 404, "lease": 404, "operations": 404},
    "adjudicator": {"rail": 200, "claim": 204, "item": 404, "lease": 404, "operations": 404},
    "lead": {"rail": 200, "claim": 204, "item": 404, "lease": 404, "operations": 404},
    "admin": dict.fromkeys(ENDPOINTS, 403),
    "api_client_user": dict.fromkeys(ENDPOINTS, 403),
    "outsider": dict.fromkeys(ENDPOINTS, 404),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("person", MATRIX)
def test_each_role_gets_at_each_endpoint_what_the_matrix_says(
    request: pytest.FixtureRequest, opened: Round, person: str, endpoint: str
) -> None:
    user = request.getfixturevalue(person)
    assert ask(Desk(user), endpoint, opened, claimed().pk) == MATRIX[person][endpoint]


@pytest.mark.parametrize("endpoint", ["item", "lease", "operations"])
def test_an_item_that_does_not_exist_looks_like_a_foreign_one(
    opened: Round, ben: User, outsider: User, endpoint: str
) -> None:
    nothing = uuid.UUID(int=1)
    for user in (ben, outsider):
        assert (
            ask(Desk(user), endpoint, opened, nothing)
            == ask(Desk(user), endpoint, opened, claimed().pk)
            == 404
        )


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nobody_gets_in_without_signing_in(opened: Round, endpoint: str) -> None:
    desk = Desk.__new__(Desk)
    desk.client, desk.item = Client(), {}
    assert ask(desk, endpoint, opened, claimed().pk) == 401


def test_a_session_needs_the_csrf_token_to_write(opened: Round, ada: User) -> None:
    desk = Desk(ada, client=Client(enforce_csrf_checks=True))
    for endpoint in ("claim", "lease", "operations"):
        assert ask(desk, endpoint, opened, claimed().pk) == 403


def test_a_bearer_token_opens_its_own_project_only(opened: Round, ada: User, project: Project) -> None:
    elsewhere = cast.make_project("another")
    Membership.objects.create(project=elsewhere, user=ada, role=Role.PHYSICIAN)
    for place, expected in ((project, 200), (elsewhere, 404)):
        desk = Desk.__new__(Desk)
        desk.client = Client(headers={"Authorization": f"Bearer {cast.make_token(ada, place)}"})
        desk.item = {}
        for endpoint in ENDPOINTS:
            assert ask(desk, endpoint, opened, claimed().pk) == expected, (place, endpoint)


def test_a_revoked_token_and_a_disabled_person_are_out_at_once(
    opened: Round, ada: User, project: Project
) -> None:
    secret = cast.make_token(ada, project)
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    address = f"{API}/rounds/{opened.pk}/items"
    assert client.get(address).status_code == 200
    desk = Desk(ada)
    ada.is_active = False
    ada.save()
    assert client.get(address).status_code == 401
    assert desk.get(f"rounds/{opened.pk}/items").status_code == 401
    ada.is_active = True
    ada.save()
    ApiToken.objects.update(revoked_at="2026-01-01T00:00Z")
    assert client.get(address).status_code == 401


def test_who_lost_the_role_can_no_longer_write(opened: Round, ada: User) -> None:
    Membership.objects.filter(user=ada).update(role=Role.API_CLIENT)
    assert ask(Desk(ada), "operations", opened, claimed().pk) == 403


def test_an_adjudication_needs_the_adjudicators_role(opened: Round, ada: User) -> None:
    Assignment.rows.filter(position=1).update(slot=2)
    for endpoint in ("item", "lease", "operations"):
        assert ask(Desk(ada), endpoint, opened, claimed().pk) == 403


def test_errors_are_problem_json(opened: Round, ben: User, admin: User) -> None:
    for user, status in ((ben, 404), (admin, 403)):
        response = Desk(user).get(f"items/{claimed().pk}")
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == status
        assert response.json()["title"]
