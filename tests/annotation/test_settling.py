"""Protects what follows a decision: it comes behind the answer, once, in any order, and a close leaves none of it out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import adjudication, gold, queue, rounds, settling
from annotation.models import Assignment, DueSettlement, Gold, Round, RoundItem, Slot
from annotation.settling import settle_due
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, Role, User


def accept(desk: Desk, round: Round, *, weight: int | None = None) -> None:
    """Without the settling that `desk.do` does for other tests."""
    assert desk.claim(round)
    desk.judge_all()
    if weight:
        desk.do("set_weight", key="p1", weight=weight)
    send(desk, "accept")


def send(desk: Desk, kind: str) -> None:
    answer = desk.send(kind)
    assert answer.status_code == 200, answer.content
    desk.item |= answer.json()


def test_an_accept_makes_nothing_but_a_due_row_and_the_settling_makes_gold(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    accept(Desk(ada), round)
    assert not Gold.objects.of(project).exists()
    state = rounds.progress(round)
    assert (state.gold, state.skipped, state.undecided) == (0, 0, 1)
    assert settle_due() == 1
    assert gold.of_project(project).count() == 1
    assert not DueSettlement.objects.of(project).exists()
    assert settle_due() == 0


def test_the_second_of_two_asks_the_database_the_same_as_the_first(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = cast.make_round(project, lead, items=2, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    statements = []
    for user in (ada, ben):
        desk = Desk(user)
        desk.claim(round)
        desk.judge_all()
        with CaptureQueriesContext(connection) as seen:
            send(desk, "accept")
        statements.append([entry["sql"].split()[0] for entry in seen])
        settle_due()
    assert statements[0] == statements[1]


def test_an_undo_before_the_settling_is_settled_with_it(project: Project, lead: User, ada: User) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    accept(desk, round)
    settle_due()
    send(desk, "reopen")
    desk.do("set_weight", key="p1", weight=1)
    send(desk, "accept")
    assert settle_due() == 1
    first, second = Gold.objects.of(project).order_by("created_at")
    assert first.superseded_by == second
    assert [entry["key"] for entry in second.ledger["edited"]] == ["p1"]


def test_a_close_settles_what_is_due_first(project: Project, lead: User, ada: User) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=2))
    desk = Desk(ada)
    accept(desk, round)
    accept(desk, round)
    rounds.close_round(actor=lead, round=round)
    assert (round.reviewed, gold.of_project(project).count()) == (2, 2)
    assert not DueSettlement.objects.of(project).exists()


def test_one_item_that_cannot_be_settled_stops_no_other_and_is_tried_again(
    project: Project, lead: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=2))
    desk = Desk(ada)
    accept(desk, round)
    broken = Assignment.rows.get(pk=desk.item["id"]).item_id
    accept(desk, round)
    honest = adjudication.settle

    def failing(*, actor: User, item: RoundItem) -> None:
        if item.pk == broken:
            raise RuntimeError("disk full")
        honest(actor=actor, item=item)

    monkeypatch.setattr(settling, "settle", failing)
    assert settle_due() == 1
    assert DueSettlement.rows.get().fault == "RuntimeError: disk full"
    assert settle_due() == 0
    monkeypatch.setattr(settling, "settle", honest)
    DueSettlement.rows.update(due_at=timezone.now() - timedelta(seconds=1))
    assert settle_due() == 1
    assert gold.of_project(project).count() == 2


def test_what_is_reopened_but_not_settled_yet_is_nobodys_to_adjudicate(
    project: Project, lead: User, ada: User, ben: User, adjudicator: User
) -> None:
    round = cast.make_round(project, lead, items=1, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    adas, bens = Desk(ada), Desk(ben)
    accept(adas, round, weight=1)
    accept(bens, round, weight=2)
    settle_due()
    third = Assignment.objects.of(project).get(slot=Slot.ADJUDICATOR)
    send(adas, "reopen")
    desk = Desk(adjudicator)
    assert not desk.claim(round)
    with pytest.raises(queue.LeaseHeld):
        queue.renew_lease(actor=adjudicator, assignment_id=third.pk)
    settle_due()
    assert not Assignment.objects.of(project).filter(slot=Slot.ADJUDICATOR).exists()
    send(adas, "accept")
    settle_due()
    assert desk.claim(round)
    assert adas.send("reopen").status_code == 422


def test_who_had_an_item_never_settles_it(project: Project, lead: User, ada: User) -> None:
    dan = cast.make_user("dan", project, Role.ADJUDICATOR)
    eve = cast.make_user("eve", project, Role.ADJUDICATOR)
    round = cast.make_round(project, lead, items=2, double_share=1.0)
    rounds.open_round(actor=lead, round=round, reviewers=[ada, dan])
    for user, weight in ((ada, 1), (dan, 2)):
        desk = Desk(user)
        while desk.claim(round):
            desk.judge_all()
            desk.do("set_weight", key="p1", weight=weight)
            send(desk, "accept")
    settle_due()
    thirds = Assignment.objects.of(project).filter(slot=Slot.ADJUDICATOR)
    assert {third.reviewer for third in thirds} == {eve}
    thirds.update(reviewer=None)
    assert not Desk(dan).claim(round)
    assert Desk(eve).claim(round)


def test_criteria_of_one_meaning_are_paired_by_the_job_until_somebody_begins(
    project: Project, lead: User, ada: User, ben: User, adjudicator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    import numpy as np

    from webapp.jobs.models import Job

    round = cast.make_round(project, lead, items=1, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    for user, text in ((ada, "Asks about allergies."), (ben, "Enquires whether allergies are known.")):
        desk = Desk(user)
        desk.claim(round)
        new = {"dimension": "excellence", "weight": 1, "polarity": "must_hold"}
        desk.do("add", key="new", text=text, **new)
        for response in "AB":
            desk.do("set_verdict", key="new", response=response, met=True)
        desk.judge_all()
        desk.do("accept")
    third = Assignment.objects.of(project).get(slot=Slot.ADJUDICATOR)
    assert len(third.document["adjudication"]["rows"]) == 7
    job = Job.objects.of(project).get(kind="pair_adjudication", queue="llm")
    assert job.subject_id == str(third.pk)
    monkeypatch.setattr(adjudication, "vectors", lambda texts: np.ones((len(texts), 1)))
    adjudication.run_pairing(SimpleNamespace(job=job))  # type: ignore[arg-type]
    third.refresh_from_db()
    (paired,) = (row for row in third.document["adjudication"]["rows"] if row["origin"] == "added")
    assert sorted(len(cell) for cell in paired["cells"]) == [0, 1, 1]

    desk = Desk(adjudicator)
    assert desk.claim(round)
    monkeypatch.setattr(adjudication, "vectors", lambda texts: np.zeros((len(texts), 1)))
    adjudication.run_pairing(SimpleNamespace(job=job))  # type: ignore[arg-type]
    third.refresh_from_db()
    assert len(third.document["adjudication"]["rows"]) == 6
