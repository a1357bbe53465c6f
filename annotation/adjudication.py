"""When an item is decided: one reviewer's accept, two that agree, or a third person's word.

Two equal decisions merge by themselves; where they differ an adjudicator who is neither of the two gets
slot 2, with the draft, whatever both agree on already taken over, and both decisions as anonymous columns.
"""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q

from annotation import gold
from annotation.document import Document, OperationRefused, initial, judged_responses, live_criteria
from annotation.gold import response_keys
from annotation.models import Assignment, AssignmentState, RoundItem, RoundState, Slot
from rubric_engine.models import RubricKind
from rubric_engine.rubric import normalised_text
from webapp.accounts.models import Membership, Role, User
from webapp.accounts.permissions import GRANTS, Permission
from webapp.audit.log import record

DECIDED = {AssignmentState.SUBMITTED, AssignmentState.SKIPPED}
ADDED_BY_ONE = "added by one of the two"
SHARED_FIELDS = ("dimension", "weight", "polarity", "contested")


def settle(*, actor: User, item_id: UUID) -> None:
    """Make or withdraw an item's gold after one of its assignments was decided or reopened.

    Runs in the caller's transaction. The item's lock orders two reviewers who decide at one moment.

    Raises:
        OperationRefused: the round was closed, or the adjudication begun; undo the change by the transaction.
    """
    item = (
        RoundItem.rows.select_for_update(of=("self",))
        .select_related("project", "draft", "instruction")
        .get(pk=item_id)
    )
    _require_open(item.round_id)
    by_slot = {assignment.slot: assignment for assignment in item.assignments.select_related("reviewer")}
    third = by_slot.pop(Slot.ADJUDICATOR, None)
    if any(assignment.state not in DECIDED for assignment in by_slot.values()):
        _undecided(actor, item, third)
        return
    accepted = [by_slot[slot] for slot in sorted(by_slot) if by_slot[slot].state == AssignmentState.SUBMITTED]
    if len(accepted) == 2 and not equal(accepted[0], accepted[1]):
        _by_adjudicator(actor, item, accepted, third)
    elif accepted and not item.gold.filter(withdrawn_at=None).exists():
        gold.make(actor=actor, item=item, assignment=accepted[0], kind=RubricKind.CORRECTED)


def _require_open(round_id: UUID) -> None:
    """A shared lock: deciders don't wait for each other, and a close waits for all of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM annotation_round WHERE id = %s FOR SHARE", [round_id])
        (state,) = cursor.fetchone()
    if state != RoundState.OPEN:
        raise OperationRefused("The round was closed meanwhile; ask a lead to reopen it.")


def equal(first: Assignment, second: Assignment) -> bool:
    """Whether two reviewers decided alike: the same criteria and verdicts, whatever letters they saw."""
    return _decision(first) == _decision(second)


def _decision(assignment: Assignment) -> tuple[frozenset[Any], frozenset[Any]]:
    document: Document = assignment.document
    behind = response_keys(assignment.response_order)
    judged = judged_responses(document)
    criteria, verdicts = set(), set()
    for criterion in live_criteria(document):
        name = criterion["key"] if criterion["origin"] == "draft" else ""
        what = (name, *_content(criterion))
        criteria.add(what)
        by_response = document["verdicts"].get(criterion["key"], {})
        verdicts |= {(what, behind[key], by_response[key]["met"]) for key in judged if key in by_response}
    return frozenset(criteria), frozenset(verdicts)


def _undecided(actor: User, item: RoundItem, third: Assignment | None) -> None:
    gold.withdraw(actor=actor, item=item, reason="a review of the item was reopened")
    if third is None:
        return
    # Locked only where nobody claimed it: who holds it may be waiting for the item that is locked here.
    free = None if third.fence else Assignment.rows.select_for_update().filter(pk=third.pk, fence=0).first()
    if free is None:
        raise OperationRefused("The item is being settled already; ask a lead to reopen it.")
    free.delete()


def _by_adjudicator(
    actor: User, item: RoundItem, accepted: list[Assignment], third: Assignment | None
) -> None:
    if third is None:
        _ask_third(actor, item, accepted)
    elif third.state == AssignmentState.SUBMITTED:
        gold.make(actor=actor, item=item, assignment=third, kind=RubricKind.ADJUDICATED)
    else:
        gold.withdraw(actor=actor, item=item, reason="the adjudication was reopened")


def _ask_third(actor: User, item: RoundItem, accepted: list[Assignment]) -> None:
    """Slot 2 for the least busy adjudicator; without a reviewer where none is free to judge."""
    assert item.draft is not None
    third = Assignment(project_id=item.project_id, item=item, slot=Slot.ADJUDICATOR)
    third.reviewer = _adjudicator(item, accepted)
    last = Assignment.rows.filter(item__round_id=item.round_id, reviewer=third.reviewer)
    third.position = (last.aggregate(last=Max("position"))["last"] or 0) + 1
    third.response_order = sorted(
        accepted[0].response_order, key=lambda response: random.Random(f"{third.pk}:{response}").random()
    )
    third.document = _common_ground(item, third, accepted)
    third.save(force_insert=True)
    record(project=item.project, actor=None, action="item.disagreement", subject=third)


def _adjudicator(item: RoundItem, accepted: list[Assignment]) -> User | None:
    """An adjudicator before a lead; the fewest open adjudications first."""
    roles = [role for role in (Role.ADJUDICATOR, Role.LEAD) if Permission.ADJUDICATE in GRANTS[role]]
    waiting = Count(
        "user__assignments",
        filter=Q(user__assignments__slot=Slot.ADJUDICATOR, user__assignments__project_id=item.project_id)
        & ~Q(user__assignments__state__in=DECIDED),
    )
    members = (
        Membership.objects.filter(project_id=item.project_id, role__in=roles, user__is_active=True)
        .exclude(user__in=[assignment.reviewer_id for assignment in accepted])
        .select_related("user")
        .annotate(waiting=waiting)
    )
    free = sorted(members, key=lambda member: (roles.index(Role(member.role)), member.waiting, member.pk))
    return free[0].user if free else None


def _common_ground(item: RoundItem, third: Assignment, accepted: list[Assignment]) -> Document:
    """The draft, with the criteria and verdicts that both reviewers decided alike already in place."""
    assert item.draft is not None
    drafted = [criterion.value() for criterion in item.draft.criteria.all()]
    keys = list(response_keys(third.response_order))
    start = initial(drafted, responses=keys, rubric_only=accepted[0].document["rubric_only"])
    first, second = _aligned(*(translated(decided, third) for decided in accepted))
    mine, others = _by_key(first), _by_key(second)
    criteria = [
        mine[criterion["key"]] if _alike(mine[criterion["key"]], others[criterion["key"]]) else criterion
        for criterion in start["criteria"]
    ] + _additions(mine, others)
    return {
        **start,
        "criteria": criteria,
        "verdicts": _shared_verdicts(first, second, criteria),
        "unjudged": {
            response: reason
            for response, reason in first["unjudged"].items()
            if response in second["unjudged"]
        },
    }


def _by_key(document: Document) -> dict[str, dict[str, Any]]:
    return {criterion["key"]: criterion for criterion in document["criteria"]}


def _additions(mine: dict[str, dict[str, Any]], others: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What both added stands; what one of them added is there to be restored."""
    added = [criterion for criterion in {**others, **mine}.values() if criterion["origin"] == "added"]
    return [
        criterion
        if _alike(mine.get(criterion["key"], {}), others.get(criterion["key"], {}))
        else {**criterion, "rejected": {"reason": ADDED_BY_ONE}}
        for criterion in sorted(added, key=lambda criterion: criterion["key"])
    ]


def _aligned(first: Document, second: Document) -> tuple[Document, Document]:
    """Criteria that both added in the same words get one key, so that they can stand side by side."""
    free = {_content(one): one["key"] for one in first["criteria"] if one["origin"] == "added"}
    renamed = {
        other["key"]: free.pop(_content(other))
        for other in second["criteria"]
        if other["origin"] == "added" and _content(other) in free
    }
    return first, {
        **second,
        "criteria": [
            {**criterion, "key": renamed.get(criterion["key"], criterion["key"])}
            for criterion in second["criteria"]
        ],
        "verdicts": {renamed.get(key, key): verdicts for key, verdicts in second["verdicts"].items()},
    }


def _content(criterion: dict[str, Any]) -> tuple[Any, ...]:
    return (normalised_text(criterion["text"]), *(criterion[field] for field in SHARED_FIELDS))


def _alike(mine: dict[str, Any], other: dict[str, Any]) -> bool:
    if not mine or not other or (mine["rejected"] is None) != (other["rejected"] is None):
        return False
    return mine["rejected"] is not None or _content(mine) == _content(other)


def _shared_verdicts(first: Document, second: Document, criteria: list[dict[str, Any]]) -> dict[str, Any]:
    shared: dict[str, Any] = {}
    for criterion in criteria:
        other = second["verdicts"].get(criterion["key"], {})
        for response, verdict in first["verdicts"].get(criterion["key"], {}).items():
            if response in other and other[response]["met"] == verdict["met"]:
                shared.setdefault(criterion["key"], {})[response] = {
                    **verdict,
                    "rationale": "",
                    "evidence": None,
                }
    return shared


def translated(decided: Assignment, reader: Assignment) -> Document:
    """The document of `decided` under the letters that `reader` sees."""
    document: Document = decided.document
    letter_of = {response: key for key, response in response_keys(reader.response_order).items()}
    letters = {key: letter_of[response] for key, response in response_keys(decided.response_order).items()}
    return {
        **document,
        "responses": sorted(letters.values()),
        "unjudged": {letters[key]: reason for key, reason in document["unjudged"].items()},
        "verdicts": {
            criterion: {letters[key]: verdict for key, verdict in by_response.items()}
            for criterion, by_response in document["verdicts"].items()
        },
    }


def others_of(third: Assignment) -> list[Document]:
    """The two decisions that an adjudicator settles, in an order that tells nothing of the slots."""
    decided = Assignment.rows.filter(item_id=third.item_id).exclude(slot=Slot.ADJUDICATOR).order_by("slot")
    first, second = _aligned(*(translated(assignment, third) for assignment in decided))
    columns = [_anonymous(first), _anonymous(second)]
    random.Random(f"columns:{third.pk}").shuffle(columns)
    return columns


def _anonymous(document: Document) -> Document:
    """Without what only its author should see: flags and comments."""
    return {**document, "flags": [], "comments": []}
