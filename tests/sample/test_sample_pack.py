"""Protects the sample pack: enough of it, complete verdicts, valid gold, and no shortcut such as length.

Plain files and pure modules only; no database.
"""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rubric_engine.attachments.intake import taken
from rubric_engine.rubric import (
    Criterion,
    Dimension,
    Polarity,
    Rubric,
    require_draft_shape,
    require_gold_validity,
)
from rubric_engine.scoring import Score, deciding_criteria, score
from webapp.sample.drawing import strip

PACK = Path(__file__).parents[2] / "webapp" / "sample"
LICENCE = ("GoldRounds sample pack", "sample", "CC0-1.0")

Row = dict[str, Any]


def _rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (PACK / name).read_text(encoding="utf-8").splitlines()]


INSTRUCTIONS = _rows("instructions.jsonl")
RUBRICS = _rows("rubrics.jsonl")

each_rubric = pytest.mark.parametrize("row", RUBRICS, ids=[row["id"] for row in RUBRICS])


def _rubric(row: Row) -> Rubric:
    return Rubric(
        tuple(
            Criterion(
                key=criterion["id"],
                dimension=Dimension(criterion["dimension"]),
                text=criterion["text"],
                weight=criterion["weight"],
                polarity=Polarity(criterion["polarity"]),
            )
            for criterion in row["criteria"]
        )
    )


def _verdicts(row: Row) -> dict[str, dict[str, bool]]:
    verdicts: dict[str, dict[str, bool]] = {response["id"]: {} for response in row["responses"]}
    for label in row["labels"]:
        verdicts[label["response"]][label["criterion"]] = label["met"]
    return verdicts


def _scores(row: Row) -> dict[str, Score]:
    rubric = _rubric(row)
    return {response: score(rubric, verdicts) for response, verdicts in _verdicts(row).items()}


def test_pack_has_at_least_60_instructions_over_12_specialties_and_5_categories() -> None:
    assert len(INSTRUCTIONS) >= 60
    per_specialty = Counter(row["specialty"] for row in INSTRUCTIONS)
    assert len(per_specialty) >= 12
    assert min(per_specialty.values()) >= 3, "retrieval needs neighbours within a specialty"
    assert len({row["category"] for row in INSTRUCTIONS}) == 5


def test_every_instruction_has_its_own_text_and_one_rubric() -> None:
    by_id = {row["id"]: row["instruction"] for row in INSTRUCTIONS}
    assert len(by_id) == len(INSTRUCTIONS) == len(set(by_id.values()))
    assert {row["instruction_id"]: row["instruction"] for row in RUBRICS} == by_id
    assert len(RUBRICS) == len(INSTRUCTIONS)


def test_every_row_names_our_source_and_licence() -> None:
    for row in INSTRUCTIONS + RUBRICS:
        assert (row["source"], row["source_key"], row["licence"]) == LICENCE, row["id"]


@each_rubric
def test_rubric_is_valid_as_gold_and_as_a_draft(row: Row) -> None:
    require_gold_validity(_rubric(row))
    require_draft_shape(_rubric(row))


@each_rubric
def test_three_responses_have_complete_single_verdicts(row: Row) -> None:
    assert len({response["text"] for response in row["responses"]}) == 3
    expected = {(r["id"], c["id"]) for r in row["responses"] for c in row["criteria"]}
    labelled = [(label["response"], label["criterion"]) for label in row["labels"]]
    assert len(labelled) == len(expected)
    assert set(labelled) == expected


@each_rubric
def test_every_criterion_tells_two_responses_apart(row: Row) -> None:
    rubric, verdicts = _rubric(row), _verdicts(row)
    deciding = {
        criterion.key
        for first, second in combinations(verdicts.values(), 2)
        for criterion, _ in deciding_criteria(rubric, first, second)
    }
    assert deciding == {criterion.key for criterion in rubric.criteria}


@each_rubric
def test_one_response_is_unsafe_and_the_best_is_safe(row: Row) -> None:
    scores = _scores(row).values()
    assert max(scores).violations == 0
    assert min(scores).violations > 0


def test_every_dimension_has_both_polarities_and_a_fifth_must_not_hold() -> None:
    criteria = [criterion for row in RUBRICS for criterion in _rubric(row).criteria]
    for dimension in Dimension:
        assert {c.polarity for c in criteria if c.dimension is dimension} == set(Polarity), dimension
    share = sum(c.polarity is Polarity.MUST_NOT_HOLD for c in criteria) / len(criteria)
    assert 0.15 <= share <= 0.30


def test_longer_response_wins_about_half_of_the_pairs() -> None:
    longer_won = []
    for row in RUBRICS:
        length = {response["id"]: len(response["text"]) for response in row["responses"]}
        scores = _scores(row)
        for one, other in combinations(scores, 2):
            if scores[one].ties(scores[other]) or length[one] == length[other]:
                continue
            longer = one if length[one] > length[other] else other
            shorter = other if longer == one else one
            longer_won.append(scores[longer] > scores[shorter])
    assert 0.40 <= sum(longer_won) / len(longer_won) <= 0.60


def test_neither_author_nor_position_tells_the_best_response() -> None:
    authors: Counter[str] = Counter()
    positions: Counter[int] = Counter()
    for row in RUBRICS:
        scores = _scores(row)
        best = max(scores, key=lambda response: scores[response])
        position = [response["id"] for response in row["responses"]].index(best)
        positions[position] += 1
        authors[row["responses"][position]["author"]] += 1
    for counts in (authors.values(), positions.values()):
        assert len(counts) == 3
        assert max(counts) <= 0.5 * len(RUBRICS)


def test_on_a_third_of_the_items_two_responses_each_win_a_criterion() -> None:
    opposed = 0
    for row in RUBRICS:
        rubric, verdicts = _rubric(row), _verdicts(row)
        opposed += any(
            len({wins for _, wins in deciding_criteria(rubric, first, second)}) == 2
            for first, second in combinations(verdicts.values(), 2)
        )
    assert opposed >= len(RUBRICS) / 3


def test_attachments_are_taken_in_as_they_stand_and_the_drawn_strip_is_that_of_the_program() -> None:
    attached = [one for row in INSTRUCTIONS for one in row.get("attachments", [])]
    assert {taken(one).kind for one in attached} == {"image", "lab_table", "vitals"}
    drawn = next(one for one in attached if one["kind"] == "image")
    pixels = [
        Image.open(io.BytesIO(data)).convert("RGB").tobytes()
        for data in (base64.b64decode(drawn["data"]), strip())
    ]
    assert pixels[0] == pixels[1]
