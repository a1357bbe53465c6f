"""Composing a rubric from the criteria of the nearest gold rubrics: the drafter for when no endpoint is set.

Pure: numpy only. It copies, it does not think: a criterion that names another patient's facts stays so, and
the draft says where each one comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rubric_engine import generic
from rubric_engine.rubric import (
    DRAFT_SHAPE,
    MAX_WEIGHT,
    MIN_WEIGHT,
    Criterion,
    Dimension,
    Polarity,
    normalised_text,
)

Floats = npt.NDArray[np.float32]

SAME_MEANING = 0.9
TO_INSTRUCTION = 0.6
NEARNESS = 0.85
SUPPORTING = 0.6
STEEPNESS = 20.0
CLOSENESS = 5.0
TOTAL = 10
MOST_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Candidate:
    """A criterion of gold in its normal form. `exemplar` and `similarity` are those of its rubric."""

    source: int
    exemplar: int
    similarity: float
    dimension: Dimension
    text: str
    weight: int
    polarity: Polarity


@dataclass(slots=True)
class Composed:
    """A rubric of valid draft shape. `sources` tells for each criterion which gold criteria it comes from."""

    criteria: list[Criterion] = field(default_factory=list)
    sources: list[list[Candidate]] = field(default_factory=list)
    filled: int = 0


def compose(
    *, candidates: Sequence[Candidate], vectors: Floats, query: Floats, fallback: Sequence[Criterion]
) -> Composed:
    """A rubric for one instruction.

    vectors: unit vectors of the candidates' texts, shape (n, width). query: that of the instruction, (width,).
    fallback: generic criteria of a valid shape; they fill a dimension that has fewer than it needs.
    """
    usable = [index for index, candidate in enumerate(candidates) if len(candidate.text) <= MOST_CHARACTERS]
    value = _values(candidates, vectors, query)
    wanted = _wanted_counts([candidates[index] for index in usable])
    composed = Composed()
    taken: list[int] = []
    for dimension in Dimension:
        among = [index for index in usable if candidates[index].dimension is dimension]
        for pick in _picked(among, wanted[dimension], value, vectors, taken, candidates):
            taken.append(pick)
            same = _of_same_meaning(pick, among, vectors, candidates)
            composed.sources.append([candidates[index] for index in same])
            composed.criteria.append(
                _criterion(len(composed.criteria), candidates[pick], composed.sources[-1])
            )
    _fill_up(composed, fallback)
    return composed


def from_template(kind: str) -> Composed:
    """The generic rubric of a kind of task, whole."""
    composed = Composed()
    for criterion in generic.criteria(kind):
        _append(composed, criterion)
    composed.filled = len(composed.criteria)
    return composed


def _values(candidates: Sequence[Candidate], vectors: Floats, query: Floats) -> Floats:
    """How near a criterion and its rubric are to the instruction, and how many near rubrics say it too."""
    if not candidates:
        return np.zeros(0, dtype=np.float32)
    own = vectors @ query
    rubric = np.fromiter((candidate.similarity for candidate in candidates), dtype=np.float32)
    near = TO_INSTRUCTION * own + (1 - TO_INSTRUCTION) * rubric
    return np.asarray(near + _support(candidates, vectors, rubric), dtype=np.float32)


def _support(candidates: Sequence[Candidate], vectors: Floats, similarity: Floats) -> Floats:
    """The share of the other rubrics, the nearer the heavier, that hold a criterion of like meaning, shape (n,).

    Kernel regression of "this instruction's rubric has it" on the rubrics at hand; measured in docs/experiments.md.
    """
    order = np.argsort([candidate.exemplar for candidate in candidates], kind="stable")
    owners = np.array([candidate.exemplar for candidate in candidates])[order]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    cosines = vectors @ vectors[order].T
    alike = 1 / (1 + np.exp(-STEEPNESS * (np.maximum.reduceat(cosines, starts, axis=1) - SUPPORTING)))
    weights = np.exp(CLOSENESS * similarity[order][starts])
    own_rubric = np.searchsorted(owners[starts], [candidate.exemplar for candidate in candidates])
    alike[np.arange(len(candidates)), own_rubric] = 0
    return np.asarray(alike @ weights / weights.sum(), dtype=np.float32)


def _wanted_counts(candidates: Sequence[Candidate]) -> Mapping[Dimension, int]:
    """As the shown rubrics divide their criteria, over about ten, within the shape of a draft."""
    total = sum(max(candidate.similarity, 0.01) for candidate in candidates) or 1.0
    counts = {}
    for dimension, (least, most) in DRAFT_SHAPE.items():
        share = sum(max(c.similarity, 0.01) for c in candidates if c.dimension is dimension) / total
        counts[dimension] = min(most, max(least, round(TOTAL * share)))
    return counts


def _picked(
    among: Sequence[int],
    count: int,
    value: Floats,
    vectors: Floats,
    taken: Sequence[int],
    candidates: Sequence[Candidate],
) -> list[int]:
    """Greedy maximal marginal relevance within a dimension; nothing that says what is taken already."""
    chosen: list[int] = []
    texts = {normalised_text(candidates[index].text) for index in taken}
    free = list(among)
    while free and len(chosen) < count:
        before = [*taken, *chosen]
        closest = (
            (vectors[free] @ vectors[before].T).max(axis=1) if before else np.zeros(len(free), np.float32)
        )
        marginal = NEARNESS * value[free] - (1 - NEARNESS) * closest
        best = int(np.argmax(marginal))
        pick = free.pop(best)
        if float(closest[best]) >= SAME_MEANING or normalised_text(candidates[pick].text) in texts:
            continue
        texts.add(normalised_text(candidates[pick].text))
        chosen.append(pick)
    return chosen


def _of_same_meaning(
    pick: int, among: Sequence[int], vectors: Floats, candidates: Sequence[Candidate]
) -> list[int]:
    """The picked one first, then those of its dimension and polarity that say the same."""
    cosines = vectors[list(among)] @ vectors[pick]
    return [pick] + [
        index
        for index, cosine in zip(among, cosines, strict=True)
        if index != pick
        and cosine >= SAME_MEANING
        and candidates[index].polarity is candidates[pick].polarity
    ]


def _criterion(position: int, picked: Candidate, sources: Sequence[Candidate]) -> Criterion:
    """The picked text with the mean weight of what says the same, each counted by its rubric's similarity."""
    shares = [max(source.similarity, 0.01) for source in sources]
    mean = sum(share * source.weight for share, source in zip(shares, sources, strict=True)) / sum(shares)
    return Criterion(
        key=f"c{position + 1}",
        dimension=picked.dimension,
        text=picked.text,
        weight=min(MAX_WEIGHT, max(MIN_WEIGHT, round(mean))),
        polarity=picked.polarity,
    )


def _fill_up(composed: Composed, fallback: Sequence[Criterion]) -> None:
    for dimension, (least, _) in DRAFT_SHAPE.items():
        for criterion in fallback:
            have = [made for made in composed.criteria if made.dimension is dimension]
            if len(have) >= least:
                break
            texts = {normalised_text(made.text) for made in composed.criteria}
            if criterion.dimension is dimension and normalised_text(criterion.text) not in texts:
                _append(composed, criterion)
                composed.filled += 1


def _append(composed: Composed, criterion: Criterion) -> None:
    composed.criteria.append(
        Criterion(
            key=f"c{len(composed.criteria) + 1}",
            dimension=criterion.dimension,
            text=criterion.text,
            weight=criterion.weight,
            polarity=criterion.polarity,
        )
    )
    composed.sources.append([])
