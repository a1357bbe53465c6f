"""Rubrics in the shapes of other datasets, as rows of ours: HealthBench, Rubrics as Rewards, OpenRubrics.

Pure. None of them knows our dimensions: the rules here give them (ours, not the sources'), and each criterion
keeps what it was made from, so that a physician can put it right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from rubric_engine.rubric import MAX_WEIGHT, MIN_WEIGHT, Dimension

Row = dict[str, Any]

SEVERE_POINTS = -8
"""HealthBench: from here down a fault in accuracy counts as one of safety."""
_SAFETY_WORDS = re.compile(
    r"\b(?:emergenc|urgent|unsafe|harm|danger|overdos|contraindicat|toxic|lethal|fatal)", re.IGNORECASE
)
_RAR_TITLE = re.compile(
    r"^\s*(essential|important|optional|pitfall)\s*(?:criteria|criterion)?\s*:\s*", re.IGNORECASE
)
_RAR = {
    "essential": (Dimension.PROFICIENCY, "positive", 5),
    "important": (Dimension.PROFICIENCY, "positive", 4),
    "optional": (Dimension.EXCELLENCE, "positive", 2),
    "pitfall": (Dimension.SAFETY, "negative", 3),
}
_NUMBERED = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+(.+?)\s*$")
_KIND = re.compile(r"\s*[\[(](hard rule|principle)s?[\])]\s*[.:]?\s*", re.IGNORECASE)


def translated(row: Mapping[str, Any]) -> Row:
    """The row as one of our rubrics where its shape is known; else as it is."""
    for fits, translate in _SHAPES:
        if fits(row):
            return translate(row)
    return dict(row)


def _is_healthbench(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("prompt"), list) and _objects(row.get("rubrics"), "criterion")


def _healthbench(row: Mapping[str, Any]) -> Row:
    rest = {name: value for name, value in row.items() if name not in ("prompt", "prompt_id", "rubrics")}
    criteria = [
        {
            **{name: value for name, value in one.items() if name != "criterion"},
            "id": f"h{place}",
            "text": one["criterion"],
            "dimension": _healthbench_dimension(one),
            "polarity": "negative" if _points(one) < 0 else "positive",
            "dimension_rule": "HealthBench's tags, points and words",
        }
        for place, one in enumerate(row["rubrics"], start=1)
    ]
    return _named(row.get("prompt_id"), {"messages": row["prompt"], "criteria": criteria, **rest})


def _healthbench_dimension(one: Mapping[str, Any]) -> str:
    tags = [str(tag) for tag in one.get("tags") or ()]
    named = [tag.partition(":")[2] for tag in tags if tag.startswith("dimension:")]
    if named and named[0] in set(Dimension):
        return named[0]
    points, words = _points(one), str(one["criterion"])
    severe = points <= SEVERE_POINTS and any("accuracy" in tag for tag in tags)
    if severe or (points < 0 and _SAFETY_WORDS.search(words)) or any("emergency" in tag for tag in tags):
        return Dimension.SAFETY
    return Dimension.EXCELLENCE if any("communication" in tag for tag in tags) else Dimension.PROFICIENCY


def _is_rar(row: Mapping[str, Any]) -> bool:
    return "question" in row and _objects(row.get("rubric"), "description")


def _rar(row: Mapping[str, Any]) -> Row:
    dropped = ("question", "rubric", "rubric_list", "rubric_count")
    rest = {name: value for name, value in row.items() if name not in dropped}
    criteria = []
    for place, one in enumerate(row["rubric"], start=1):
        title = _RAR_TITLE.match(str(one["description"]))
        kind = title[1].lower() if title else ("pitfall" if _points(one, "weight") < 0 else "important")
        dimension, polarity, weight = _RAR[kind]
        given = abs(_points(one, "weight"))
        criteria.append(
            {
                "id": f"r{place}",
                "title": one.get("title"),
                "text": _RAR_TITLE.sub("", str(one["description"])),
                "dimension": dimension,
                "polarity": polarity,
                "weight": math.ceil(given) if MIN_WEIGHT <= given <= MAX_WEIGHT else weight,
                "dimension_rule": f"Rubrics as Rewards: {kind}",
            }
        )
    return {"instruction": row["question"], "criteria": criteria, **rest}


def _is_openrubrics(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("rubric"), str) and {"instruction", "response_a", "response_b"} <= set(row)


def _openrubrics(row: Mapping[str, Any]) -> Row:
    """The winner is kept beside: it is a choice between the answers, not a verdict on a criterion."""
    dropped = ("rubric", "response_a", "response_b")
    rest = {name: value for name, value in row.items() if name not in dropped}
    criteria: list[Row] = []
    for line in row["rubric"].splitlines():
        if not (found := _NUMBERED.match(line)):
            continue
        kind = _KIND.search(found[1])
        principle = kind is not None and kind[1].lower() == "principle"
        criteria.append(
            {
                "id": f"o{len(criteria) + 1}",
                "text": _KIND.sub(" ", found[1]).strip(),
                "dimension": Dimension.EXCELLENCE if principle else Dimension.PROFICIENCY,
                "polarity": "positive",
                "dimension_rule": f"OpenRubrics: {kind[1].lower() if kind else 'unmarked'}",
            }
        )
    answers = [
        {"id": side, "text": row[f"response_{side}"]} for side in ("a", "b") if row.get(f"response_{side}")
    ]
    return {"criteria": criteria, "responses": answers, **rest}


def _named(identity: Any, row: Row) -> Row:
    """Under the source's own id, for the rubric and for its instruction."""
    return {"id": f"{identity}", "instruction_id": f"{identity}", **row} if identity else row


def _objects(value: Any, field: str) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and field in one for one in value)
    )


def _points(one: Mapping[str, Any], field: str = "points") -> float:
    value = one.get(field)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


_SHAPES: tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], Row]], ...] = (
    (_is_healthbench, _healthbench),
    (_is_rar, _rar),
    (_is_openrubrics, _openrubrics),
)
