"""Who reviews what: slots dealt by seed when a round opens, and the document that each one begins with.

Nothing that a reviewer is shown tells whether an item is shared: ids are random, each list has its own
order, each slot its own order of responses.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects

from annotation.document import initial
from annotation.gold import response_keys
from annotation.models import Assignment, Round, RoundItem, Slot
from rubric_engine.models import Response, RubricKind, Verdict
from rubric_engine.rubric import normalised_text
from webapp.accounts.models import Membership, Project, Role, User

MOST_RESPONSES = 26
FEWEST_FOR_DOUBLES = 2


@dataclass(slots=True)
class Reviewer:
    user: User
    specialties: frozenset[str]
    load: int = 0


def reviewers_of(project: Project, chosen: Sequence[User] | None) -> list[Reviewer]:
    """Physicians; with fewer than two of them adjudicators as well. `chosen` narrows to members of any role
    that reviews."""
    members = Membership.objects.filter(project=project, user__is_active=True).select_related("user")
    if chosen is not None:
        members = members.filter(user__in=chosen, role__in=[Role.PHYSICIAN, Role.ADJUDICATOR, Role.LEAD])
        return [_reviewer(member) for member in members.order_by("user_id")]
    physicians = [_reviewer(member) for member in members.filter(role=Role.PHYSICIAN).order_by("user_id")]
    if len(physicians) >= FEWEST_FOR_DOUBLES:
        return physicians
    return physicians + [
        _reviewer(member) for member in members.filter(role=Role.ADJUDICATOR).order_by("user_id")
    ]


def _reviewer(member: Membership) -> Reviewer:
    return Reviewer(member.user, frozenset(str(name).casefold() for name in member.specialties))


def assign(round: Round, items: Sequence[RoundItem], reviewers: Sequence[Reviewer]) -> None:
    """Write the slots of a round; marks the doubly reviewed items."""
    dice = random.Random(f"{round.seed}:{round.number}")  # noqa: S311  (reproducible, guards nothing)
    doubles = _doubles(round, items, reviewers, dice)
    prefetch_related_objects(list(items), "draft__criteria")
    responses, verdicts = _responses(items), _known_verdicts(items)
    slots = []
    for item, reviewer, slot in _dealt(items, doubles, reviewers, dice):
        order = responses[item.instruction_id][:MOST_RESPONSES]
        dice.shuffle(order)
        slots.append(
            Assignment(
                project_id=item.project_id,
                item=item,
                slot=slot,
                reviewer=reviewer.user,
                response_order=order,
                document=_document(round, item, order, verdicts[item.instruction_id]),
            )
        )
    _number(slots, dice)
    Assignment.rows.bulk_create(slots, batch_size=200)


def _doubles(
    round: Round, items: Sequence[RoundItem], reviewers: Sequence[Reviewer], dice: random.Random
) -> set[Any]:
    if len(reviewers) < FEWEST_FOR_DOUBLES:
        return set()
    chosen = dice.sample(items, k=_nearest(len(items) * round.double_share))
    for item in chosen:
        item.double = True
    RoundItem.rows.bulk_update(chosen, ["double"])
    return {item.pk for item in chosen}


def _nearest(number: float) -> int:
    return math.floor(number + 0.5)


def _dealt(
    items: Sequence[RoundItem], doubles: set[Any], reviewers: Sequence[Reviewer], dice: random.Random
) -> Iterable[tuple[RoundItem, Reviewer, Slot]]:
    """Specialists first, nobody above an even share, the least loaded of the rest, ties by lot."""
    share = math.ceil((len(items) + len(doubles)) / len(reviewers))
    for item in dice.sample(items, k=len(items)):
        wanted = item.instruction.specialty.casefold()
        ranked = sorted(
            reviewers,
            key=lambda one: (one.load >= share, wanted not in one.specialties, one.load, dice.random()),
        )
        taken = [(ranked[0], Slot.FIRST), *([(ranked[1], Slot.SECOND)] if item.pk in doubles else [])]
        for reviewer, slot in taken:
            reviewer.load += 1
            yield item, reviewer, slot


def _number(slots: Sequence[Assignment], dice: random.Random) -> None:
    """Each reviewer's own order, from 1."""
    of_reviewer: dict[Any, list[Assignment]] = defaultdict(list)
    for slot in slots:
        of_reviewer[slot.reviewer_id].append(slot)
    for own in of_reviewer.values():
        dice.shuffle(own)
        for position, slot in enumerate(own, start=1):
            slot.position = position


def _responses(items: Sequence[RoundItem]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    wanted = [item.instruction_id for item in items]
    rows = Response.rows.filter(instruction__in=wanted).order_by("pk").values_list("instruction_id", "pk")
    for instruction, response in rows:
        found[instruction].append(response)
    return found


Known = Mapping[tuple[str, str], Mapping[int, Mapping[str, Any]]]


def _known_verdicts(items: Sequence[RoundItem]) -> Mapping[int, Known]:
    """By instruction: (normalised text, polarity) → response → verdict, of source criteria with verdicts.

    Raters who contradict each other leave the verdict to the reviewer.
    """
    wanted = [item.instruction_id for item in items]
    rows = (
        Verdict.rows.filter(
            criterion__rubric__instruction__in=wanted, criterion__rubric__kind=RubricKind.SOURCE
        )
        .order_by("pk")
        .values_list(
            "criterion__rubric__instruction_id",
            "criterion__text",
            "criterion__polarity",
            "response_id",
            "met",
            "origin",
        )
    )
    found: dict[int, dict[tuple[str, str], dict[int, Any]]] = defaultdict(lambda: defaultdict(dict))
    for instruction, text, polarity, response, met, origin in rows.iterator(chunk_size=2000):
        known = found[instruction][normalised_text(text), polarity]
        said = known.setdefault(
            response, {"met": met, "origin": "judge" if origin == "judge" else "imported"}
        )
        if said is not None and said["met"] != met:
            known[response] = None
    return {
        instruction: {
            name: {response: said for response, said in by_response.items() if said is not None}
            for name, by_response in known.items()
        }
        for instruction, known in found.items()
    } | {instruction: {} for instruction in wanted if instruction not in found}


def _document(round: Round, item: RoundItem, order: Sequence[int], known: Known) -> dict[str, Any]:
    assert item.draft is not None
    drafted = [criterion.value() for criterion in item.draft.criteria.all()]
    letters = {response: key for key, response in response_keys(list(order)).items()}
    verdicts = {}
    for criterion in drafted:
        said = known.get((normalised_text(criterion.text), str(criterion.polarity)), {})
        by_letter = {letters[response]: verdict for response, verdict in said.items() if response in letters}
        if by_letter:
            verdicts[criterion.key] = by_letter
    return initial(
        drafted, responses=list(letters.values()), verdicts=verdicts, rubric_only=round.rubric_only
    )
