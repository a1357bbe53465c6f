"""Protects claims: everyone's item is seen, freed and given away by leads only, and nobody gets one twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation import claims, gold, rounds, settling
from annotation.models import Assignment, AssignmentState, LateOperation, Round, Slot
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, Role, User
from webapp.audit.models import Event


def opened(project: Project, lead: User, reviewers: list[User], *, items: int = 2, **more: Any) -> Round:
    round = cast.make_round(project, lead, items=items, **more)
    return rounds.open_round(actor=lead, round=round, reviewers=reviewers)


def test_a_lead_sees_who_holds_what_and_what_was_begun_and_left(
    project: Project, lead: User, ada: User
) -> None:
    round = opened(project, lead, [ada], items=3)
    desk = Desk(ada)
    desk.claim(round)
    desk.do("set_weight", key="p1", weight=2)
    Assignment.rows.filter(pk=desk.item["id"]).update(lease_until=None)
    desk.claim(round)
    assert [(claim.reviewer, claim.state) for claim in claims.in_hand(round)] == [
        (ada, AssignmentState.DRAFT),
    ]
    desk.claim(round)
    assert [claim.state for claim in claims.in_hand(round)] == ["open", "draft"]


def test_a_released_lease_keeps_the_draft_and_late_writes_beside_it(
    project: Project, lead: User, ada: User
) -> None:
    round = opened(project, lead, [ada], items=1)
    desk = Desk(ada)
    desk.claim(round)
    desk.do("set_weight", key="p1", weight=2)
    held = Assignment.rows.get(pk=desk.item["id"])
    with pytest.raises(claims.ClaimRefused, match="Say why"):
        claims.release(actor=lead, assignment=held, reason=" ")
    claims.release(actor=lead, assignment=held, reason="her machine is broken")
    assert desk.send("set_weight", {"key": "p1", "weight": 1}).status_code == 409
    assert LateOperation.rows.count() == 1
    with pytest.raises(claims.ClaimRefused, match="Nobody holds"):
        claims.release(actor=lead, assignment=held, reason="again")
    event = Event.rows.get(action="lease.released")
    assert (event.actor, event.reason) == (lead, "her machine is broken")

    other = Desk(ada)
    assert other.claim(round)
    assert other.item["revision"] == 1
    weights = {one["key"]: one["weight"] for one in other.item["document"]["criteria"]}
    assert weights["p1"] == 2


def test_a_reassigned_item_begins_from_the_draft_and_leaves_the_first_list(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = opened(project, lead, [ada], items=2)
    desk = Desk(ada)
    desk.claim(round)
    desk.do("set_weight", key="p1", weight=2)
    before = Assignment.rows.get(pk=desk.item["id"])
    made = claims.reassign(actor=lead, assignment=before, reviewer=ben, reason="on leave")

    assert (made.reviewer, made.slot, made.revision) == (ben, Slot.FIRST, 0)
    assert made.pk != before.pk
    assert {one["weight"] for one in made.document["criteria"] if one["key"] == "p1"} == {5}
    assert len(desk.rail(round)) == 1
    assert desk.get(f"items/{before.pk}").status_code == 404
    assert desk.send("set_weight", {"key": "p1", "weight": 1}).status_code == 409
    assert desk.post(f"items/{before.pk}/lease").status_code == 409
    assert Desk(ben).accept_all(round) == 1
    settling.settle_due()
    assert gold.of_project(project).get().assignment == made
    assert Event.rows.get(action="item.reassigned").reason == "on leave"


def test_nobody_is_given_an_item_that_they_had_before(
    project: Project, lead: User, ada: User, ben: User, cleo: User
) -> None:
    round = opened(project, lead, [ada, ben], items=2, double_share=1.0)
    first = Assignment.rows.filter(reviewer=ada).first()
    assert first is not None
    with pytest.raises(claims.ClaimRefused, match="had a part"):
        claims.reassign(actor=lead, assignment=first, reviewer=ben, reason="x")
    to_cleo = claims.reassign(actor=lead, assignment=first, reviewer=cleo, reason="x")
    with pytest.raises(claims.ClaimRefused, match="had a part"):
        claims.reassign(actor=lead, assignment=to_cleo, reviewer=ada, reason="x")
    with pytest.raises(claims.ClaimRefused, match="Somebody else"):
        claims.reassign(actor=lead, assignment=first, reviewer=lead, reason="x")
    shown = claims.candidates(round, [to_cleo])[to_cleo.pk]
    assert shown == [lead]


def test_only_undecided_reviews_of_an_open_round_are_given_away(
    project: Project, lead: User, ada: User, ben: User, outsider: User, admin: User
) -> None:
    round = opened(project, lead, [ada], items=1)
    one = Assignment.rows.get()
    for nobody in (outsider, admin):
        with pytest.raises(claims.ClaimRefused, match="can't review"):
            claims.reassign(actor=lead, assignment=one, reviewer=nobody, reason="x")
    with pytest.raises(PermissionDenied):
        claims.reassign(actor=ben, assignment=one, reviewer=ben, reason="x")
    with pytest.raises(PermissionDenied):
        claims.release(actor=ada, assignment=one, reason="x")
    Desk(ada).accept_all(round)
    with pytest.raises(claims.ClaimRefused, match="decided"):
        claims.reassign(actor=lead, assignment=one, reviewer=ben, reason="x")


def test_a_whole_list_is_handed_over_but_for_what_the_other_one_had(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = opened(project, lead, [ada, ben], items=6, double_share=0.34)
    mine = Assignment.rows.filter(reviewer=ada).count()
    doubles = Assignment.rows.filter(slot=Slot.SECOND).count()
    assert claims.hand_over(actor=lead, round=round, old=ada, new=ben, reason="leave") == (
        mine - doubles,
        doubles,
    )
    assert len(Desk(ada).rail(round)) == doubles


def test_a_skipped_item_goes_to_another_reviewer_who_reads_nothing_of_it(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = opened(project, lead, [ada, ben], items=2)
    desk = Desk(ada)
    desk.claim(round)
    desk.do("set_weight", key="p1", weight=1)
    desk.do("comment", id="0" * 8 + "-0000-4000-8000-" + "0" * 12, text="I don't know this field.")
    desk.do("skip", reason="Not my field")
    assert desk.rail(round)[0]["state"] == "skipped"
    other = Desk(ben)
    assert len(other.rail(round)) == 2
    said = []
    while other.claim(round):
        said.append(str(other.item))
        other.judge_all()
        other.do("accept")
    assert "Not my field" not in str(said)
    assert "know this field" not in str(said)
    assert desk.send("unskip").status_code == 422
    settling.settle_due()
    assert rounds.progress(round).gold == 2 - Assignment.rows.filter(reviewer=ada, state="open").count()


def test_a_skip_is_taken_back_until_the_next_one_has_begun(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = opened(project, lead, [ada, ben], items=2)
    desk = Desk(ada)
    desk.claim(round)
    desk.do("skip", reason="Not my field")
    assert len(Desk(ben).rail(round)) == 2
    desk.do("unskip")
    assert len(Desk(ben).rail(round)) == 1
    desk.judge_all()
    desk.do("accept")
    settling.settle_due()
    assert gold.of_project(project).get().assignment.reviewer == ada


def test_an_item_that_everybody_skipped_is_decided(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = opened(project, lead, [ada, ben], items=2)
    for user in (ada, ben, ada):
        desk = Desk(user)
        while desk.claim(round):
            desk.do("skip", reason="Cannot be judged")
    progress = rounds.progress(round)
    assert (progress.skipped, progress.undecided, Assignment.rows.count()) == (2, 0, 4)
    rounds.close_round(actor=lead, round=round)


def test_both_blind_slots_survive_a_skip_by_one_of_them(
    project: Project, lead: User, ada: User, ben: User, cleo: User
) -> None:
    round = opened(project, lead, [ada, ben, cleo], items=3, double_share=1.0)
    desk = Desk(ada)
    while desk.claim(round):
        desk.do("skip", reason="Conflict of interest")
    for user in (ben, cleo):
        assert Desk(user).accept_all(round) == 3
    assert rounds.progress(round).gold == 3
    assert Assignment.rows.filter(state="submitted").values("item", "slot").distinct().count() == 6


STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "skip", "unskip", "accept", "give", "settle"]), st.integers(0, 3)),
    max_size=14,
)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_one_person_stands_in_each_slot_and_nobody_twice(
    project: Project, lead: User, steps: list[tuple[str, int]]
) -> None:
    number = Round.rows.count() + 1
    people = [cast.make_user(f"r{number}-{place}", project, Role.PHYSICIAN) for place in range(4)]
    round = opened(project, lead, people[:3], items=2, double_share=0.5, number=number)
    desks = [Desk(person) for person in people]
    for step, who in steps:
        _take(step, desks[who], people[who], round, lead)
        standing = Assignment.rows.filter(item__round=round, returned_at=None).values_list("item", "slot")
        assert len(standing) == len(set(standing))
        held = Assignment.rows.filter(item__round=round).values_list("item", "reviewer")
        assert len(held) == len(set(held))
    for assignment in Assignment.rows.filter(item__round=round, state="submitted"):
        assert assignment.returned_at is None


def _take(step: str, desk: Desk, person: User, round: Round, lead: User) -> None:
    if step == "claim":
        desk.claim(round)
    elif step == "settle":
        settling.settle_due()
    elif step == "give":
        open_ones = Assignment.rows.filter(item__round=round, returned_at=None).exclude(reviewer=person)
        for assignment in open_ones.order_by("pk")[:1]:
            try:
                claims.reassign(actor=lead, assignment=assignment, reviewer=person, reason="because")
            except claims.ClaimRefused:
                return
    elif desk.item:
        answer = desk.send(step, {"reason": "x"} if step == "skip" else {})
        assert answer.status_code in {200, 404, 409, 412, 422}
        if answer.status_code == 200:
            desk.item |= answer.json()
