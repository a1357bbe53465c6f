"""Protects the second factor in a real browser, under the pages' own Content-Security-Policy: a passkey is set up, opens the
product, and signs in without a password later; an authenticator app is set up with its code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.accounts.people import PASSWORD, make_person, totp_code
from tests.browser.server import WebServer
from webapp.accounts.models import Project, Role

pytestmark = pytest.mark.browser


class Visit:
    """A page on `localhost` (a passkey belongs to a name, not to an address), and what the browser complained of."""

    def __init__(self, context: BrowserContext, server: WebServer) -> None:
        self.root = server.url.replace("127.0.0.1", "localhost")
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.root}{path}")

    def plug_in_a_key(self) -> None:
        """A virtual authenticator that always says yes."""
        devtools = self.page.context.new_cdp_session(self.page)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def sign_in(self, username: str) -> None:
        self.open("/accounts/login/")
        self.page.fill("[name=login]", username)
        self.page.fill("[name=password]", PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_url("**/accounts/2fa/")

    def confirm_password(self) -> None:
        self.page.wait_for_url("**/accounts/reauthenticate/**")
        self.page.fill("[name=password]", PASSWORD)
        self.page.locator("main button[type=submit]").first.click()


@pytest.fixture
def visit(new_window: Callable[..., BrowserContext], server: WebServer) -> Visit:
    return Visit(new_window(None), server)


def test_a_passkey_is_set_up_and_signs_in_without_a_password(visit: Visit, project: Project) -> None:
    person = make_person(project, Role.LEAD, totp=False)
    visit.plug_in_a_key()
    visit.sign_in(person.username)
    visit.open("/accounts/2fa/webauthn/add/")
    visit.confirm_password()
    visit.page.fill("[name=name]", "My laptop")
    visit.page.check("[name=passwordless]")
    visit.page.click("#mfa_webauthn_add")
    visit.page.wait_for_url("**/accounts/2fa/recovery-codes/**")
    visit.open(f"/p/{project.slug}/")
    assert visit.page.url.endswith(f"/p/{project.slug}/")

    visit.page.context.clear_cookies()
    visit.open("/accounts/login/")
    visit.page.click("#passkey_login")
    visit.page.wait_for_url(f"**/p/{project.slug}/")
    assert visit.complaints == []


def test_an_authenticator_app_is_set_up_with_the_code_it_shows(visit: Visit, project: Project) -> None:
    person = make_person(project, Role.LEAD, totp=False)
    visit.sign_in(person.username)
    visit.open("/accounts/2fa/totp/activate/")
    visit.confirm_password()
    picture = visit.page.locator("img[src^='data:image/svg']")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 0, "the policy lets the picture through"
    secret = visit.page.locator("#authenticator_secret").input_value()
    visit.page.fill("[name=code]", totp_code(secret, good_for_s=12))
    visit.page.locator("main button[type=submit]").first.click()
    visit.page.wait_for_url("**/accounts/2fa/recovery-codes/**")
    visit.open(f"/p/{project.slug}/")
    assert visit.page.url.endswith(f"/p/{project.slug}/")
    assert visit.complaints == []
