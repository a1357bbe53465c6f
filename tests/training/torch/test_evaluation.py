"""Protects the metrics' definitions, with a scorer whose scores are given by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from rubric_engine.rubric import Criterion, Dimension, Polarity
from training.calibration import Calibration
from training.dataset import Item
from training.evaluation import evaluate, shuffled_criteria
from training.reward_model import TrainedRewardModel

RUBRIC = (
    Criterion("p", Dimension.PROFICIENCY, "Advises rest."),
    Criterion("s", Dimension.SAFETY, "Tells to stop insulin.", polarity=Polarity.MUST_NOT_HOLD),
)
GOOD, BAD = {"p": True, "s": False}, {"p": False, "s": True}


@dataclass
class _ByHand:
    """Scores an answer by a table: (answer, criterion key) → r; probes get 0."""

    table: dict[tuple[str, str], float]
    calibration: Calibration = field(default_factory=Calibration)

    def scores(self, rows: Sequence[tuple[Item, str, Sequence[Criterion | str]]]) -> list[list[float]]:
        return [
            [self._one(answer, index, criterion) for index, criterion in enumerate(criteria)]
            for _, answer, criteria in rows
        ]

    def _one(self, answer: str, index: int, criterion: Criterion | str) -> float:
        if isinstance(criterion, str) or index >= len(RUBRIC):
            return 0.0
        return self.table[answer, criterion.key]


def _item(verdicts: dict[str, dict[str, bool]], *, cluster: str = "one") -> Item:
    return Item(cluster, f"Question {cluster}", RUBRIC, {"a": "A", "b": "B"}, verdicts, cluster)


def _figures(table: dict[tuple[str, str], float], items: list[Item]) -> dict[str, dict[str, object]]:
    trained: TrainedRewardModel = _ByHand(table)  # type: ignore[assignment]
    return {figure["key"]: figure for figure in evaluate(trained, items, samples=100, seed=0)}


RIGHT = {("A", "p"): 2.0, ("A", "s"): 1.0, ("B", "p"): -1.0, ("B", "s"): -2.0}


def test_a_perfect_scorer_is_perfect_and_blind_to_nothing() -> None:
    items = [_item({"a": GOOD, "b": BAD}), _item({"a": GOOD, "b": BAD}, cluster="two")]
    figures = _figures(RIGHT, items)
    for key in ("pairwise.all", "pairwise.safety", "pointwise.proficiency", "safety.f1", "overall"):
        assert figures[key]["value"] == 1.0, key
    assert figures["probe.generic"]["value"] == 0.5
    assert figures["probe.shuffled"]["value"] == 0.5


def test_polarity_decides_who_is_chosen() -> None:
    figures = _figures({**RIGHT, ("A", "s"): -3.0}, [_item({"a": GOOD, "b": BAD})])
    assert figures["pairwise.safety"]["value"] == 0.0
    assert figures["pairwise.proficiency"]["value"] == 1.0


def test_a_tie_counts_one_half() -> None:
    figures = _figures(dict.fromkeys(RIGHT, 1.0), [_item({"a": GOOD, "b": BAD})])
    assert figures["pairwise.all"]["value"] == 0.5
    assert figures["overall"]["value"] == 0.5


def test_true_ties_are_left_out_of_the_overall_accuracy() -> None:
    items = [_item({"a": GOOD, "b": GOOD}), _item({"a": GOOD, "b": BAD}, cluster="two")]
    assert _figures(RIGHT, items)["overall"]["n"] == 1


def test_overall_is_undefined_without_complete_verdicts() -> None:
    figures = _figures(RIGHT, [_item({"a": {"p": True}, "b": {"p": False}})])
    assert figures["overall"]["value"] is None
    assert "complete verdicts" in str(figures["overall"]["undefined"])
    assert figures["pointwise.safety"]["undefined"] == "no safety verdicts on this split"
    assert figures["safety.recall"]["undefined"] == "no safety verdicts on this split"


def test_veto_recall_is_undefined_where_nothing_is_violated() -> None:
    figures = _figures(RIGHT, [_item({"a": GOOD, "b": {"p": False, "s": False}})])
    assert figures["safety.recall"]["undefined"] == "nothing was violated"
    assert figures["safety.precision"]["value"] == 0.0


def test_a_criterion_blind_scorer_gets_one_half_on_disagreeing_pairs() -> None:
    item = replace(
        _item({"a": {"p": True, "s": True, "q": False}, "b": {"p": False, "s": False, "q": True}}),
        criteria=(*RUBRIC, Criterion("q", Dimension.PROFICIENCY, "Names the dose.")),
    )
    blind = {(answer, key): float(answer == "A") for answer in "AB" for key in "psq"}

    class _Blind(_ByHand):
        def _one(self, answer: str, index: int, criterion: Criterion | str) -> float:
            return self.table.get((answer, getattr(criterion, "key", "")), 0.0 * index)

    trained: TrainedRewardModel = _Blind(blind)  # type: ignore[assignment]
    figures = {figure["key"]: figure for figure in evaluate(trained, [item], samples=100, seed=0)}
    assert figures["pairwise.disagreeing"]["value"] == pytest.approx(0.5)
    assert figures["pairwise.disagreeing"]["n"] == 1


def test_shuffled_criteria_come_from_another_instruction_of_the_same_dimension() -> None:
    items = [_item({"a": GOOD}), replace(_item({"a": GOOD}, cluster="two"), criteria=_reworded())]
    for key, criterion in shuffled_criteria(items, seed=1).items():
        own = "Advises rest." if key.startswith("two") else "Names a dose."
        if criterion.dimension is Dimension.PROFICIENCY:
            assert criterion.text == own


def _reworded() -> tuple[Criterion, ...]:
    return (
        Criterion("p", Dimension.PROFICIENCY, "Names a dose."),
        replace(RUBRIC[1], text="Stops warfarin."),
    )
