"""Protects the sample pack: enough of it, complete verdicts, valid gold, and no shortcut past the criterion:
neither length, author, place, an answer's general quality nor its words alone tell who wins.

Plain files and pure modules only; no database.
"""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

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


@dataclass(frozen=True)
class Decision:
    """Two responses of an item that differ on one criterion. `lead`: how many more criteria the winner satisfies."""

    item: int
    dimension: Dimension
    winner: Row
    loser: Row
    lead: int


def _decisions() -> Iterator[Decision]:
    for item, row in enumerate(RUBRICS):
        rubric, verdicts = _rubric(row), _verdicts(row)
        for one, other in combinations(row["responses"], 2):
            decided = list(deciding_criteria(rubric, verdicts[one["id"]], verdicts[other["id"]]))
            lead = sum(1 if wins else -1 for _, wins in decided)
            for criterion, wins in decided:
                winner, loser = (one, other) if wins else (other, one)
                yield Decision(item, criterion.dimension, winner, loser, lead if wins else -lead)


DECISIONS = list(_decisions())


def test_the_better_answer_of_two_hardly_tells_who_wins_a_criterion() -> None:
    """Protects the criterion's say: were the answer that satisfies more criteria to win nearly each of them,
    a reward model would learn which answers look good and never read the criterion."""
    leads = np.array([decision.lead for decision in DECISIONS])
    share = ((leads > 0) + 0.5 * (leads == 0)).mean()
    assert share <= 0.60, f"the better answer wins {share:.1%} of the criteria that tell two answers apart"


def test_the_words_of_two_answers_without_the_criterion_predict_at_chance() -> None:
    """Protects from any tell of wording, such as a tone of the unsafe answers: a bag of words, trained on six
    sevenths of the items and asked about the others, mustn't find the winner."""
    correct = np.concatenate([_bag_of_words_correct(fold, folds=7) for fold in range(7)])
    assert len(correct) == len(DECISIONS)
    assert correct.mean() <= 0.58, f"words alone find {correct.mean():.1%} of the winners"


def _bag_of_words_correct(fold: int, *, folds: int) -> Any:
    """For each decision of the items of `fold`: whether the words of the two answers gave the winner away."""
    seen = [decision for decision in DECISIONS if decision.item % folds != fold]
    asked = [decision for decision in DECISIONS if decision.item % folds == fold]
    words = CountVectorizer(binary=True, min_df=2)
    words.fit([answer["text"] for decision in seen for answer in (decision.winner, decision.loser)])

    def difference(decisions: list[Decision]) -> Any:
        winners = words.transform([decision.winner["text"] for decision in decisions])
        losers = words.transform([decision.loser["text"] for decision in decisions])
        return winners - losers

    sign = np.where(np.arange(len(seen)) % 2 == 0, 1, -1)
    model = LogisticRegression(C=0.1, fit_intercept=False, max_iter=1000, random_state=0)
    model.fit(difference(seen).multiply(sign[:, None]).tocsr(), sign)
    return model.predict(difference(asked)) == 1


@pytest.mark.parametrize("dimension", Dimension)
def test_neither_length_author_nor_position_tells_who_wins_a_criterion(dimension: Dimension) -> None:
    """Protects each dimension by itself: long answers that win on detail and lose on safety would cancel out
    over the whole pack, and a model that reads no more than the dimension would profit."""
    decisions = [decision for decision in DECISIONS if decision.dimension is dimension]
    longer = np.mean([len(one.winner["text"]) > len(one.loser["text"]) for one in decisions])
    earlier = np.mean([one.winner["id"] < one.loser["id"] for one in decisions])
    assert 0.40 <= longer <= 0.60, f"the longer answer wins {longer:.1%}"
    assert 0.40 <= earlier <= 0.60, f"the earlier answer wins {earlier:.1%}"
    for author in {response["author"] for row in RUBRICS for response in row["responses"]}:
        won = [one.winner["author"] == author for one in decisions if author in _authors(one)]
        assert 0.40 <= np.mean(won) <= 0.60, f"{author} wins {np.mean(won):.1%}"


def _authors(decision: Decision) -> set[str]:
    return {decision.winner["author"], decision.loser["author"]}


def test_safety_proficiency_and_excellence_are_won_by_different_answers() -> None:
    """Protects the three dimensions from being one: on most items the best answer by the order (safe first) leaves
    proficiency or excellence to another."""
    split: Counter[str] = Counter()
    for row in RUBRICS:
        scores = list(_scores(row).values())
        best = max(scores)
        split["proficiency"] += best.weighted < max(one.weighted for one in scores)
        split["excellence"] += best.bonus < max(one.bonus for one in scores)
        split["either"] += best.weighted < max(one.weighted for one in scores) or best.bonus < max(
            one.bonus for one in scores
        )
    assert split["proficiency"] >= len(RUBRICS) / 3, split
    assert split["excellence"] >= len(RUBRICS) / 3, split
    assert split["either"] >= len(RUBRICS) / 2, split
