"""Who may open the review screen, and what its shell holds before a script runs."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from annotation import rounds
from annotation.models import Round
from tests import cast
from webapp.accounts.models import Project, User
from webapp.screens.review import words
from webapp.screens.review.views import SCRIPTS
from webapp.static_storage import HashedStaticFiles

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
MOST_QUERIES = 8


@pytest.fixture
def opened(project: Project, lead: User, ada: User) -> Round:
    round = cast.make_round(project, lead)
    rounds.open_round(actor=lead, round=round)
    return round


def status(user: User, round: Round, project: str = "ward") -> int:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client.get(f"/p/{project}/review/{round.pk}/").status_code


def test_a_physician_opens_the_screen(opened: Round, ada: User) -> None:
    assert status(ada, opened) == 200


def test_who_may_not_review_is_told_so(opened: Round, admin: User, api_client_user: User) -> None:
    assert status(admin, opened) == 403
    assert status(api_client_user, opened) == 403


def test_for_an_outsider_the_round_does_not_exist(opened: Round, outsider: User) -> None:
    assert status(outsider, opened) == 404
    assert status(outsider, opened, "elsewhere") == 404


def test_a_round_that_is_not_open_yet_does_not_exist(project: Project, lead: User, ada: User) -> None:
    assert status(ada, cast.make_round(project, lead)) == 404


def test_the_shell_holds_no_item_and_costs_few_queries(
    opened: Round, ada: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = Client()
    client.force_login(ada, backend=BACKEND)
    with django_assert_max_num_queries(MOST_QUERIES):
        page = client.get(f"/p/ward/review/{opened.pk}/").content.decode()
    config = json.loads(re.search(r'id="review-config"[^>]*>(.*?)</script>', page)[1])  # type: ignore[index]
    assert config["round"] == str(opened.pk)
    assert config["person"] == ada.pseudonym
    assert "nitroglycerin" not in page


def test_every_word_that_a_script_asks_for_is_there() -> None:
    known = set(words.strings())
    asked: set[str] = set()
    for script in scripts():
        asked |= set(re.findall(r'\bt\("([a-z_0-9]+)"', script))
        asked |= set(re.findall(r'"(refused_[a-z_]+)"', script))
        asked |= {f"do_{name}" for name in re.findall(r'\{ id: "([a-z_]+)"', script)}
    assert asked
    assert asked <= known, sorted(asked - known)


def test_modules_import_each_other_without_a_circle() -> None:
    """Names of static files carry hashes of their content, so a circle of imports has none."""
    imports = {
        path.name: set(re.findall(r'from "\./(\w+\.js)"', path.read_text(encoding="utf-8")))
        for path in SCRIPTS.glob("*.js")
    }

    def chain(name: str, above: tuple[str, ...] = ()) -> int:
        assert name not in above, " → ".join([*above, name])
        return 1 + max((chain(further, (*above, name)) for further in imports[name]), default=0)

    assert 1 < chain("main.js") < HashedStaticFiles.max_post_process_passes


def scripts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.js")]
