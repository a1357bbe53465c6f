"""How a sample reviewer decides: from the pack's own rubric of the instruction, and from nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from rubric_engine.rubric import Criterion, Rubric, normalised_text

Operation = tuple[str, dict[str, Any]]


def operations_towards(
    document: Mapping[str, Any], truth: Rubric, met: Mapping[tuple[str, str], bool], *, seed: str
) -> Iterator[Operation]:
    """The operations that turn `document` into `truth` with its verdicts, then accept it.

    `met`: (criterion key of the truth, response key A, B, …) → whether the statement is true there.
    """
    by_text = {normalised_text(criterion["text"]): criterion for criterion in document["criteria"]}
    wanted = {normalised_text(criterion.text) for criterion in truth.criteria}
    for text, drafted in by_text.items():
        if text not in wanted:
            yield "reject", {"key": drafted["key"], "reason": "not the question"}
    for criterion in truth.criteria:
        drafted = by_text.get(normalised_text(criterion.text))
        key = drafted["key"] if drafted else uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}:{criterion.key}").hex
        yield from _match(drafted, key, criterion)
        for (of, response), value in met.items():
            if of == criterion.key:
                yield "set_verdict", {"key": key, "response": response, "met": value}
    yield "accept", {}


def _match(drafted: Mapping[str, Any] | None, key: str, criterion: Criterion) -> Iterator[Operation]:
    if drafted is None:
        yield (
            "add",
            {
                "key": key,
                "dimension": str(criterion.dimension),
                "text": criterion.text,
                "weight": criterion.weight,
                "polarity": str(criterion.polarity),
            },
        )
        return
    for field, value in (
        ("dimension", str(criterion.dimension)),
        ("weight", criterion.weight),
        ("polarity", str(criterion.polarity)),
    ):
        if drafted[field] != value:
            yield f"set_{field}", {"key": key, field: value}
