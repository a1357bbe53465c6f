"""Chromium, a real server, and a reviewer's desk in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from annotation import rounds
from annotation.models import Round
from tests import cast
from tests.browser.chromium import CHROMIUM, FLAGS
from tests.browser.desk import Desk, session_cookie
from tests.browser.server import WebServer
from webapp.accounts.models import Project, User


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(
            "No Chromium on this machine: install it (apt install chromium) to run the browser tests."
        )
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright's own event loop runs in this thread
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def web_server(chromium: Browser, django_db_setup: None) -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.kill()


@pytest.fixture
def server(web_server: WebServer, transactional_db: None) -> WebServer:
    """Running, over an empty database; one test may have killed it for the next."""
    if not web_server.running:
        web_server.start()
    return web_server


@pytest.fixture
def new_window(chromium: Browser, server: WebServer) -> Iterator[Callable[..., BrowserContext]]:
    """`new_window(user, **options)`: a signed-in browser of its own."""
    opened: list[BrowserContext] = []

    def make(user: User | None, **options: Any) -> BrowserContext:
        context = chromium.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        if user is not None:
            context.add_cookies([{"name": "sessionid", "value": session_cookie(user), "url": server.url}])
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def open_round(project: Project, lead: User, ada: User) -> Callable[..., Round]:
    """`open_round(items=…, verdicts=…)`: a round whose items are all Ada's; `verdicts`: judged already."""

    def make(*, verdicts: bool = False, **fields: Any) -> Round:
        round = cast.make_round(project, lead, **fields)
        if verdicts:
            for item in round.items.select_related("instruction"):
                source = cast.make_rubric(item.instruction, kind=cast.RubricKind.SOURCE)
                for place, response in enumerate(item.instruction.responses.order_by("pk")):
                    for criterion in source.criteria.all():
                        cast.make_verdict(
                            response, criterion, met=(criterion.polarity == "must_hold") == (place == 0)
                        )
        rounds.open_round(actor=lead, round=round)
        return round

    return make


@pytest.fixture
def desk(
    server: WebServer, new_window: Callable[..., BrowserContext], ada: User, project: Project
) -> Callable[..., Desk]:
    """`desk(round)`: Ada at the review screen of a round."""

    def sit(
        round: Round, *, user: User | None = None, context: BrowserContext | None = None, **options: Any
    ) -> Desk:
        window = context or new_window(user or ada, **options)
        return Desk(window, f"{server.url}/p/{project.slug}/review/{round.pk}/", round)

    return sit
