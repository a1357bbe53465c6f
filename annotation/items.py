"""What a reviewer reads: the own list, and one item whole. Nothing of another slot is in either."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from annotation.adjudication import others_of
from annotation.gold import response_keys
from annotation.models import Assignment, Round, Slot
from annotation.queue import require_reviewer
from rubric_engine.models import Draft, Response
from webapp.accounts.models import Membership, User
from webapp.accounts.permissions import Permission, require

TITLE = 80
RETRIEVAL = "retrieval"


def own_round(*, actor: User, round_id: UUID, project_id: int | None = None) -> Round:
    """Raises Round.DoesNotExist for a foreign one, PermissionDenied where the role doesn't review."""
    mine = Membership.objects.filter(user=actor).values("project")
    rounds = Round.rows.filter(pk=round_id, project__in=mine).select_related("project")
    round = (rounds if project_id is None else rounds.filter(project_id=project_id)).get()
    require(actor=actor, project=round.project, permission=Permission.REVIEW)
    return round


def list_items(*, actor: User, round: Round) -> dict[str, Any]:
    """The rail: one's own slots in one's own order."""
    own = (
        Assignment.objects.of(round.project)
        .filter(item__round=round, reviewer=actor)
        .order_by("position")
        .values_list(
            "id",
            "position",
            "state",
            "flagged",
            "slot",
            "item__instruction__text",
            "item__instruction__specialty",
        )
    )
    items = [
        {
            "id": str(pk),
            "n": n,
            "title": _title(text),
            "specialty": specialty,
            "state": state,
            "flagged": flagged,
            "adjudicates": slot == Slot.ADJUDICATOR,
        }
        for pk, n, state, flagged, slot, text, specialty in own
    ]
    shown = {
        "id": str(round.pk),
        "number": round.number,
        "name": round.name,
        "state": round.state,
        "size_mine": len(items),
    }
    return {"round": shown, "items": items}


def own_item(*, actor: User, assignment_id: UUID, project_id: int | None = None) -> Assignment:
    """Raises Assignment.DoesNotExist for a foreign one, PermissionDenied where the role doesn't review."""
    role = Membership.objects.filter(user=actor, project=OuterRef("project")).values("role")[:1]
    found = (
        Assignment.rows.filter(pk=assignment_id)
        .select_related("item__instruction", "item__round", "item__draft", "project")
        .annotate(role=Subquery(role))
    )
    assignment = (found if project_id is None else found.filter(project_id=project_id)).first()
    if assignment is None or assignment.role is None:
        raise Assignment.DoesNotExist("There is no such item among yours.")
    require_reviewer(assignment.role, Slot.FIRST)
    if assignment.reviewer_id != actor.pk:
        raise Assignment.DoesNotExist("There is no such item among yours.")
    require_reviewer(assignment.role, assignment.slot)
    return assignment


def item_payload(assignment: Assignment) -> dict[str, Any]:
    """All that the review screen shows of one item."""
    item = assignment.item
    instruction = item.instruction
    payload = {
        "id": str(assignment.pk),
        "n": assignment.position,
        "of": Assignment.rows.filter(
            item__round_id=item.round_id, reviewer_id=assignment.reviewer_id
        ).count(),
        "state": assignment.state,
        "flagged": assignment.flagged,
        "revision": assignment.revision,
        "fence": assignment.fence,
        "lease_until": assignment.lease_until and assignment.lease_until.isoformat(),
        "instruction": {
            "text": instruction.text,
            "messages": instruction.messages,
            "lang": instruction.lang,
            "specialty": instruction.specialty,
            "category": instruction.category,
            "difficulty": instruction.difficulty,
        },
        "responses": _responses(assignment),
        "draft": _draft(assignment),
        "document": assignment.document,
        "rubric_only": assignment.document["rubric_only"],
        "guideline": assignment.project.guideline,
    }
    if assignment.slot == Slot.ADJUDICATOR:
        payload["others"] = others_of(assignment)
    return payload


def _responses(assignment: Assignment) -> list[dict[str, str]]:
    order = response_keys(assignment.response_order)
    texts = dict(Response.rows.filter(pk__in=assignment.response_order).values_list("pk", "text"))
    return [{"key": key, "text": texts[response]} for key, response in order.items()]


def _draft(assignment: Assignment) -> dict[str, Any]:
    draft = assignment.item.draft
    assert draft is not None
    drafter = Draft.rows.filter(rubric=draft).values_list("drafter", flat=True).first() or ""
    return {
        "label": _label(drafter),
        "criteria": [
            {
                "key": criterion.key,
                "dimension": criterion.dimension,
                "text": criterion.text,
                "weight": criterion.weight,
                "polarity": criterion.polarity,
                "contested": criterion.contested,
            }
            for criterion in draft.criteria.all()
        ],
    }


def _label(drafter: str) -> str:
    """Which kind of drafter; never a model's name, which reviewers don't see."""
    return "Composed from gold by retrieval" if drafter == RETRIEVAL else "Drafted by a language model"


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE else line[: TITLE - 1].rstrip() + "…"
