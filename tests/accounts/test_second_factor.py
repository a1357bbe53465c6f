"""Protects: who signed in without a second factor can set one up, by app or passkey, and do nothing else; API tokens,
which an admin makes, go without."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from tests.accounts.people import Person, confirm_password, make_person, sign_in, totp_code
from webapp.accounts.models import ApiToken, Project, Role


@dataclass
class Newcomer:
    person: Person
    client: Client


@pytest.fixture
def newcomer(project: Project) -> Newcomer:
    """A lead who has just signed in for the first time."""
    person = make_person(project, Role.LEAD, totp=False)
    client = Client()
    assert sign_in(client, person) == 302
    return Newcomer(person, client)


def test_a_newcomer_is_sent_to_set_up_a_second_factor(newcomer: Newcomer) -> None:
    page = newcomer.client.get("/", follow=True)
    assert page.redirect_chain[-1] == (reverse("mfa_index"), 302)
    assert "Set up one of these two" in page.content.decode()


@pytest.mark.parametrize(
    "path",
    ["/", "/p/{slug}/", "/p/{slug}/people/", "/accounts/password/change/", "/accounts/email/"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_newcomer_can_open_nothing_else(
    newcomer: Newcomer, project: Project, path: str, method: str
) -> None:
    answer = getattr(newcomer.client, method)(path.format(slug=project.slug))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("mfa_index")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_newcomers_session_opens_no_api(newcomer: Newcomer, project: Project, method: str) -> None:
    answer = getattr(newcomer.client, method)(f"/api/v1/projects/{project.slug}/rounds")
    assert answer.status_code == 403
    assert "second factor" in answer.json()["title"]


def test_a_token_opens_the_api_without_a_second_factor(newcomer: Newcomer, project: Project) -> None:
    _, secret = ApiToken.issue(project=project, user=newcomer.person.user, name="script")
    answer = Client().get(
        f"/api/v1/projects/{project.slug}/rounds", headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 200


def test_an_authenticator_app_is_set_up_with_its_code_and_opens_the_product(
    newcomer: Newcomer, project: Project
) -> None:
    assert newcomer.client.get(reverse("mfa_activate_totp"))["Location"].startswith(
        "/accounts/reauthenticate/"
    )
    confirm_password(newcomer.client)
    page = newcomer.client.get(reverse("mfa_activate_totp")).content.decode()
    secret = newcomer.client.session["mfa.totp.secret"]
    assert secret in page, "it can be typed where no camera is"
    assert re.search(r'src="data:image/svg', page), "and scanned"
    assert newcomer.client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.filter(user=newcomer.person.user).exists()
    secret = newcomer.client.session["mfa.totp.secret"]
    newcomer.client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)})
    assert newcomer.client.get(f"/p/{project.slug}/").status_code == 200
    kinds = set(Authenticator.objects.filter(user=newcomer.person.user).values_list("type", flat=True))
    assert kinds == {"totp", "recovery_codes"}


def test_both_ways_are_offered_on_the_page_that_one_is_sent_to(newcomer: Newcomer) -> None:
    page = newcomer.client.get(reverse("mfa_index")).content.decode()
    assert reverse("mfa_activate_totp") in page
    assert reverse("mfa_add_webauthn") in page or reverse("mfa_list_webauthn") in page
    confirm_password(newcomer.client)
    assert newcomer.client.get(reverse("mfa_add_webauthn")).status_code == 200


def test_a_newcomer_can_sign_out(newcomer: Newcomer) -> None:
    newcomer.client.post(reverse("account_logout"))
    assert "_auth_user_id" not in newcomer.client.session


def test_who_turns_the_second_factor_off_is_a_newcomer_again(client: Client, project: Project) -> None:
    person = make_person(project)
    sign_in(client, person)
    confirm_password(client)
    client.post(reverse("mfa_deactivate_totp"))
    assert client.get(f"/p/{project.slug}/")["Location"] == reverse("mfa_index")
