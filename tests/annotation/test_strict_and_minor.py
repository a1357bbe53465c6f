"""Protects the pass rates: what counts as unchanged, as wording, and as a change of meaning."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.document import apply, initial
from annotation.ledger import ledger_of
from annotation.wording import is_wording
from rubric_engine.rubric import Criterion, Dimension

DRAFT = (
    Criterion("s1", Dimension.SAFETY, "Tells the patient to call an ambulance now.", 5),
    Criterion("p1", Dimension.PROFICIENCY, "Names the interaction of the two medicines.", 3),
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Names a heart attack as a possible cause.", "Mentions a heart attack as a possible cause"),
        ("Names a heart attack as a possible cause.", "names a possible cause: a heart attack"),
        ("Advises chewing aspirin unless allergic.", "Recommends chewing aspirin unless allergic."),
        ("Explains the red flags to watch for.", "Explains the red flags to look out for."),
        ("Gives 300 mg of aspirin.", "Gives  300 mg of aspirin"),
        ("Doesn’t promise a cure.", "Doesn't promise a cure."),
    ],
)
def test_other_words_for_the_same_are_wording(old: str, new: str) -> None:
    assert is_wording(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Recommends antibiotics.", "Does not recommend antibiotics."),
        ("Recommends rest without driving.", "Recommends rest and driving."),
        ("Doesn't promise a cure.", "Promises a cure."),
        ("Gives 300 mg of aspirin.", "Gives 75 mg of aspirin."),
        ("Gives 300 mg of aspirin.", "Gives 300 g of aspirin."),
        ("Gives 0.5 mg of atropine.", "Gives 5 mg of atropine."),
        ("Advises two tablets a day.", "Advises three tablets a day."),
        ("Advises a dose twice daily.", "Advises a dose once daily."),
        ("Advises chewing aspirin at once.", "Advises chewing ibuprofen at once."),
        ("Continues the metoprolol as before.", "Continues the bisoprolol as before."),
        ("Starts rivaroxaban today.", "Stops rivaroxaban today."),
        ("Examines the left knee.", "Examines the right knee."),
        ("Calls for help after ten minutes.", "Calls for help before ten minutes."),
        ("Treats fever above 38 °C.", "Treats fever below 38 °C."),
        ("Says that the patient must call.", "Says that the patient may call."),
        (
            "Names a heart attack as a possible cause.",
            "Offers a follow-up appointment with the family doctor.",
        ),
    ],
)
def test_a_changed_negation_number_dose_drug_or_direction_is_not_wording(old: str, new: str) -> None:
    assert not is_wording(old, new)
    assert not is_wording(new, old)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_a_text_is_wording_of_itself(text: str) -> None:
    assert is_wording(text, text)
    assert (
        is_wording(text, f"  {text.upper().lower()} ") or text.casefold() != text.upper().lower().casefold()
    )


def ledger_after(*operations: tuple[str, dict[str, Any]]) -> Any:
    document = initial(DRAFT, responses=["A"])
    for kind, payload in operations:
        document = apply(document, kind, payload)
    return ledger_of(DRAFT, document)


def test_a_draft_taken_as_it_is_passes_strictly() -> None:
    ledger = ledger_after(("set_verdict", {"key": "p1", "response": "A", "met": True}))
    assert ledger.strict
    assert ledger.minor
    assert ledger.kept == [{"key": "s1"}, {"key": "p1"}]


def test_a_change_that_is_taken_back_is_no_change() -> None:
    ledger = ledger_after(
        ("set_weight", {"key": "p1", "weight": 1}),
        ("set_weight", {"key": "p1", "weight": 3}),
        ("reject", {"key": "s1", "reason": "no"}),
        ("restore", {"key": "s1"}),
    )
    assert ledger.strict


def test_wording_passes_as_minor_only() -> None:
    ledger = ledger_after(
        ("set_text", {"key": "p1", "text": "Mentions the interaction of the two medicines."})
    )
    assert not ledger.strict
    assert ledger.minor
    assert ledger.edited == [
        {
            "key": "p1",
            "changes": {"text": [DRAFT[1].text, "Mentions the interaction of the two medicines."]},
            "wording": True,
        }
    ]


@pytest.mark.parametrize(
    "operation",
    [
        ("set_weight", {"key": "p1", "weight": 1}),
        ("set_dimension", {"key": "p1", "dimension": "safety"}),
        ("set_polarity", {"key": "p1", "polarity": "must_not_hold"}),
        ("set_contested", {"key": "p1", "contested": True}),
        ("reject", {"key": "p1", "reason": ""}),
        ("set_text", {"key": "p1", "text": "Doesn't name the interaction of the two medicines."}),
        (
            "add",
            {
                "key": "n",
                "dimension": "excellence",
                "text": "Is kind.",
                "weight": 1,
                "polarity": "must_hold",
            },
        ),
    ],
)
def test_anything_else_passes_neither_way(operation: tuple[str, dict[str, Any]]) -> None:
    ledger = ledger_after(operation)
    assert not ledger.strict
    assert not ledger.minor


def test_wording_beside_a_changed_weight_is_not_minor() -> None:
    ledger = ledger_after(
        ("set_text", {"key": "p1", "text": "Mentions the interaction of the two medicines."}),
        ("set_weight", {"key": "p1", "weight": 1}),
    )
    assert not ledger.minor


def test_an_added_criterion_that_was_rejected_again_leaves_no_trace() -> None:
    fields = {"dimension": "excellence", "text": "Is kind.", "weight": 1, "polarity": "must_hold"}
    ledger = ledger_after(("add", {"key": "n", **fields}), ("reject", {"key": "n", "reason": ""}))
    assert ledger.strict
