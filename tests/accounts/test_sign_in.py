"""Protects the way in: by invitation only, ten tries a quarter of an hour and account, sample accounts on this machine
only, and nobody stays in who was disabled."""

from __future__ import annotations

import itertools
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.db import connections
from django.test import Client
from pytest_django import Settings

from tests.accounts.people import PASSWORD, make_person, sign_in
from tests.cast import make_user
from webapp.accounts.models import Project, Role, User

GUESSERS = 50
MOST_TRIES = 10


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_nobody_can_sign_up(client: Client, db: None) -> None:
    page = client.get("/accounts/signup/")
    assert b"<form" not in page.content or b"password1" not in page.content
    client.post(
        "/accounts/signup/",
        {"username": "uninvited", "password1": PASSWORD, "password2": PASSWORD, "email": "a@b.example"},
    )
    assert not User.objects.filter(username="uninvited").exists()
    assert not signed_in(client)


def test_a_person_signs_in_with_user_name_password_and_code(client: Client, project: Project) -> None:
    assert sign_in(client, make_person(project)) == 302
    assert signed_in(client)
    assert client.get("/", follow=True).status_code == 200


def test_a_password_alone_signs_nobody_in_who_has_a_second_factor(client: Client, project: Project) -> None:
    person = make_person(project)
    client.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    assert not signed_in(client)
    assert client.get(f"/p/{project.slug}/")["Location"].startswith("/accounts/login/")


def test_a_code_is_good_once(project: Project) -> None:
    person = make_person(project)
    assert sign_in(Client(), person) == 302
    again = Client()
    sign_in(again, person)
    assert not signed_in(again)


def test_an_email_address_is_no_user_name(client: Client, project: Project) -> None:
    person = make_person(project, totp=False)
    User.objects.filter(pk=person.user.pk).update(email="person@clinic.example")
    client.post("/accounts/login/", {"login": "person@clinic.example", "password": PASSWORD})
    assert not signed_in(client)


def test_a_disabled_user_is_out_at_the_next_request(client: Client, project: Project) -> None:
    person = make_person(project)
    sign_in(client, person)
    assert client.get(f"/p/{project.slug}/").status_code == 200
    User.objects.filter(pk=person.user.pk).update(is_active=False)
    assert client.get(f"/p/{project.slug}/")["Location"].startswith("/accounts/login/")
    later = Client()
    sign_in(later, person)
    assert not signed_in(later)


def test_a_new_password_ends_the_sessions_of_the_old_one(client: Client, project: Project) -> None:
    person = make_person(project)
    sign_in(client, person)
    person.user.set_password("another long password")
    person.user.save(update_fields=["password"])
    assert client.get(f"/p/{project.slug}/")["Location"].startswith("/accounts/login/")


def test_who_was_locked_out_is_told_when_to_come_back(client: Client, project: Project) -> None:
    person = make_person(project)
    answers = [
        client.post("/accounts/login/", {"login": person.username, "password": "wrong"}) for _ in range(11)
    ]
    assert b"Too many" in answers[-1].content
    sign_in(client, person)
    assert not signed_in(client)


def test_ten_wrong_codes_lock_the_second_step(client: Client, project: Project) -> None:
    person = make_person(project)
    client.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    for _ in range(MOST_TRIES):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    client.post("/accounts/2fa/authenticate/", {"code": person.code()})
    assert not signed_in(client)


@dataclass
class Guessed:
    """How many guesses reached the comparison of passwords."""

    names: list[str] = field(default_factory=list)


@pytest.fixture
def guessed(monkeypatch: pytest.MonkeyPatch) -> Guessed:
    seen = Guessed()

    def slow_refusal(user: User, raw_password: str) -> bool:
        seen.names.append(user.username)
        time.sleep(0.05)
        return False

    monkeypatch.setattr(User, "check_password", slow_refusal)
    return seen


def guess_in_parallel(username: str) -> None:
    """50 at once, each from an address, to a port and in a spelling of its own."""
    spellings = itertools.cycle([username, username.upper(), username.title(), f" {username} "])

    def guess(number: int, spelling: str) -> None:
        Client(headers={"host": f"localhost:{8000 + number}"}).post(
            "/accounts/login/",
            {"login": spelling, "password": f"guess-{number}"},
            REMOTE_ADDR=f"192.0.2.{number + 1}",
        )
        connections.close_all()

    with ThreadPoolExecutor(GUESSERS) as crowd:
        list(crowd.map(guess, range(GUESSERS), spellings))


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_guessers_have_ten_tries_together(guessed: Guessed) -> None:
    user = make_person(totp=False).user
    guess_in_parallel(user.username)
    assert 0 < len(guessed.names) <= MOST_TRIES
    guessed.names.clear()
    guess_in_parallel(user.username)
    assert guessed.names == []


@pytest.mark.django_db(transaction=True)
def test_the_guessers_would_be_seen_if_a_gate_let_them_through(guessed: Guessed, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    guess_in_parallel(make_person(totp=False).user.username)
    assert len(guessed.names) > MOST_TRIES


def test_tries_are_remembered_without_the_broker_too(
    client: Client, project: Project, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    person = make_person(project, totp=False)
    for number in range(MOST_TRIES):
        client.post("/accounts/login/", {"login": person.username, "password": f"guess-{number}"})
    sign_in(client, person)
    assert not signed_in(client)


FROM_ELSEWHERE = [
    {"REMOTE_ADDR": "192.0.2.7"},
    {"REMOTE_ADDR": ""},
    {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    {"HTTP_FORWARDED": "for=127.0.0.1"},
    {"HTTP_X_REAL_IP": "127.0.0.1"},
]


@pytest.fixture
def sample(project: Project) -> User:
    user = make_user(f"sample-{uuid.uuid4().hex[:8]}", project, Role.LEAD)
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def test_a_sample_person_comes_in_from_this_machine_without_password_or_code(
    client: Client, sample: User, project: Project
) -> None:
    assert client.post(f"/accounts/sample/{sample.username}/").status_code == 302
    assert client.get(f"/p/{project.slug}/").status_code == 200


@pytest.mark.parametrize("origin", FROM_ELSEWHERE)
def test_a_sample_person_can_not_come_in_from_elsewhere(
    client: Client, sample: User, project: Project, origin: dict[str, str]
) -> None:
    assert client.post(f"/accounts/sample/{sample.username}/", **origin).status_code == 404  # type: ignore[arg-type]
    client.post("/accounts/login/", {"login": sample.username, "password": PASSWORD}, **origin)  # type: ignore[arg-type]
    refused = client.get(f"/p/{project.slug}/", **origin)  # type: ignore[arg-type]
    assert refused.status_code in {302, 403}
    assert not signed_in(client)


@pytest.mark.parametrize("origin", FROM_ELSEWHERE)
def test_a_sample_session_ends_when_it_is_used_from_elsewhere(
    client: Client, sample: User, project: Project, origin: dict[str, str]
) -> None:
    client.post(f"/accounts/sample/{sample.username}/")
    assert client.get(f"/p/{project.slug}/", **origin).status_code == 403  # type: ignore[arg-type]
    assert client.get(f"/p/{project.slug}/").status_code == 302


def test_only_sample_people_have_the_door_without_a_password(client: Client, project: Project) -> None:
    assert client.post(f"/accounts/sample/{make_person(project).username}/").status_code == 404


def test_a_sample_sign_in_is_refused_to_who_is_signed_in_already(
    client: Client, sample: User, project: Project
) -> None:
    person = make_person(project)
    sign_in(client, person)
    assert client.post(f"/accounts/sample/{sample.username}/").status_code == 403
    assert client.session["_auth_user_id"] == str(person.user.pk)


def test_a_sample_sign_in_needs_the_token_against_forged_requests(sample: User) -> None:
    assert Client(enforce_csrf_checks=True).post(f"/accounts/sample/{sample.username}/").status_code == 403
