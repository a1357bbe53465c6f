"""People who are no sample accounts: with a password, and with or without a second factor."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from allauth.mfa.totp.internal.auth import (
    TOTP,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.test import Client

from webapp.accounts.models import Membership, Project, Role, User

PASSWORD = "a long enough password"
TOTP_STEP_S = 30


@dataclass
class Person:
    user: User
    secret: str = ""

    @property
    def username(self) -> str:
        return str(self.user.username)

    def code(self) -> str:
        """What the authenticator app shows now."""
        return totp_code(self.secret)


def totp_code(secret: str, *, good_for_s: float = 1.0) -> str:
    """The app's code now, or the next one where this one ends in less than `good_for_s` seconds."""
    left = TOTP_STEP_S - time.time() % TOTP_STEP_S
    if left < good_for_s:
        time.sleep(left)
    return f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06d}"


def make_person(project: Project | None = None, role: Role = Role.LEAD, *, totp: bool = True) -> Person:
    """A user name that no other test has: tries are counted beyond one test's transaction."""
    user = User.objects.create_user(f"person-{uuid.uuid4().hex[:12]}", password=PASSWORD)
    if project is not None:
        Membership.objects.create(project=project, user=user, role=role)
    person = Person(user)
    if totp:
        person.secret = generate_totp_secret()
        TOTP.activate(user, person.secret)
    return person


def sign_in(client: Client, person: Person, password: str = PASSWORD) -> int:
    """Password, then the code where one is asked for; returns the status of the last answer."""
    answer = client.post("/accounts/login/", {"login": person.username, "password": password})
    if answer.status_code == 302 and answer["Location"].startswith("/accounts/2fa/authenticate/"):
        answer = client.post("/accounts/2fa/authenticate/", {"code": person.code()})
    return answer.status_code


def confirm_password(client: Client) -> None:
    """What is asked before the second factor is changed."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
