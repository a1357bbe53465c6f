"""One wrong criterion in a draft: planting it, telling whether a reviewer caught it, taking it out again.

Pure. What is planted is plain JSON, {key, text, field, drafted, shown}: `text` of the criterion as it was
drafted; `field` is "polarity", or "text" with one number changed. Reverting never puts into gold what no
physician has read: a flipped polarity is set back, for the statement and its verdicts are the reviewer's; an
overlooked wrong number takes its criterion along.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.document import Document
from annotation.wording import is_wording
from rubric_engine.rubric import Criterion, Polarity, normalised_text

Planted = Mapping[str, Any]

NUMBER = re.compile(r"(?<![\w.,/:–-])([2-9]|[1-9]\d{1,2})(?![\w,/:–-]|\.\d)")
EVERYWHERE = frozenset({"112", "110", "118", "119", "120", "911", "988", "995", "997", "998", "999", "111"})
"""Numbers to call in an emergency: a wrong one is noticed by anyone, and says nothing about reading."""
FEWEST_BESIDE = 2
"""A text is changed only where its dimension has another criterion, which still makes the rubric valid."""


def plant(criteria: Sequence[Criterion], dice: random.Random) -> dict[str, Any] | None:
    """What to plant in a draft: a changed number about as often as a flipped polarity; None in an empty one."""
    settled = [criterion for criterion in criteria if not criterion.contested]
    if not settled:
        return None
    in_dimension = Counter(criterion.dimension for criterion in settled)
    numbered = [
        criterion
        for criterion in settled
        if in_dimension[criterion.dimension] >= FEWEST_BESIDE and _numbers(criterion.text)
    ]
    if numbered and dice.random() < 1 / 2:
        criterion = dice.choice(numbered)
        return {
            "key": criterion.key,
            "field": "text",
            "text": criterion.text,
            "drafted": criterion.text,
            "shown": _with_another_number(criterion.text, dice),
        }
    criterion = dice.choice(settled)
    flipped = Polarity.MUST_NOT_HOLD if criterion.polarity is Polarity.MUST_HOLD else Polarity.MUST_HOLD
    return {
        "key": criterion.key,
        "field": "polarity",
        "text": criterion.text,
        "drafted": criterion.polarity.value,
        "shown": flipped.value,
    }


def applied(criteria: Sequence[dict[str, Any]], planted: Planted | None) -> list[dict[str, Any]]:
    """Criteria as JSON, with the planted error."""
    if planted is None:
        return list(criteria)
    return [
        {**criterion, planted["field"]: planted["shown"]} if criterion["key"] == planted["key"] else criterion
        for criterion in criteria
    ]


def caught(document: Document, planted: Planted) -> bool:
    """Whether the wrong statement doesn't stand any more: rejected, or what was wrong in it changed."""
    criterion = _find(document, planted["key"])
    if criterion is None or criterion["rejected"] is not None:
        return True
    if planted["field"] == "polarity":
        flipped_back = criterion["polarity"] != planted["shown"]
        return flipped_back or not is_wording(planted["text"], criterion["text"])
    wrong = Counter(_numbers(planted["shown"])) - Counter(_numbers(planted["drafted"]))
    return not all(Counter(_numbers(criterion["text"]))[number] for number in wrong)


def reverted(document: Document, planted: Planted | None) -> Document:
    """The document as it would be gold: without the planted error, whether or not it was caught."""
    if planted is None or caught(document, planted):
        return document
    key = planted["key"]
    change = (
        {"polarity": planted["drafted"]} if planted["field"] == "polarity" else {"rejected": {"reason": ""}}
    )
    criteria = [{**one, **change} if one["key"] == key else one for one in document["criteria"]]
    return {**document, "criteria": criteria}


def left_out(
    draft: Sequence[Criterion], document: Document, planted: Planted | None
) -> tuple[list[Criterion], Document]:
    """Draft and document for the ledger: neither holds the planted criterion, nor what a reviewer wrote for it."""
    if planted is None:
        return list(draft), document
    key, text = planted["key"], normalised_text(planted["text"])
    criteria = [
        one
        for one in document["criteria"]
        if one["key"] != key and not (one["origin"] == "added" and normalised_text(one["text"]) == text)
    ]
    return [one for one in draft if one.key != key], {**document, "criteria": criteria}


def _find(document: Document, key: str) -> dict[str, Any] | None:
    return next((one for one in document["criteria"] if one["key"] == key), None)


def _numbers(text: str) -> list[str]:
    return [found for found in NUMBER.findall(text) if found not in EVERYWHERE]


def _with_another_number(text: str, dice: random.Random) -> str:
    places = [found for found in NUMBER.finditer(text) if found[1] not in EVERYWHERE]
    place = dice.choice(places)
    number = int(place[1])
    taken = {int(found[1]) for found in places}
    others = [
        other for other in (number * 2, number * 3, number // 2) if _plantable(other) and other not in taken
    ]
    if not others:
        others = [other for other in range(2, 1000) if _plantable(other) and other not in taken]
    return text[: place.start(1)] + str(dice.choice(others)) + text[place.end(1) :]


def _plantable(number: int) -> bool:
    return _numbers(str(number)) == [str(number)]
