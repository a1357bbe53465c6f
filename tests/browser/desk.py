"""What a reviewer does and sees at the review screen, in words for tests."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from playwright.sync_api import BrowserContext, Response

from annotation.models import Assignment, Operation, Round
from webapp.accounts.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
SAVED_MS = 15000


def session_cookie(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key is not None
    return session.session_key


class Desk:
    def __init__(self, context: BrowserContext, url: str, round: Round) -> None:
        self.context = context
        self.round = round
        self.faults: list[str] = []
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("response", self._answered)
        self.statuses: list[int] = []
        self.page.goto(url)
        self.page.wait_for_selector(
            "#content:is([data-mode='item'], [data-mode='done'], [data-mode='error'])"
        )

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(text)

    def _answered(self, response: Response) -> None:
        if "/api/v1/review/" in response.url:
            self.statuses.append(response.status)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def decide(self, key: str = "a") -> None:
        """A key that decides waits for the item to be painted, as a person does."""
        self.page.wait_for_timeout(80)
        self.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def until(self, expression: str, arg: object = None) -> None:
        """Wait until the page says so. Asked from outside: Playwright's own waiting evals, which the page's CSP forbids."""
        end = time.monotonic() + SAVED_MS / 1000
        while not self.page.evaluate(expression, arg):
            assert time.monotonic() < end, f"never came true: {expression}"
            self.page.wait_for_timeout(20)

    def saved(self) -> None:
        self.page.wait_for_selector("#saved[data-state='saved']", timeout=SAVED_MS)

    @property
    def chip(self) -> str:
        return self.page.locator("#saved").inner_text()

    @property
    def focused(self) -> str:
        return self.page.locator(".criterion--focused").inner_text()

    @property
    def order(self) -> str:
        return self.page.locator("[data-order]").inner_text()

    @property
    def current(self) -> Assignment:
        return Assignment.rows.get(pk=self.page.evaluate("location.hash.slice(1)"))

    def document(self, assignment: Assignment) -> dict[str, Any]:
        return dict(Assignment.rows.get(pk=assignment.pk).document)

    def operations(self) -> list[str]:
        rows = Operation.rows.filter(assignment__item__round=self.round).order_by("at", "revision")
        return list(rows.values_list("kind", flat=True))

    def states(self) -> list[str]:
        own = Assignment.rows.filter(item__round=self.round).order_by("position")
        return list(own.values_list("state", flat=True))
