"""Protects composed drafts: of valid shape, without repetition, each criterion with where it comes from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubric_engine import generic
from rubric_engine.retrieval import SAME_MEANING, Candidate, compose, from_template
from rubric_engine.rubric import Dimension, Polarity, Rubric, normalised_text, require_draft_shape
from rubric_engine.wording import normal_form

Floats = npt.NDArray[np.float32]
Case = tuple[list[Candidate], Floats, Floats]


@st.composite
def candidate_sets(draw: st.DrawFn) -> Case:
    count = draw(st.integers(0, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vectors = random.normal(size=(count, 6)).astype(np.float32)
    repeated = draw(st.integers(0, max(0, count - 1)))
    if count:
        vectors[:repeated] = vectors[0]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    candidates = [
        Candidate(
            source=index,
            exemplar=index // 5,
            similarity=float(random.uniform(-0.2, 1)),
            dimension=draw(st.sampled_from(list(Dimension))),
            text=f"Statement {draw(st.integers(0, 30))}.",
            weight=draw(st.integers(1, 5)),
            polarity=draw(st.sampled_from(list(Polarity))),
        )
        for index in range(count)
    ]
    query = random.normal(size=6).astype(np.float32)
    return candidates, vectors, query / np.linalg.norm(query)


@given(candidate_sets(), st.sampled_from(generic.KINDS))
def test_whatever_the_pool_holds_the_draft_is_of_valid_shape(case: Case, kind: str) -> None:
    candidates, vectors, query = case
    composed = compose(candidates=candidates, vectors=vectors, query=query, fallback=generic.criteria(kind))
    require_draft_shape(Rubric(tuple(composed.criteria)))
    assert [criterion.key for criterion in composed.criteria] == [
        f"c{n + 1}" for n in range(len(composed.criteria))
    ]
    assert sum(not sources for sources in composed.sources) == composed.filled


@given(candidate_sets())
def test_no_two_criteria_of_a_draft_say_the_same(case: Case) -> None:
    candidates, vectors, query = case
    composed = compose(
        candidates=candidates, vectors=vectors, query=query, fallback=generic.criteria("question")
    )
    texts = [normalised_text(criterion.text) for criterion in composed.criteria]
    assert len(texts) == len(set(texts))
    picked = [sources[0].source for sources in composed.sources if sources]
    cosines = (
        vectors[picked] @ vectors[picked].T - np.eye(len(picked), dtype=np.float32) * 2
        if picked
        else np.zeros((0, 0))
    )
    assert not (cosines >= SAME_MEANING).any()


@given(candidate_sets())
def test_a_copied_criterion_is_the_gold_one_in_dimension_text_and_polarity(case: Case) -> None:
    candidates, vectors, query = case
    composed = compose(
        candidates=candidates, vectors=vectors, query=query, fallback=generic.criteria("question")
    )
    for criterion, sources in zip(composed.criteria, composed.sources, strict=True):
        if sources:
            first = sources[0]
            assert (criterion.dimension, criterion.text, criterion.polarity) == (
                first.dimension,
                first.text,
                first.polarity,
            )
            assert min(s.weight for s in sources) <= criterion.weight <= max(s.weight for s in sources)


@pytest.mark.parametrize("kind", generic.KINDS)
def test_every_template_is_a_valid_draft(kind: str) -> None:
    composed = from_template(kind)
    require_draft_shape(Rubric(tuple(composed.criteria)))
    assert composed.filled == len(composed.criteria)


@pytest.mark.parametrize(
    ("category", "task", "kind"),
    [
        ("medication", "question", "medication"),
        ("clinical decision", "question", "decision"),
        ("summarisation", "question", "summary"),
        ("communication", "question", "communication"),
        ("patient question", "question", "question"),
        ("", "error_correction", "correction"),
        ("", "clinical_note", "summary"),
        ("", "history_taking", "decision"),
        ("", "biomedical_question", "question"),
        ("", "health_conversation", "question"),
        ("", "", "question"),
    ],
)
def test_a_template_fits_category_or_task(category: str, task: str, kind: str) -> None:
    assert generic.kind_of(category, task) == kind


HOLD, NOT = Polarity.MUST_HOLD, Polarity.MUST_NOT_HOLD


@pytest.mark.parametrize(
    ("text", "polarity", "normal", "becomes"),
    [
        ("Fails to mention the risk of bleeding.", NOT, "Mentions the risk of bleeding.", HOLD),
        ("Does not advise seeing a doctor.", NOT, "Advises seeing a doctor.", HOLD),
        ("Doesn't clearly state or explain the dose", NOT, "Clearly states or explains the dose", HOLD),
        ("The response fails to identify sepsis.", NOT, "Identifies sepsis.", HOLD),
        (
            "Omits information about drug interactions.",
            NOT,
            "Mentions information about drug interactions.",
            HOLD,
        ),
        ("Omits the mention of fever.", NOT, "Mentions fever.", HOLD),
        ("Does not recommend antibiotics.", HOLD, "Recommends antibiotics.", NOT),
        ("Neglects to be honest.", NOT, "Is honest.", HOLD),
        ("Mentions aspirin.", HOLD, "Mentions aspirin.", HOLD),
        ("Recommends stopping warfarin.", NOT, "Recommends stopping warfarin.", NOT),
        ("The response names the dose.", HOLD, "Names the dose.", HOLD),
        ("Advises rest. (Justification: it helps.)", HOLD, "Advises rest.", HOLD),
        ("No association was found.", HOLD, "No association was found.", HOLD),
    ],
)
def test_a_worded_fault_becomes_what_it_asks_for(
    text: str, polarity: Polarity, normal: str, becomes: Polarity
) -> None:
    assert normal_form(text, polarity) == (normal, becomes)


@given(st.text(min_size=1).filter(str.strip), st.sampled_from(list(Polarity)))
def test_the_normal_form_is_never_empty_and_final(text: str, polarity: Polarity) -> None:
    once, turned = normal_form(text, polarity)
    assert once.strip()
    assert isinstance(turned, Polarity)
