"""Protects what leads see and do about items in hand, flags, threads, pace; and what an hours export may hold."""

from __future__ import annotations

import csv
import html
import io
import re
import uuid

import pytest

from annotation import rounds
from annotation.models import Assignment, Comment, Flag, Round
from tests import cast
from tests.annotation.desk import Desk
from tests.screens.world import sign_in
from webapp.accounts.models import Project, User
from webapp.screens.quality.views import plain


@pytest.fixture
def begun(project: Project, lead: User, ada: User, ben: User) -> Round:
    """Ada holds one item that she flagged and wrote about."""
    round = cast.make_round(project, lead, items=2)
    rounds.open_round(actor=lead, round=round, reviewers=[ada])
    desk = Desk(ada)
    desk.claim(round)
    desk.do("flag", reason="Missing context", text="How old?")
    desk.do("comment", id=str(uuid.uuid4()), text="<b>Which</b> guideline?", criterion="p1")
    return round


def test_a_lead_sees_the_holder_and_gives_the_item_away(begun: Round, lead: User, ben: User) -> None:
    client = sign_in(lead)
    page = client.get(f"/p/ward/rounds/{begun.pk}/").content.decode()
    held = Assignment.rows.get(lease_until__isnull=False)
    assert f"/claims/{held.pk}/" in page
    claim = f"/p/ward/rounds/{begun.pk}/claims/{held.pk}/"
    assert "held until" in client.get(claim).content.decode()
    client.post(f"{claim}give/", {"to": ben.pk, "reason": ""})
    assert not Assignment.rows.filter(reviewer=ben).exists()
    client.post(f"{claim}give/", {"to": ben.pk, "reason": "on leave"})
    assert Assignment.rows.get(reviewer=ben).item == held.item
    assert client.post(f"{claim}give/", {"to": "x", "reason": "y"}).status_code == 404


def test_a_lead_releases_a_lease_and_hands_a_list_over(
    begun: Round, lead: User, ada: User, ben: User
) -> None:
    client = sign_in(lead)
    held = Assignment.rows.get(lease_until__isnull=False)
    client.post(f"/p/ward/rounds/{begun.pk}/claims/{held.pk}/release/", {"reason": "broken machine"})
    held.refresh_from_db()
    assert held.lease_until is None
    client.post(f"/p/ward/rounds/{begun.pk}/hand-over/", {"from": ada.pk, "to": ben.pk, "reason": "leave"})
    assert Assignment.rows.filter(reviewer=ben).count() == 2


def test_a_due_date_is_set_and_shown_to_who_works_on_the_round(begun: Round, lead: User, ada: User) -> None:
    client = sign_in(lead)
    client.post(f"/p/ward/rounds/{begun.pk}/deadline/", {"deadline": "2031-05-04"})
    assert "4 May 2031" in client.get(f"/p/ward/rounds/{begun.pk}/").content.decode()
    assert "4 May 2031" in sign_in(ada).get("/p/ward/queue/").content.decode()
    client.post(f"/p/ward/rounds/{begun.pk}/deadline/", {"deadline": "soon"})
    begun.refresh_from_db()
    assert begun.deadline is not None
    client.post(f"/p/ward/rounds/{begun.pk}/deadline/", {"deadline": ""})
    begun.refresh_from_db()
    assert begun.deadline is None


def test_a_flag_is_answered_from_its_queue(begun: Round, lead: User) -> None:
    client = sign_in(lead)
    assert "How old?" in client.get("/p/ward/flags/").content.decode()
    flag = Flag.rows.get()
    client.post(f"/p/ward/flags/{flag.pk}/", {"answer": "61", "then": "leave open"})
    assert "61" in client.get("/p/ward/flags/?reason=Missing+context").content.decode()
    client.post(f"/p/ward/flags/{flag.pk}/", {"answer": "61", "then": "resolve"})
    assert "How old?" not in client.get("/p/ward/flags/").content.decode()
    assert "How old?" in client.get("/p/ward/flags/?show=resolved").content.decode()


def test_many_flags_are_paged_by_key_and_each_is_shown_once(begun: Round, lead: User) -> None:
    flag = Flag.rows.get()
    Flag.rows.bulk_create(
        Flag(
            project=flag.project,
            assignment=flag.assignment,
            reason=f"Other {place}",
            text=f"flag no. {place}.",
        )
        for place in range(60)
    )
    client = sign_in(lead)
    first = client.get("/p/ward/flags/").content.decode()
    onwards = re.search(r'rel="next" href="([^"]+)"', first)
    assert onwards is not None
    second = client.get(f"/p/ward/flags/{html.unescape(onwards[1])}").content.decode()
    for place in range(60):
        assert (f"flag no. {place}." in first) != (f"flag no. {place}." in second)
    assert 'rel="next"' not in second


def test_threads_are_answered_and_resolved_and_nothing_in_them_executes(
    begun: Round, lead: User, ada: User, ben: User
) -> None:
    client = sign_in(lead)
    thread = Comment.rows.get()
    page = client.get("/p/ward/discussion/").content.decode()
    assert "&lt;b&gt;Which&lt;/b&gt; guideline?" in page
    assert "Names the interaction of sildenafil and nitrates." in page
    client.post(f"/p/ward/discussion/{thread.pk}/reply/", {"text": "The one of 2024."})
    assert "The one of 2024." in sign_in(ada).get("/p/ward/discussion/").content.decode()
    assert "guideline" not in sign_in(ben).get("/p/ward/discussion/").content.decode()
    assert sign_in(ben).post(f"/p/ward/discussion/{thread.pk}/reply/", {"text": "x"}).status_code == 404
    client.post(f"/p/ward/discussion/{thread.pk}/resolve/")
    assert "Which" not in client.get("/p/ward/discussion/").content.decode()
    client.post(f"/p/ward/discussion/{thread.pk}/resolve/", {"to": "open"})
    assert "Which" in client.get("/p/ward/discussion/").content.decode()


def test_hours_are_told_by_person_round_and_day_without_a_formula(
    begun: Round, lead: User, ada: User
) -> None:
    ada.first_name = "=cmd|' /C calc'!A0"
    ada.save()
    desk = Desk(ada)
    desk.accept_all(begun)
    Assignment.rows.filter(state="submitted").update(active_ms=5_400_000)
    response = sign_in(lead).get("/p/ward/quality/hours.csv")
    rows = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))  # type: ignore[attr-defined]
    assert rows[0][:3] == ["reviewer", "account", "round"]
    assert {(row[0], row[1], row[2]) for row in rows[1:]} == {("'=cmd|' /C calc'!A0", "ada", "1")}
    assert "1.500" in {row[-1] for row in rows[1:]}
    assert response["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_begins_a_formula(text: str) -> None:
    assert plain(text) == f"'{text}"
    assert plain(f"a{text}") == f"a{text}"


def test_own_figures_stay_silent_about_open_rounds(begun: Round, ada: User, project: Project) -> None:
    page = sign_in(ada).get("/p/ward/my-work/").content.decode()
    assert "When a round closes" in page
    assert "on purpose" not in page
