"""Protects the sample reviewers: whatever document they are given, they bring it to the pack's rubric and accept it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from annotation.document import apply, initial
from rubric_engine.rubric import Criterion, Dimension, Rubric, normalised_text
from tests.annotation.disputes import DRAFT, RESPONSES, disputed
from webapp.sample.decisions import operations_towards

TRUTH = Rubric((*DRAFT[:2], Criterion("t3", Dimension.PROFICIENCY, "Gives the dose", 4)))
MET = {(criterion.key, response): True for criterion in TRUTH.criteria for response in RESPONSES}


@given(st.integers(0, 10_000))
@example(277)
@example(979)
def test_an_adjudication_is_settled_to_the_truth_whatever_the_two_reviews_say(seed: int) -> None:
    document = disputed(seed)
    for kind, payload in operations_towards(document, TRUTH, MET, seed="x"):
        document = apply(document, kind, payload)
    assert document["submitted"]
    standing = [
        normalised_text(criterion["text"])
        for criterion in document["criteria"]
        if criterion["rejected"] is None
    ]
    for criterion in TRUTH.criteria:
        assert standing.count(normalised_text(criterion.text)) == 1


def test_a_plain_review_ends_with_the_truth_and_nothing_else() -> None:
    document = initial(DRAFT, responses=RESPONSES)
    for kind, payload in operations_towards(document, TRUTH, MET, seed="x"):
        document = apply(document, kind, payload)
    standing = {criterion["text"] for criterion in document["criteria"] if criterion["rejected"] is None}
    assert document["submitted"]
    assert standing == {criterion.text for criterion in TRUTH.criteria}
