"""Protects the choice of a language: kept per person, in every browser, and never a way out to another site."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.test import Client
from django.utils.translation import override
from pytest_django import Settings

from tests.screens.world import sign_in
from webapp.accounts.languages import LanguageUnknown, choose
from webapp.accounts.models import Project, User
from webapp.screens.templatetags.look import day


@pytest.fixture(autouse=True)
def _no_language_left_behind() -> Iterator[None]:
    """A request activates its language in this thread; the next test begins in English again."""
    with override("en"):
        yield


def page(client: Client, **headers: str) -> str:
    return client.get("/p/ward/queue/", headers=headers).content.decode()


def test_a_person_s_language_is_kept_and_holds_in_every_browser(project: Project, ada: User) -> None:
    client = sign_in(ada)
    assert '<html lang="en" dir="ltr"' in page(client)
    answer = client.post("/accounts/language/", {"language": "zh-hans", "next": "/p/ward/queue/"})
    assert answer["Location"] == "/p/ward/queue/"
    assert '<html lang="zh-hans" dir="ltr"' in page(client)
    ada.refresh_from_db()
    assert '<html lang="zh-hans"' in page(sign_in(ada), accept_language="en")
    client.post("/accounts/language/", {"language": "en", "next": "/"})
    ada.refresh_from_db()
    assert '<html lang="en"' in page(sign_in(ada), accept_language="zh-CN")


def test_without_a_choice_the_browser_s_language_counts(project: Project, ada: User) -> None:
    assert '<html lang="zh-hans"' in page(sign_in(ada), accept_language="zh-CN,zh;q=0.9")
    assert '<html lang="en"' in page(sign_in(ada), accept_language="fr")
    assert (
        '<html lang="zh-hans"'
        in Client().get("/accounts/login/", headers={"accept-language": "zh"}).content.decode()
    )


def test_an_unknown_language_changes_nothing(project: Project, ada: User) -> None:
    with pytest.raises(LanguageUnknown):
        choose(actor=ada, language="../../etc")
    assert (
        sign_in(ada).post("/accounts/language/", {"language": "xx", "next": "/p/ward/queue/"}).status_code
        == 302
    )
    ada.refresh_from_db()
    assert ada.language == ""


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_switch_leads_to_no_other_site(address: str, project: Project, ada: User) -> None:
    answer = sign_in(ada).post("/accounts/language/", {"language": "en", "next": address})
    assert answer["Location"] == "/"
    assert sign_in(ada).get("/accounts/language/").status_code == 405


def test_a_language_written_from_the_right_turns_the_page(
    project: Project, ada: User, settings: Settings
) -> None:
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "العربية")]
    choose(actor=ada, language="ar")
    ada.refresh_from_db()
    assert '<html lang="ar" dir="rtl"' in page(sign_in(ada))


def test_the_api_answers_in_the_person_s_language(project: Project, ada: User) -> None:
    choose(actor=ada, language="zh-hans")
    ada.refresh_from_db()
    answer = sign_in(ada).get("/api/v1/review/items/00000000-0000-4000-8000-000000000000")
    assert answer.json()["title"] != "There is no such item among yours."


def test_dates_are_written_as_the_language_writes_them() -> None:
    moment = date(2026, 11, 23)
    assert day(moment) == "23 Nov 2026"
    with override("zh-hans"):
        assert day(moment) == "2026年11月23日"
    assert day(None) == ""
