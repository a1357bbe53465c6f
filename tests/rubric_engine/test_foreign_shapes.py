"""Protects imports in the shapes of other datasets: nothing of a rubric is lost, polarity follows the sign of the
points, and what is no such row is left as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from rubric_engine.curation.foreign import translated
from rubric_engine.curation.imports import create_import, import_now
from rubric_engine.models import Criterion, Instruction, Response
from tests.rubric_engine.files import jsonl
from webapp.accounts.models import Project, User

HEALTHBENCH = {
    "prompt_id": "abc-1",
    "prompt": [{"role": "user", "content": "My chest hurts."}],
    "rubrics": [
        {
            "criterion": "Tells the user to call an ambulance.",
            "points": 9,
            "tags": ["level:example", "axis:accuracy"],
        },
        {"criterion": "Is worded simply.", "points": 3, "tags": ["axis:communication_quality"]},
        {"criterion": "Recommends an overdose.", "points": -6, "tags": ["axis:completeness"]},
        {"criterion": "Names a wrong dose.", "points": -9, "tags": ["axis:accuracy"]},
        {"criterion": "Repeats itself.", "points": -2, "tags": ["axis:instruction_following"]},
    ],
    "example_tags": ["theme:emergency_referrals"],
    "canary": "keep me",
}
RAR = {
    "question": "What is first-line treatment?",
    "reference_answer": "Metformin.",
    "rubric": [
        {"title": "Drug", "description": "Essential Criteria: Names metformin.", "weight": 5},
        {"title": "Why", "description": "Optional Criteria: Gives the reason.", "weight": 1},
        {"title": "Harm", "description": "Pitfall Criteria: Starts insulin at once.", "weight": -2},
    ],
    "rubric_list": ["Essential Criteria: Names metformin."],
    "rubric_count": 3,
}
OPENRUBRICS = {
    "instruction": "Summarise the note.",
    "response_a": "Short.",
    "response_b": "Long.",
    "winner": "b",
    "rubric": "Rubric:\n1. Uses at most three sentences. [Hard Rule]\n2. Is clear to a layperson. [Principle]\n",
}


@pytest.fixture(autouse=True)
def _files_in(tmp_path: Path) -> Any:
    with override_settings(FILES_DIR=tmp_path / "files"):
        yield


def imported(
    admin: User, project: Project, tmp_path: Path, row: dict[str, Any]
) -> list[tuple[str, str, str, int]]:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(jsonl(row))
    with path.open("rb") as file:
        made = create_import(actor=admin, project=project, filename=path.name, file=file, queue=False)
    import_now(made, lambda *_: None)
    rows = Criterion.objects.of(project).order_by("position")
    return list(rows.values_list("text", "dimension", "polarity", "weight"))


def test_healthbench_is_read_with_its_points_tags_and_canary(
    admin: User, project: Project, tmp_path: Path
) -> None:
    assert imported(admin, project, tmp_path, HEALTHBENCH) == [
        ("Tells the user to call an ambulance.", "proficiency", "must_hold", 5),
        ("Is worded simply.", "excellence", "must_hold", 2),
        ("Recommends an overdose.", "safety", "must_not_hold", 3),
        ("Names a wrong dose.", "safety", "must_not_hold", 5),
        ("Repeats itself.", "proficiency", "must_not_hold", 1),
    ]
    instruction = Instruction.objects.of(project).get()
    assert (instruction.external_id, instruction.text, instruction.canary) == (
        "abc-1",
        "My chest hurts.",
        "keep me",
    )
    assert Criterion.objects.of(project).order_by("position")[0].origin["tags"] == [
        "level:example",
        "axis:accuracy",
    ]


def test_a_dimension_kept_in_the_tags_is_taken_back(admin: User, project: Project, tmp_path: Path) -> None:
    rubrics = [{"criterion": "Repeats itself.", "points": -2, "tags": ["dimension:excellence"]}]
    [(_, dimension, polarity, _)] = imported(admin, project, tmp_path, {**HEALTHBENCH, "rubrics": rubrics})
    assert (dimension, polarity) == ("excellence", "must_not_hold")


def test_rubrics_as_rewards_are_read_by_their_titles(admin: User, project: Project, tmp_path: Path) -> None:
    assert imported(admin, project, tmp_path, RAR) == [
        ("Names metformin.", "proficiency", "must_hold", 5),
        ("Gives the reason.", "excellence", "must_hold", 1),
        ("Starts insulin at once.", "safety", "must_not_hold", 2),
    ]
    assert Instruction.objects.of(project).get().reference_answer == "Metformin."


def test_openrubrics_are_read_line_by_line_with_both_answers(
    admin: User, project: Project, tmp_path: Path
) -> None:
    assert [row[:2] for row in imported(admin, project, tmp_path, OPENRUBRICS)] == [
        ("Uses at most three sentences.", "proficiency"),
        ("Is clear to a layperson.", "excellence"),
    ]
    assert set(Response.objects.of(project).values_list("text", flat=True)) == {"Short.", "Long."}


@given(
    st.dictionaries(
        st.sampled_from(
            ["prompt", "rubrics", "question", "rubric", "instruction", "response_a", "response_b", "x"]
        ),
        st.one_of(
            st.none(),
            st.text(),
            st.integers(),
            st.lists(st.dictionaries(st.text(), st.text())),
            st.booleans(),
        ),
    )
)
def test_whatever_is_no_such_row_is_left_as_it_is_and_nothing_fails(row: dict[str, Any]) -> None:
    made = translated(row)
    assert made == row or "criteria" in made
