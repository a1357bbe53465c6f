"""Protects the list of what waits for a third reviewer: oldest first, and nobody settles an item they reviewed."""

from __future__ import annotations

import re

import pytest

from annotation import rounds
from annotation.models import Assignment, Round, Slot
from tests import cast
from tests.annotation.desk import Desk
from tests.screens.world import sign_in
from webapp.accounts.models import Project, User


@pytest.fixture
def disputed(project: Project, lead: User, ada: User, adjudicator: User) -> Round:
    """Ada and an adjudicator reviewed; so the lead is the only one left to settle."""
    round = cast.make_round(project, lead, items=3, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    for user, weight in ((ada, 1), (adjudicator, 2)):
        desk = Desk(user)
        while desk.claim(round):
            desk.do("set_weight", key="p1", weight=weight)
            desk.judge_all()
            desk.do("accept")
    return round


def test_the_oldest_waits_first_and_says_how_much_it_asks(disputed: Round, lead: User) -> None:
    page = sign_in(lead).get("/p/ward/adjudication/").content.decode()
    shown = [int(n) for n in re.findall(r"item (\d)</td>", page)]
    done = Assignment.rows.filter(slot=Slot.SECOND) | Assignment.rows.filter(slot=Slot.FIRST)
    last: dict[int, object] = {}
    for one in done.order_by("submitted_at").select_related("item"):
        last[one.item.position] = one.submitted_at
    assert shown == sorted(last, key=lambda position: str(last[position]))
    assert page.count("Adjudicate</a>") == 3


def test_who_reviewed_an_item_is_not_offered_it(disputed: Round, adjudicator: User) -> None:
    page = sign_in(adjudicator).get("/p/ward/adjudication/").content.decode()
    assert "3 items wait" in page
    assert "Adjudicate</a>" not in page
    Assignment.rows.filter(slot=Slot.ADJUDICATOR).update(reviewer=None)
    assert "Adjudicate</a>" not in sign_in(adjudicator).get("/p/ward/adjudication/").content.decode()
    assert not Desk(adjudicator).claim(disputed)


def test_an_empty_list_says_what_will_stand_there(project: Project, lead: User) -> None:
    assert "Nothing waits" in sign_in(lead).get("/p/ward/adjudication/").content.decode()
