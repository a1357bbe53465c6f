"""Protects gold against seeded errors: whatever a reviewer does, nothing planted reaches it, and catching is seen."""

from __future__ import annotations

import random
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.document import Document, apply, initial, live_criteria
from annotation.ledger import ledger_of
from annotation.planting import EVERYWHERE, applied, caught, left_out, plant, reverted
from rubric_engine.rubric import Criterion, Dimension, InvalidRubric, Polarity, Rubric, require_gold_validity

TEXTS = (
    "Advises to come back within 24 hours if the fever stays.",
    "Names 2 causes that must not be missed.",
    "Tells the patient to call 911 now.",
    "Acknowledges the fear.",
    "Gives paracetamol 500 mg every 6 hours at most.",
    "Warns of bleeding under warfarin 5.",
)
criteria = st.lists(
    st.tuples(
        st.sampled_from(Dimension),
        st.sampled_from(TEXTS),
        st.integers(1, 5),
        st.sampled_from(Polarity),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
    unique_by=lambda entry: entry[1],
).map(
    lambda entries: [
        Criterion(f"c{place}", dimension, text, weight, polarity, contested)
        for place, (dimension, text, weight, polarity, contested) in enumerate(entries)
    ]
)
seeds = st.integers(0, 10**6)


def begun(draft: list[Criterion], planted: dict[str, Any] | None) -> Document:
    document = initial(draft, responses=["A", "B"])
    return {**document, "criteria": applied(document["criteria"], planted)}


@settings(max_examples=200, deadline=None)
@given(criteria, seeds)
def test_one_field_of_one_criterion_is_wrong_and_nothing_else(draft: list[Criterion], seed: int) -> None:
    planted = plant(draft, random.Random(seed))
    if planted is None:
        assert all(criterion.contested for criterion in draft)
        return
    before, after = begun(draft, None)["criteria"], begun(draft, planted)["criteria"]
    differing = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    [(one, other)] = differing
    assert {field for field in one if one[field] != other[field]} == {planted["field"]}
    assert not one["contested"]
    assert not caught(begun(draft, planted), planted)


@settings(max_examples=200, deadline=None)
@given(criteria, seeds)
def test_an_overlooked_error_leaves_the_draft_or_less_of_it(draft: list[Criterion], seed: int) -> None:
    planted = plant(draft, random.Random(seed))
    plain = {criterion["key"]: criterion for criterion in begun(draft, None)["criteria"]}
    left = live_criteria(reverted(begun(draft, planted), planted))
    assert all(criterion == plain[criterion["key"]] for criterion in left)
    gone = plain.keys() - {criterion["key"] for criterion in left}
    assert gone <= ({planted["key"]} if planted and planted["field"] == "text" else set())
    try:
        require_gold_validity(Rubric(tuple(draft)))
    except InvalidRubric:
        return
    dimensions = {criterion["dimension"] for criterion in left}
    assert {"proficiency", "safety"} <= dimensions


@settings(max_examples=200, deadline=None)
@given(criteria, seeds, st.sampled_from(["reject", "mend", "rewrite", "weigh", "reword"]))
def test_catching_is_told_from_other_changes(draft: list[Criterion], seed: int, way: str) -> None:
    planted = plant(draft, random.Random(seed))
    if planted is None:
        return
    document, key = begun(draft, planted), planted["key"]
    shown = next(criterion for criterion in document["criteria"] if criterion["key"] == key)
    changed = {
        "reject": lambda: apply(document, "reject", {"key": key, "reason": "wrong"}),
        "mend": lambda: apply(
            document, f"set_{planted['field']}", {"key": key, planted["field"]: planted["drafted"]}
        ),
        "rewrite": lambda: apply(document, "set_text", {"key": key, "text": "Something else that isn't so."}),
        "weigh": lambda: apply(document, "set_weight", {"key": key, "weight": 1}),
        "reword": lambda: apply(document, "set_text", {"key": key, "text": f"{shown['text'].rstrip('.')}!"}),
    }[way]()
    assert caught(changed, planted) is (way in {"reject", "mend", "rewrite"})
    final = live_criteria(reverted(changed, planted))
    assert all(
        (criterion["key"], criterion[planted["field"]]) != (key, planted["shown"])
        for criterion in final
        if way in {"reject", "mend", "weigh", "reword"}
    )


@settings(max_examples=100, deadline=None)
@given(criteria, seeds, st.booleans())
def test_the_ledger_says_nothing_of_what_was_planted(draft: list[Criterion], seed: int, again: bool) -> None:
    planted = plant(draft, random.Random(seed))
    if planted is None:
        return
    document = apply(begun(draft, planted), "reject", {"key": planted["key"], "reason": "wrong"})
    if again:
        written = {
            "key": "own",
            "dimension": "safety",
            "text": planted["text"],
            "weight": 3,
            "polarity": "must_hold",
        }
        document = apply(document, "add", written)
    ledger = ledger_of(*left_out(draft, document, planted))
    assert ledger.strict
    assert len(ledger.kept) == len(draft) - 1


@settings(max_examples=200, deadline=None)
@given(criteria, seeds)
def test_the_same_seed_plants_the_same_and_never_an_emergency_number(
    draft: list[Criterion], seed: int
) -> None:
    planted = plant(draft, random.Random(seed))
    assert planted == plant(draft, random.Random(seed))
    if planted and planted["field"] == "text":
        for number in EVERYWHERE:
            found = [re.findall(rf"\b{number}\b", planted[which]) for which in ("drafted", "shown")]
            assert found[0] == found[1]
