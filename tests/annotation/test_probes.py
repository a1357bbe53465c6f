"""Protects the anchoring meter: probes are dealt by seed, told to no reviewer, and never change what becomes gold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from annotation import gold, quality, rounds, settling
from annotation.anchoring import Share
from annotation.models import Assignment, Probe, ProbeKind, Round, RoundItem, Slot
from annotation.planting import Planted
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, User

OWN = "0" * 31


def opened(
    project: Project, lead: User, *, items: int = 8, double_share: float = 0.0, **shares: Any
) -> Round:
    round = cast.make_round(project, lead, items=items, double_share=double_share, **shares)
    return rounds.open_round(actor=lead, round=round)


def write_own(desk: Desk, number: int, dimension: str = "safety") -> str:
    key = f"{OWN}{number}"
    words = f"My own criterion number {number}."
    desk.do("add", key=key, dimension=dimension, text=words, weight=3, polarity="must_hold")
    for response in desk.item["responses"]:
        desk.do("set_verdict", key=key, response=response["key"], met=True)
    return key


def planted_of(desk: Desk) -> Planted | None:
    item = Assignment.rows.get(pk=desk.item["id"]).item
    return Probe.rows.filter(item=item).values_list("planted", flat=True).first()


def test_the_draft_of_a_blind_first_item_is_not_sent_until_it_is_revealed(
    project: Project, lead: User, ada: User
) -> None:
    round = opened(project, lead, items=1, blind_first_share=1.0)
    desk = Desk(ada)
    desk.claim(round)
    shown = json.dumps(desk.item)
    for _, _, text, _, _ in cast.DRAFT:
        assert text not in shown
    assert desk.item["document"]["sealed"] is True
    assert desk.item["draft"]["criteria"] == []
    assert desk.send("accept").status_code == 422
    assert desk.send("reveal").json()["title"].startswith("Write at least one criterion")

    key = f"{OWN}1"
    desk.do("add", key=key, dimension="safety", text="My own.", weight=3, polarity="must_hold")
    refused = desk.send("reveal").json()
    assert {entry["criterion"] for entry in refused["missing"]} == {key}
    stale = desk.send("flag", {"reason": "other"}, revision=0).content.decode()
    assert '"sealed":true' in stale.replace(" ", "")
    assert cast.DRAFT[0][2] not in stale
    for response in desk.item["responses"]:
        desk.do("set_verdict", key=key, response=response["key"], met=True)
    desk.do("reveal")

    item = desk.get(f"items/{desk.item['id']}").json()
    assert [criterion["key"] for criterion in item["draft"]["criteria"]] == ["s1", "s2", "p1", "p2", "e1"]
    assert [criterion["key"] for criterion in item["document"]["criteria"]][-1] == key
    assert not item["document"]["sealed"]
    assert desk.send("reveal").status_code == 422


def test_a_blind_first_item_becomes_gold_and_leaves_the_pass_rates(
    project: Project, lead: User, ada: User
) -> None:
    round = opened(project, lead, items=2, blind_first_share=0.5)
    desk = Desk(ada)
    while desk.claim(round):
        if desk.item["document"]["sealed"]:
            own = write_own(desk, 1)
            desk.do("reveal")
            desk.do("reject", key=own, reason="Repeats another")
            desk.item = desk.get(f"items/{desk.item['id']}").json()
        desk.judge_all()
        desk.do("accept")
    settling.settle_due()
    assert gold.of_project(project).count() == 2
    assert rounds.pass_rates(round).reviewed == 1
    rounds.close_round(actor=lead, round=round)
    assert (round.reviewed, round.strict_passes) == (1, 1)
    [measured] = quality.of_project(project, viewer=lead)
    assert measured.anchoring.judged_first == measured.anchoring.shown == Share(5, 5)


def test_a_seeded_error_is_shown_as_drafted_and_reaches_no_gold_whether_caught_or_not(
    project: Project, lead: User, ada: User
) -> None:
    round = opened(project, lead, items=6, seeded_share=1.0)
    desk = Desk(ada)
    catch = True
    caught = 0
    while desk.claim(round):
        planted = planted_of(desk)
        assert planted is not None
        assert desk.item["draft"]["criteria"] == _plain(desk.item["document"]["criteria"])
        shown = next(one for one in desk.item["draft"]["criteria"] if one["key"] == planted["key"])
        assert shown[planted["field"]] == planted["shown"]
        desk.judge_all()
        if catch:
            desk.do(f"set_{planted['field']}", key=planted["key"], **{planted["field"]: planted["drafted"]})
            caught += 1
        catch = not catch
        desk.do("accept")
    settling.settle_due()

    for made in gold.of_project(project):
        draft = {one.key: one.value() for one in made.item.draft.criteria.all()}  # type: ignore[union-attr]
        for criterion in made.rubric.criteria.all():
            assert criterion.value() == draft[criterion.key]
        assert made.strict
        probe = Probe.rows.get(item=made.item)
        assert probe.planted is not None
        assert probe.planted["key"] not in str(made.ledger)
    assert rounds.pass_rates(round).reviewed == 0
    [measured] = quality.of_project(project, viewer=lead)
    assert measured.caught == Share(caught, 6)
    assert measured.caught.interval is not None


def _plain(criteria: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in one.items() if name not in {"origin", "rejected"}} for one in criteria
    ]


def test_two_blind_reviewers_who_both_overlook_an_error_agree_without_it(
    project: Project, lead: User, ada: User, ben: User, adjudicator: User
) -> None:
    round = opened(project, lead, items=4, double_share=1.0, seeded_share=1.0)
    for user in (ada, ben):
        Desk(user).accept_all(round)
    settling.settle_due()
    assert gold.of_project(project).count() == 4
    assert not Assignment.rows.filter(slot=Slot.ADJUDICATOR).exists()


def test_one_who_caught_the_error_and_one_who_did_not_meet_before_an_adjudicator_who_sees_no_error(
    project: Project, lead: User, ada: User, ben: User, adjudicator: User
) -> None:
    round = opened(project, lead, items=4, double_share=1.0, seeded_share=1.0)
    Desk(ada).accept_all(round)
    desk = Desk(ben)
    while desk.claim(round):
        planted = planted_of(desk)
        assert planted is not None
        desk.judge_all()
        desk.do("set_text", key=planted["key"], text="Says something that is not what was written before.")
        desk.do("accept")
    settling.settle_due()
    third = Desk(adjudicator)
    assert third.claim(round)
    planted = planted_of(third)
    assert planted is not None
    if planted["field"] == "text":
        assert planted["shown"] not in json.dumps(third.item)
    columns = third.item["document"]["adjudication"]["columns"]
    seen = [column["criteria"][planted["key"]] for column in columns if planted["key"] in column["criteria"]]
    assert planted["drafted"] in [criterion[planted["field"]] for criterion in seen]


def test_a_repeated_item_comes_later_to_the_same_reviewer_and_makes_no_second_gold(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = opened(project, lead, items=20, repeat_share=0.2)
    repeats = list(Assignment.rows.filter(slot=Slot.REPEAT))
    assert len(repeats) == 4
    for repeat in repeats:
        first = Assignment.rows.get(item=repeat.item, slot=Slot.FIRST)
        assert (first.reviewer, first.position < repeat.position) == (repeat.reviewer, True)
    for user in (ada, ben):
        own = Assignment.rows.filter(reviewer=user).values_list("position", flat=True)
        assert sorted(own) == list(range(1, len(own) + 1))
        Desk(user).accept_all(round)
    settling.settle_due()
    assert gold.of_project(project).count() == 20
    measured = quality.of_project(project, viewer=lead)
    assert sum(one.repeated.items for one in measured) == 4
    assert all(one.repeated.verdicts.part == one.repeated.verdicts.n for one in measured)
    assert sum(one.repeated.verdicts.n for one in measured) == 4 * 5 * 2


def test_agreement_with_oneself_counts_what_differs(project: Project, lead: User, ada: User) -> None:
    round = opened(project, lead, items=4, repeat_share=0.25)
    desk = Desk(ada)
    repeat = str(Assignment.rows.get(slot=Slot.REPEAT).pk)
    while desk.claim(round):
        desk.judge_all(met=desk.item["id"] != repeat)
        if desk.item["id"] == repeat:
            desk.do("set_weight", key="p1", weight=1)
        desk.do("accept")
    [measured] = quality.of_project(project, viewer=lead)
    assert (measured.repeated.verdicts.part, measured.repeated.verdicts.n) == (0, 10)
    assert (measured.repeated.criteria.part, measured.repeated.criteria.n) == (4, 5)


def test_a_round_closes_without_its_repeats(project: Project, lead: User, ada: User) -> None:
    round = opened(project, lead, items=4, repeat_share=0.25)
    repeat = str(Assignment.rows.get(slot=Slot.REPEAT).pk)
    desk = Desk(ada)
    while desk.claim(round):
        if desk.item["id"] != repeat:
            desk.judge_all()
            desk.do("accept")
        else:
            desk.do("set_weight", key="p1", weight=1)
            break
    for row in desk.rail(round):
        if row["id"] != repeat and row["state"] != "submitted":
            desk.open(row["id"])
            desk.judge_all()
            desk.do("accept")
    rounds.close_round(actor=lead, round=round)
    assert round.reviewed == 4


def test_the_same_seed_deals_the_same_probes_and_none_twice(project: Project, lead: User, ada: User) -> None:
    dealt = []
    for number in (1, 2):
        round = cast.make_round(
            project, lead, items=20, number=number, blind_first_share=0.2, seeded_share=0.2, repeat_share=0.2
        )
        Round.rows.filter(pk=round.pk).update(number=1000)
        round.number = 1000
        rounds.open_round(actor=lead, round=round)
        dealt.append(
            [
                (kind, position, planted and planted["key"])
                for kind, position, planted in Probe.rows.filter(item__round=round)
                .order_by("item__position")
                .values_list("kind", "item__position", "planted")
            ]
        )
        Round.rows.filter(pk=round.pk).update(number=number)
    assert dealt[0] == dealt[1]
    assert [sum(row[0] == kind for row in dealt[0]) for kind in ProbeKind] == [4, 4, 4]


def test_nothing_that_a_reviewer_reads_names_a_probe(project: Project, lead: User, ada: User) -> None:
    round = opened(project, lead, items=6, seeded_share=0.5, repeat_share=0.3)
    desk = Desk(ada)
    shapes = set()
    said = json.dumps(desk.rail(round))
    while desk.claim(round):
        said += json.dumps(desk.item)
        shapes.add(_shape(desk.item))
        desk.judge_all()
        desk.do("accept")
    assert len(shapes) == 1
    for secret in ("planted", "probe", "seeded", "repeat", "slot"):
        assert secret not in said


def _shape(value: Any) -> Any:
    """The names that an answer is made of."""
    if isinstance(value, dict):
        return tuple(sorted((name, _shape(inner)) for name, inner in value.items() if name != "verdicts"))
    if isinstance(value, list):
        return tuple(sorted({str(_shape(inner)) for inner in value}))
    return type(value).__name__


def test_reviewers_see_of_themselves_what_closed_rounds_tell(project: Project, lead: User, ada: User) -> None:
    round = opened(project, lead, items=4, seeded_share=1.0)
    Desk(ada).accept_all(round)
    settling.settle_due()
    before = quality.of_person(project, ada)
    assert before is not None
    assert (before.caught.n, before.pace.decided) == (0, 4)
    rounds.close_round(actor=lead, round=round)
    after = quality.of_person(project, ada)
    assert after is not None
    assert after.caught == Share(0, 4)
    assert quality.of_person(project, lead) is None


def test_probes_never_change(project: Project, lead: User, ada: User) -> None:
    opened(project, lead, items=1, seeded_share=1.0)
    with pytest.raises(DatabaseError), transaction.atomic():
        Probe.rows.update(kind=ProbeKind.REPEAT, planted=None)
    assert RoundItem.rows.get().probe.kind == ProbeKind.SEEDED
