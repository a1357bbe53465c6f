"""Protects the life of a round: from drafts through reviews to gold, pass rates and the pool."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from annotation import gold, rounds
from annotation.models import Assignment, Gold, GoldVerdict, Round, RoundItem, RoundState, Slot
from rubric_engine.models import Exemplar, RubricKind, VerdictOrigin
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, Role, User
from webapp.audit.models import Event


def test_a_round_goes_from_drafts_to_gold_and_closes_with_its_pass_rates(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=3))
    desk = Desk(ada)
    assert desk.claim(round)
    desk.judge_all()
    desk.do("accept")
    assert desk.claim(round)
    desk.do("set_text", key="e1", text="Acknowledges the fear of the patient.")
    desk.judge_all(met=False)
    desk.do("accept")
    assert desk.claim(round)
    desk.do("set_weight", key="p2", weight=1)
    desk.judge_all()
    desk.do("accept")
    assert not desk.claim(round)

    rounds.close_round(actor=lead, round=round)

    assert round.state == RoundState.CLOSED
    assert (round.reviewed, round.strict_passes, round.minor_passes) == (3, 1, 2)
    rates = rounds.pass_rates(round)
    assert rates.strict_interval is not None
    assert rates.strict_interval[0] < 1 / 3 < rates.strict_interval[1]
    assert gold.of_project(project).count() == Exemplar.objects.of(project).count() == 3
    assert {exemplar.owner for exemplar in Exemplar.objects.of(project)} == {ada}


def test_gold_keeps_the_keys_of_the_draft_and_the_verdicts_of_the_reviewer(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    desk.do("reject", key="e1", reason="off topic")
    added = "0" * 32
    desk.do(
        "add",
        key=added,
        dimension="excellence",
        text="Offers to call a relative.",
        weight=2,
        polarity="must_hold",
    )
    desk.do("set_text", key="p1", text="Names the interaction of sildenafil with nitrates.")
    for response in ("A", "B"):
        for key in ("s1", "s2", "p1", "p2", added):
            desk.do("set_verdict", key=key, response=response, met=response == "A")
    desk.do("set_rationale", key="s1", response="A", text="It says so in the first line.")
    desk.do("accept")

    made = gold.of_project(project).get()
    assert made.rubric.kind == RubricKind.CORRECTED
    assert made.rubric.parent == made.item.draft
    assert made.rubric.author == ada
    assert [criterion.key for criterion in made.rubric.criteria.all()] == ["s1", "s2", "p1", "p2", added]
    assert not made.strict
    assert not made.minor
    assert [entry["key"] for entry in made.ledger["kept"]] == ["s1", "s2", "p2"]
    assert made.ledger["edited"][0]["wording"] is True
    assert made.ledger["rejected"] == [
        {"key": "e1", "text": "Acknowledges the patient's fear.", "reason": "off topic"}
    ]
    assert made.ledger["added"][0]["key"] == added
    verdicts = GoldVerdict.objects.of(project).filter(gold=made)
    assert verdicts.count() == 10
    assert set(verdicts.values_list("origin", flat=True)) == {VerdictOrigin.PHYSICIAN}
    assignment = Assignment.objects.of(project).get()
    letter_a = assignment.response_order[0]
    assert all(verdict.met == (verdict.response_id == letter_a) for verdict in verdicts)
    assert verdicts.filter(rationale="It says so in the first line.").count() == 1


def test_imported_verdicts_are_prefilled_on_the_same_text_and_polarity_and_become_confirmed(
    project: Project, lead: User, ada: User
) -> None:
    instruction = cast.make_instruction(project, "known")
    source = cast.make_rubric(instruction, kind=RubricKind.SOURCE)
    first, second = instruction.responses.order_by("pk")
    by_key = {criterion.key: criterion for criterion in source.criteria.all()}
    cast.make_verdict(first, by_key["s1"], met=True)
    cast.make_verdict(second, by_key["s1"], met=True, by="one")
    cast.make_verdict(second, by_key["s1"], met=False, by="another")
    round = cast.make_round(project, lead, instructions=[instruction])
    rounds.open_round(actor=lead, round=round)

    document = Assignment.objects.of(project).get().document
    letter = "AB"[Assignment.objects.of(project).get().response_order.index(first.pk)]
    assert document["verdicts"] == {
        "s1": {letter: {"met": True, "origin": "imported", "rationale": "", "evidence": None}}
    }

    desk = Desk(ada)
    desk.claim(round)
    for key in ("s1", "s2", "p1", "p2", "e1"):
        for response in ("A", "B"):
            if (key, response) != ("s1", letter):
                desk.do("set_verdict", key=key, response=response, met=False)
    desk.do("accept")
    confirmed = GoldVerdict.objects.of(project).get(origin=VerdictOrigin.CONFIRMED)
    assert (confirmed.response, confirmed.criterion.key, confirmed.met) == (first, "s1", True)


def test_two_equal_reviews_merge_and_two_different_ones_go_to_a_third_person(
    project: Project, lead: User, ada: User, ben: User, adjudicator: User
) -> None:
    round = cast.make_round(project, lead, items=2, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    adas, bens = Desk(ada), Desk(ben)
    equal = RoundItem.objects.of(project).get(position=1)
    for desk in (adas, bens):
        for assignment in Assignment.objects.of(project).filter(reviewer=desk.user):
            desk.open(str(assignment.pk))
            desk.judge_all()
            if assignment.item_id != equal.pk and desk is bens:
                desk.do("set_verdict", key="s1", response="A", met=False)
                desk.do("set_weight", key="p1", weight=2)
            desk.do("accept")

    assert gold.of_project(project).get().item == equal
    third = Assignment.objects.of(project).get(slot=Slot.ADJUDICATOR)
    assert third.reviewer == adjudicator
    assert third.item_id != equal.pk
    with pytest.raises(rounds.RoundRefused, match="1 of them are with an adjudicator"):
        rounds.close_round(actor=lead, round=round)

    desk = Desk(adjudicator)
    assert desk.claim(round)
    columns = desk.item["document"]["adjudication"]["columns"]
    assert sorted(column["criteria"]["p1"]["weight"] for column in columns) == [2, 5, 5]
    missing = desk.send("accept").json()["missing"]
    assert {entry["criterion"] for entry in missing} == {"s1", "p1"}
    (his,) = (place for place, column in enumerate(columns) if column["criteria"]["p1"]["weight"] == 2)
    desk.do("settle", row="p1", choice=his, reason="")
    assert "say why" in desk.send("settle", {"row": "s1", "choice": his, "reason": " "}).json()["title"]
    desk.do("settle", row="s1", choice=his, reason="The second response never names an ambulance.")
    desk.do("accept")
    settled = gold.of_project(project).get(item=third.item)
    assert settled.rubric.kind == RubricKind.ADJUDICATED
    assert settled.assignment == third
    rounds.close_round(actor=lead, round=round)
    assert round.reviewed == 2


def test_the_adjudicator_is_never_one_of_the_two(
    project: Project, lead: User, ada: User, adjudicator: User
) -> None:
    round = cast.make_round(project, lead, items=1, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    for user, weight in ((ada, 1), (adjudicator, 2)):
        desk = Desk(user)
        assert desk.claim(round)
        desk.judge_all()
        desk.do("set_weight", key="p1", weight=weight)
        desk.do("accept")
    assert Assignment.objects.of(project).get(slot=Slot.ADJUDICATOR).reviewer == lead


def test_undo_of_a_submit_withdraws_gold_and_its_exemplar_and_the_next_accept_supersedes_it(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    desk.judge_all()
    desk.do("accept")
    first = gold.of_project(project).get()
    assert desk.do("reopen")["state"] == "draft"
    assert not gold.of_project(project).exists()
    assert Exemplar.objects.of(project).get(rubric=first.rubric).retired_at is not None
    desk.do("accept")
    second = gold.of_project(project).get()
    first.refresh_from_db()
    assert first.superseded_by == second


def test_a_submit_can_be_undone_until_the_adjudication_begins(
    project: Project, lead: User, ada: User, ben: User, adjudicator: User
) -> None:
    round = cast.make_round(project, lead, items=1, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    desks = [Desk(ada), Desk(ben)]
    for weight, desk in enumerate(desks, start=1):
        desk.claim(round)
        desk.judge_all()
        desk.do("set_weight", key="p1", weight=weight)
        desk.do("accept")
    third = Assignment.objects.of(project).get(slot=Slot.ADJUDICATOR)
    desks[0].do("reopen")
    assert not Assignment.objects.of(project).filter(pk=third.pk).exists()
    desks[0].do("accept")
    assert Desk(adjudicator).claim(round)
    assert desks[0].send("reopen").status_code == 422


def test_a_skipped_item_is_decided_without_gold_and_counts_in_no_pass_rate(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=2))
    desk = Desk(ada)
    desk.claim(round)
    desk.do("skip", reason="not my field")
    assert desk.claim(round)
    desk.judge_all()
    desk.do("accept")
    state = rounds.progress(round)
    assert (state.gold, state.skipped, state.undecided, state.percent) == (1, 1, 0, 100)
    rounds.close_round(actor=lead, round=round)
    assert round.reviewed == 1


def test_where_one_of_two_reviewers_skips_the_other_one_decides(
    project: Project, lead: User, ada: User, ben: User
) -> None:
    round = cast.make_round(project, lead, items=1, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    adas, bens = Desk(ada), Desk(ben)
    adas.claim(round)
    adas.judge_all()
    adas.do("accept")
    assert not gold.of_project(project).exists()
    bens.claim(round)
    bens.do("skip", reason="not my field")
    assert gold.of_project(project).get().assignment.reviewer == ada
    bens.do("unskip")
    assert not gold.of_project(project).exists()


def test_a_round_with_open_items_does_not_close(project: Project, lead: User, ada: User) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=2))
    with pytest.raises(rounds.RoundRefused, match="2 of 2 items are not decided"):
        rounds.close_round(actor=lead, round=round)


def test_a_closed_round_takes_no_more_decisions_until_a_lead_reopens_it_with_a_reason(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.accept_all(round)
    desk.item = desk.open(str(Assignment.objects.of(project).get().pk))
    rounds.close_round(actor=lead, round=round)
    assert desk.send("reopen").status_code == 409
    with pytest.raises(rounds.RoundRefused, match="Say why"):
        rounds.reopen_round(actor=lead, round=round, reason=" ")
    rounds.reopen_round(actor=lead, round=round, reason="a dose was wrong")
    assert Event.objects.of(project).filter(action="round.open", reason="a dose was wrong").exists()
    desk.do("reopen")
    desk.do("set_weight", key="p1", weight=1)
    desk.do("accept")
    rounds.close_round(actor=lead, round=round)
    assert Gold.objects.of(project).count() == 2
    assert (round.reviewed, round.strict_passes) == (1, 0)


def test_a_rubric_only_round_accepts_without_verdicts(project: Project, lead: User, ada: User) -> None:
    round = cast.make_round(project, lead, items=1, responses=0, rubric_only=True)
    rounds.open_round(actor=lead, round=round)
    desk = Desk(ada)
    desk.claim(round)
    assert desk.item["rubric_only"]
    desk.do("accept")
    assert gold.of_project(project).get().strict


def test_a_bench_item_becomes_gold_but_never_an_exemplar(project: Project, lead: User, ada: User) -> None:
    instruction = cast.make_instruction(project, "bench", held_out=True)
    round = cast.make_round(project, lead, instructions=[instruction])
    rounds.open_round(actor=lead, round=round)
    Desk(ada).accept_all(round)
    assert gold.of_project(project).count() == 1
    assert not Exemplar.objects.of(project).exists()


def test_a_round_takes_by_seed_what_no_round_has_had_and_what_can_be_judged(
    project: Project, lead: User
) -> None:
    for number in range(6):
        cast.make_instruction(project, f"two-{number}")
    for number in range(3):
        cast.make_instruction(project, f"none-{number}", responses=0)
    cast.make_instruction(project, "bench", held_out=True)
    first = rounds.create_round(actor=lead, project=project, size=4, seed=3)
    again = rounds.create_round(actor=lead, project=project, size=9, seed=3)

    def names(round: Round) -> list[str]:
        return list(round.items.values_list("instruction__external_id", flat=True))

    assert all(name.startswith("two-") for name in names(first))
    assert [name.split("-")[0] for name in names(again)] == ["two"] * 2 + ["none"] * 3 + ["two"] * 4
    assert set(names(again)[:2]).isdisjoint(names(first))
    assert (first.number, again.number) == (1, 2)
    assert not first.rubric_only


def test_a_round_in_which_nothing_can_be_judged_is_rubric_only(project: Project, lead: User) -> None:
    cast.make_instruction(project, "bare", responses=0)
    assert rounds.create_round(actor=lead, project=project).rubric_only


def test_named_instructions_are_taken_and_unknown_ones_refused(project: Project, lead: User) -> None:
    cast.make_instruction(project, "here")
    round = rounds.create_round(actor=lead, project=project, instructions=["here"])
    assert round.size == 1
    with pytest.raises(rounds.RoundRefused, match="'gone'"):
        rounds.create_round(actor=lead, project=project, instructions=["here", "gone"])


def test_slots_are_dealt_evenly_and_to_specialists_first(project: Project, lead: User) -> None:
    heart = cast.make_user("heart", project, Role.PHYSICIAN, specialties=["Cardiology"])
    skin = cast.make_user("skin", project, Role.PHYSICIAN, specialties=["Dermatology"])
    instructions = [
        cast.make_instruction(project, f"{specialty}-{number}", specialty=specialty)
        for specialty in ("cardiology", "dermatology")
        for number in range(5)
    ]
    round = cast.make_round(project, lead, instructions=instructions)
    rounds.open_round(actor=lead, round=round)
    dealt = Assignment.objects.of(project).values_list("reviewer__username", "item__instruction__specialty")
    assert sorted(set(dealt)) == [("heart", "cardiology"), ("skin", "dermatology")]
    for user in (heart, skin):
        positions = Assignment.objects.of(project).filter(reviewer=user).values_list("position", flat=True)
        assert sorted(positions) == [1, 2, 3, 4, 5]


def test_only_who_runs_rounds_may_open_or_close_them(project: Project, lead: User, ada: User) -> None:
    round = cast.make_round(project, lead)
    for step in (rounds.open_round, rounds.close_round, rounds.start_drafting):
        with pytest.raises(PermissionDenied):
            step(actor=ada, round=round)


def test_the_database_refuses_a_step_back(project: Project, lead: User) -> None:
    round = cast.make_round(project, lead)
    round.state = RoundState.CREATED
    with pytest.raises(IntegrityError), transaction.atomic():
        round.save()


def test_what_both_added_stands_before_the_adjudicator_and_what_one_added_waits_to_be_settled(
    project: Project, lead: User, ada: User, ben: User, adjudicator: User
) -> None:
    round = cast.make_round(project, lead, items=1, double_share=1.0)
    rounds.open_round(actor=lead, round=round)
    kind = {"dimension": "excellence", "weight": 2, "polarity": "must_hold"}
    for letter, user in (("a", ada), ("b", ben)):
        desk = Desk(user)
        desk.claim(round)
        desk.do("add", key=letter * 32, text="Offers to call a relative.", **kind)
        if user == ben:
            desk.do("add", key="c" * 32, text="Is brief.", **kind)
        desk.judge_all()
        for criterion in desk.item["document"]["criteria"] + [{"key": letter * 32}]:
            for response in ("A", "B"):
                desk.do("set_verdict", key=criterion["key"], response=response, met=True)
        if user == ben:
            for response in ("A", "B"):
                desk.do("set_verdict", key="c" * 32, response=response, met=True)
        desk.do("accept")

    desk = Desk(adjudicator)
    desk.claim(round)
    added = {one["text"]: one for one in desk.item["document"]["criteria"] if one["origin"] == "added"}
    assert added["Offers to call a relative."]["rejected"] is None
    assert added["Is brief."]["rejected"] == {"reason": "not settled yet"}
    shared = added["Offers to call a relative."]["key"]
    assert set(desk.item["document"]["verdicts"][shared]) == {"A", "B"}
    alone = added["Is brief."]["key"]
    (row,) = (row for row in desk.item["document"]["adjudication"]["rows"] if row["key"] == alone)
    (bens,) = (place for place, cell in enumerate(row["cells"]) if cell)
    desk.do("settle", row=alone, choice=bens, reason="")
    desk.do("accept")
    assert gold.of_project(project).get().rubric.criteria.count() == 7
