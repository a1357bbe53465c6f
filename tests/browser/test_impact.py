"""Protects the preview of the reward: the browser's order is the server's, and an edit that turns it is marked."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from annotation.document import initial, judged_responses, missing_verdicts, rubric_of
from annotation.models import Round
from rubric_engine.rubric import Criterion, Dimension, Polarity
from rubric_engine.scoring import score
from tests.browser.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LETTERS = "ABCD"
ORDER = """async (documents) => {
  const { order } = await import("/static/review/scoring.js");
  return documents.map((document) => {
    const { missing, groups } = order(document, document.responses.map((key) => ({ key })));
    return {
      missing,
      groups: groups && groups.map((group) => group.map((one) => one.response).sort()),
      scores: groups && groups.flat().map((one) => [one.response, one.violations, one.weighted, one.total, one.bonus]),
    };
  });
}"""


def random_document(seed: int) -> dict[str, Any]:
    """Any rubric, any verdicts; in one of three a verdict is missing, now and then a response is left out."""
    dice = random.Random(seed)
    criteria = [
        Criterion(
            f"c{place}",
            dice.choice(list(Dimension)),
            f"Statement {place}",
            dice.randint(1, 5),
            dice.choice(list(Polarity)),
            contested=dice.random() < 0.2,
        )
        for place in range(dice.randint(1, 9))
    ]
    responses = LETTERS[: dice.randint(1, 4)]
    verdicts = {
        one.key: {letter: {"met": dice.random() < 0.5, "origin": "physician"} for letter in responses}
        for one in criteria
    }
    if dice.random() < 0.3:
        verdicts[dice.choice(criteria).key].pop(dice.choice(responses))
    document = initial(criteria, responses=list(responses), verdicts=verdicts)
    for criterion in document["criteria"]:
        if dice.random() < 0.15:
            criterion["rejected"] = {"reason": ""}
    if dice.random() < 0.2:
        document["unjudged"] = {dice.choice(responses): "Cut off"}
    return document


def expected(document: dict[str, Any]) -> dict[str, Any]:
    missing = len(missing_verdicts(document))
    judged = judged_responses(document)
    if missing or not judged:
        return {"missing": missing, "groups": None, "scores": None}
    rubric = rubric_of(document)
    by_letter = {
        letter: score(
            rubric, {one.key: document["verdicts"][one.key][letter]["met"] for one in rubric.criteria}
        )
        for letter in judged
    }
    groups: list[list[str]] = []
    for letter in sorted(judged, key=lambda one: by_letter[one], reverse=True):
        if groups and by_letter[groups[-1][0]].ties(by_letter[letter]):
            groups[-1].append(letter)
        else:
            groups.append([letter])
    scores = {letter: [one.violations, one.weighted, one.bonus] for letter, one in by_letter.items()}
    return {"missing": 0, "groups": [sorted(group) for group in groups], "scores": scores}


def test_the_browsers_order_is_the_servers_on_any_document(
    open_round: Callable[..., Round], desk: Callable[..., Desk]
) -> None:
    documents = [random_document(seed) for seed in range(400)]
    told = desk(open_round(items=1)).page.evaluate(ORDER, documents)
    for document, found in zip(documents, told, strict=True):
        wanted = expected(document)
        assert found["missing"] == wanted["missing"]
        assert found["groups"] == wanted["groups"]
        if found["scores"]:
            scores = {
                letter: [violations, weighted, bonus]
                for letter, violations, weighted, _, bonus in found["scores"]
            }
            assert scores == wanted["scores"]
    assert sum(found["groups"] is None for found in told) > 50
    assert sum(found["groups"] is not None for found in told) > 150


def test_an_edit_that_turns_the_order_is_marked_and_the_next_one_takes_the_mark_away(
    open_round: Callable[..., Round], desk: Callable[..., Desk]
) -> None:
    screen = desk(open_round(items=1, verdicts=True))
    impact = screen.page.locator(".impact")
    first = screen.order.split()[0]
    assert impact.count() == 0
    screen.press("!", "j", "!")  # both safety statements now say the opposite
    assert "This turns the order." in impact.inner_text()
    assert f"before: {first}." in impact.inner_text()
    screen.press("j", "j", "j", "c")
    assert impact.count() == 0
    screen.press("z", "z")
    assert "This turns the order." in impact.inner_text()
    assert screen.order.split()[0] == first
    assert screen.faults == []


def test_how_many_verdicts_are_missing_is_said(
    open_round: Callable[..., Round], desk: Callable[..., Desk]
) -> None:
    screen = desk(open_round(items=1, verdicts=True))
    screen.press("n", "e")
    screen.type("Explains the plan.")
    screen.press("Control+Enter")
    assert "2 verdicts missing" in screen.order
    screen.press("y")
    assert "1 verdict missing" in screen.order
