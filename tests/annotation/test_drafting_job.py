"""Protects the drafting of a round: resumable, honest about what failed, and never without a draft that is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from annotation import rounds
from annotation.models import DraftState, Round, RoundItem, RoundState
from rubric_engine import drafting
from rubric_engine.drafters import DraftFailed
from rubric_engine.models import Instruction, RubricVersion
from tests import cast
from webapp.accounts.models import Project, User
from webapp.jobs.runner import Cancelled, Work

OnDone = Callable[[Instruction, RubricVersion | DraftFailed], None]


@pytest.fixture
def round(project: Project, lead: User) -> Round:
    for number in range(4):
        cast.make_instruction(project, f"item-{number}")
    return rounds.create_round(actor=lead, project=project, seed=1)


def drafter(*, fails: Sequence[str] = (), dies_after: int | None = None) -> Callable[..., None]:
    """Stands for the engine: drafts each instruction, fails on some, dies after some."""

    def draft_items(*, instructions: Sequence[Instruction], on_done: OnDone, **_: Any) -> None:
        for place, instruction in enumerate(instructions):
            if place == dies_after:
                raise ConnectionError("the runner was killed")
            with transaction.atomic():
                if instruction.external_id in fails:
                    on_done(instruction, DraftFailed("the model answered nonsense"))
                else:
                    on_done(instruction, cast.make_rubric(instruction))

    return draft_items


def states(round: Round) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in RoundItem.rows.filter(round=round).values_list("draft_state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_a_drafting_that_died_goes_on_where_it_was(
    round: Round, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = rounds.start_drafting(actor=lead, round=round)
    assert round.state == RoundState.DRAFTING
    assert rounds.start_drafting(actor=lead, round=round) == job
    monkeypatch.setattr(drafting, "draft_items", drafter(dies_after=3))
    with pytest.raises(ConnectionError):
        rounds.run_drafting(Work(job))
    assert states(round) == {"drafted": 3, "queued": 1}
    before = set(RoundItem.rows.exclude(draft=None).values_list("draft", flat=True))
    monkeypatch.setattr(drafting, "draft_items", drafter())
    rounds.run_drafting(Work(job))
    round.refresh_from_db()
    assert (round.state, states(round)) == (RoundState.DRAFTED, {"drafted": 4})
    assert before < set(RoundItem.rows.values_list("draft", flat=True))
    rounds.run_drafting(Work(job))


def test_failed_drafts_are_visible_get_no_slot_and_can_be_tried_again(
    round: Round, lead: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = rounds.start_drafting(actor=lead, round=round)
    monkeypatch.setattr(drafting, "draft_items", drafter(fails=["item-1"]))
    rounds.run_drafting(Work(job))
    failed = RoundItem.rows.get(draft_state=DraftState.FAILED)
    assert failed.draft_error == "the model answered nonsense"
    again = rounds.start_drafting(actor=lead, round=round)
    monkeypatch.setattr(drafting, "draft_items", drafter(fails=["item-1"]))
    rounds.run_drafting(Work(again))
    round.refresh_from_db()
    rounds.open_round(actor=lead, round=round)
    state = rounds.progress(round)
    assert (state.items, state.failed, state.slots, state.undecided) == (4, 1, 3, 3)


def test_a_cancelled_drafting_keeps_what_is_done(
    round: Round, lead: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = rounds.start_drafting(actor=lead, round=round)
    work = Work(job)
    told = []

    def advance(**progress: Any) -> None:
        told.append(progress)
        if progress.get("done") == 2:
            raise Cancelled

    monkeypatch.setattr(work, "advance", advance)
    monkeypatch.setattr(drafting, "draft_items", drafter())
    with pytest.raises(Cancelled):
        rounds.run_drafting(work)
    assert told[0] == {"done": 0, "total": 4}
    assert states(round) == {"drafted": 1, "queued": 3}


def test_the_first_round_is_drafted_without_any_pool(round: Round, lead: User, ada: User) -> None:
    rounds.run_drafting(Work(rounds.start_drafting(actor=lead, round=round)))
    round.refresh_from_db()
    assert (round.state, round.pool_version) == (RoundState.DRAFTED, None)
    rounds.open_round(actor=lead, round=round)
    assert rounds.progress(round).slots == 4


def test_a_round_whose_drafts_all_failed_does_not_open(
    round: Round, lead: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = rounds.start_drafting(actor=lead, round=round)
    monkeypatch.setattr(drafting, "draft_items", drafter(fails=[f"item-{number}" for number in range(4)]))
    rounds.run_drafting(Work(job))
    round.refresh_from_db()
    with pytest.raises(rounds.RoundRefused, match="has a draft"):
        rounds.open_round(actor=lead, round=round)


def test_a_round_without_anybody_to_review_does_not_open(project: Project, lead: User) -> None:
    round = cast.make_round(project, lead)
    with pytest.raises(rounds.RoundRefused, match="Nobody can review"):
        rounds.open_round(actor=lead, round=round)


def test_the_database_refuses_a_drafted_item_without_a_draft(round: Round) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RoundItem.rows.filter(round=round).update(draft_state=DraftState.DRAFTED)
