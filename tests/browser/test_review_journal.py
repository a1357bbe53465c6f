"""Protects what the browser keeps: sealed at rest, readable to its own person only, through reloads, ended sessions and
other people at the same browser; and what can't be kept or read is said, never dropped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from annotation.models import Operation, Round
from tests.browser.desk import Desk
from tests.browser.keeping import opened, records, sign_in
from tests.browser.server import WebServer
from webapp.accounts.models import ReviewDesk, User

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OpenRound = Callable[..., Round]
Sit = Callable[..., Desk]
WORDS = "Tells the patient to chew aspirin."
NO_SUBTLE = "Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined });"
NO_DATABASE = "IDBFactory.prototype.open = () => { throw new DOMException('refused', 'SecurityError'); };"


def write_unsent(desk: Desk) -> None:
    """A sentence and a verdict that no server has answered yet."""
    desk.page.route("**/operations", lambda route: route.abort())
    desk.press("e", "Control+a")
    desk.type(WORDS)
    desk.press("Control+Enter", "y")
    desk.page.wait_for_selector("#saved[data-state='offline']")


def leave(desk: Desk) -> None:
    desk.page.on("dialog", lambda dialog: dialog.accept())
    desk.page.close(run_before_unload=False)


def test_words_at_rest_in_the_browser_are_sealed(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(items=5))
    write_unsent(ada)
    ada.page.wait_for_timeout(1500)
    kept = records(ada.page)
    assert len([record for record in kept if record["table"] == "operations"]) == 2
    assert [record for record in kept if record["table"] == "items"]
    for record in kept:
        for words in (WORDS, "chew aspirin", "nitroglycerin", "set_text", "ambulance", "Advises"):
            assert words not in record["text"], record["table"]


def test_the_check_of_what_lies_at_rest_finds_a_planted_sentence(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(items=1))
    write_unsent(ada)
    ada.page.evaluate(
        """async ([words]) => {
          const { Store, OPERATIONS } = await import("/static/review/store.js");
          const [{ name }] = await indexedDB.databases();
          await (await Store.open(name)).put(OPERATIONS, { id: "planted", order: 1, body: { text: words } });
        }""",
        [WORDS],
    )
    assert [record["id"] for record in records(ada.page) if WORDS in record["text"]] == ["planted"]


def test_the_key_is_in_no_storage_of_the_browser_and_no_page(open_round: OpenRound, desk: Sit) -> None:
    ada = desk(open_round(items=2))
    secret = ada.page.evaluate("fetch('/api/v1/review/desk').then((answer) => answer.json())")["journal"][
        "secret"
    ]
    ada.press("y")
    ada.saved()
    assert all(secret not in record["text"] for record in records(ada.page))
    assert secret not in ada.page.content()
    assert all(secret not in str(cookie["value"]) for cookie in ada.context.cookies())


def test_another_person_at_the_same_browser_reads_nothing_and_deletes_nothing(
    open_round: OpenRound, desk: Sit, ada: User, ben: User, server: WebServer
) -> None:
    round = open_round()
    first = desk(round)
    write_unsent(first)
    leave(first)
    sign_in(first.context, ben, server.url)
    second = desk(round, context=first.context)
    left = records(second.page, "operations")
    assert len(left) == 2
    assert [opened(second.page, record) for record in left] == [[None, None]] * 2
    assert WORDS not in second.page.content()
    leave(second)
    sign_in(first.context, ada, server.url)
    again = desk(round, context=first.context)
    again.saved()
    assert again.operations() == ["set_text", "set_verdict"]
    assert again.document(again.current)["criteria"][0]["text"] == WORDS
    assert records(again.page, "operations") == []


def test_work_of_an_ended_session_goes_out_after_signing_in_again_on_a_new_page(
    open_round: OpenRound, desk: Sit, ada: User, server: WebServer
) -> None:
    round = open_round()
    first = desk(round)
    write_unsent(first)
    leave(first)
    first.context.clear_cookies()
    page = first.context.new_page()
    page.goto(f"{server.url}/p/ward/review/{round.pk}/")
    assert "/accounts/login/" in page.url
    sign_in(first.context, ada, server.url)
    again = desk(round, context=first.context)
    again.saved()
    assert again.operations() == ["set_text", "set_verdict"]


def test_an_ended_session_is_renewed_in_place_and_nothing_is_typed_again(
    open_round: OpenRound, desk: Sit, ada: User, server: WebServer
) -> None:
    screen = desk(open_round())
    screen.context.clear_cookies(name="sessionid")
    screen.press("e", "Control+a")
    screen.type(WORDS)
    screen.press("Control+Enter")
    screen.page.wait_for_selector("dialog[data-dialog='signin'][open]")
    assert "Your session has ended" in screen.page.locator("dialog[data-dialog='signin']").inner_text()
    assert len(records(screen.page, "operations")) == 1
    sign_in(screen.context, ada, server.url)
    screen.saved()
    screen.page.wait_for_selector("dialog[data-dialog='signin']", state="hidden")
    screen.press("y")
    screen.saved()
    assert screen.operations() == ["set_text", "set_verdict"]


def test_somebody_else_signing_in_does_not_send_what_one_wrote(
    open_round: OpenRound, desk: Sit, ada: User, ben: User, server: WebServer
) -> None:
    screen = desk(open_round())
    sign_in(screen.context, ben, server.url)
    screen.press("e", "Control+a")
    screen.type(WORDS)
    screen.press("Control+Enter")
    dialog = screen.page.locator("dialog[data-dialog='signin'][open]")
    dialog.wait_for()
    assert "Somebody else is signed in" in dialog.inner_text()
    assert screen.operations() == []
    sign_in(screen.context, ada, server.url)
    screen.saved()
    assert screen.operations() == ["set_text"]
    assert not Operation.rows.exclude(actor=ada).exists()


def test_what_an_earlier_key_sealed_is_named_and_kept(open_round: OpenRound, desk: Sit, ada: User) -> None:
    round = open_round()
    first = desk(round)
    write_unsent(first)
    leave(first)
    own = ReviewDesk.objects.get(user=ada)
    former, own.salt = own.salt, "0" * 64
    own.save()
    second = desk(round, context=first.context)
    notice = second.page.locator(".notices")
    assert "2 unsent changes in this browser are sealed with an earlier key" in notice.inner_text()
    second.press("j", "y")
    second.saved()
    assert len(records(second.page, "operations")) == 2
    leave(second)
    own.salt = former
    own.save()
    third = desk(round, context=first.context)
    third.saved()
    assert sorted(third.operations()) == ["set_text", "set_verdict", "set_verdict"]


@pytest.mark.parametrize(
    ("script", "words"), [(NO_SUBTLE, "not secure (no https)"), (NO_DATABASE, "keeps nothing for this page")]
)
def test_a_browser_that_can_keep_nothing_says_so_and_saves_all_the_same(
    script: str,
    words: str,
    open_round: OpenRound,
    desk: Sit,
    new_window: Callable[..., BrowserContext],
    ada: User,
) -> None:
    context = new_window(ada)
    context.add_init_script(script)
    screen = desk(open_round(), context=context)
    assert words in screen.page.locator(".notices").inner_text()
    screen.press("y", "j", "u")
    screen.saved()
    assert screen.operations() == ["set_verdict", "set_verdict"]
    assert screen.faults == []
