"""Protects the stand-in for physicians: over real HTTP it turns a draft into the truth, and only the truth."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from annotation import gold, rounds
from annotation.models import GoldVerdict
from annotation.settling import settle_due
from tests import cast
from tests.simulated_physician import NO_HARM, SimulatedPhysician
from webapp.accounts.models import Project, User

pytestmark = pytest.mark.django_db(transaction=True)


def truth_of(name: str, text: str) -> dict[str, Any]:
    """Keeps p1, rewords p2, turns e1's weight; the safety criteria and one response are unknown to it."""
    return {
        "instruction": text,
        "criteria": [
            {
                "id": "a",
                "dimension": "proficiency",
                "text": cast.DRAFT[2][2],
                "weight": 5,
                "polarity": "positive",
            },
            {
                "id": "b",
                "dimension": "proficiency",
                "text": "Advises chewing aspirin unless bleeding or allergic.",
                "points": -5,
                "polarity": "positive",
            },
            {
                "id": "c",
                "dimension": "excellence",
                "text": "Has nothing in common with any draft.",
                "polarity": "negative",
            },
        ],
        "responses": [{"id": number, "text": f"Response number {number} to {name}."} for number in range(3)],
        "labels": [
            {"response": number, "criterion": criterion, "met": number == 0}
            for number in range(2)
            for criterion in "abc"
        ],
    }


def test_the_physician_makes_the_truth_out_of_the_draft(
    live_server: LiveServer, project: Project, lead: User, ada: User
) -> None:
    instruction = cast.make_instruction(project, "one", responses=3)
    stranger = cast.make_instruction(project, "two", text="Nobody knows this one.")
    round = cast.make_round(project, lead, instructions=[instruction, stranger])
    rounds.open_round(actor=lead, round=round)
    physician = SimulatedPhysician(
        live_server.url, cast.make_token(ada, project), [truth_of("one", instruction.text)], slips=0.0
    )
    assert physician.review_round(str(round.pk)) == 2
    settle_due()

    made = gold.of_project(project).get()
    criteria = {criterion.text: criterion for criterion in made.rubric.criteria.all()}
    assert set(criteria) == {
        cast.DRAFT[2][2],
        "Advises chewing aspirin unless bleeding or allergic.",
        "Has nothing in common with any draft.",
        NO_HARM,
    }
    assert criteria["Advises chewing aspirin unless bleeding or allergic."].key == "p2"
    assert criteria["Has nothing in common with any draft."].polarity == "must_not_hold"
    verdicts = GoldVerdict.objects.of(project).select_related("response", "criterion")
    assert verdicts.count() == 8
    assert all(
        verdict.met == (verdict.criterion.text == NO_HARM or verdict.response.external_id.endswith("r0"))
        for verdict in verdicts
    )
    assert rounds.progress(round).skipped == 1
    assert [entry["key"] for entry in made.ledger["kept"]] == ["p1"]
    assert sorted(entry["key"] for entry in made.ledger["rejected"]) == ["e1", "s1", "s2"]
