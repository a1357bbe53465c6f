"""Who holds which item, until when; and a lead's two ways to free one: release the lease, or give the slot away.

The holder's page learns of either by its fence: what it still sends is kept beside the item, never lost.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from annotation import returning
from annotation.models import STANDING, Assignment, AssignmentState, Round, RoundItem, RoundState, Slot
from webapp.accounts.models import Membership, User
from webapp.accounts.permissions import Permission, require
from webapp.audit.log import record

UNFINISHED = [AssignmentState.OPEN, AssignmentState.DRAFT]
GIVABLE = [Slot.FIRST, Slot.SECOND]


class ClaimRefused(Exception):
    """A lease can't be released, or a slot not be given to that person; the message says why."""


def held(round: Round) -> QuerySet[Assignment]:
    """Leased items with their holders, those whose lease ends last first."""
    return (
        Assignment.objects.of(round.project)
        .filter(STANDING, item__round=round, lease_until__gt=timezone.now(), state__in=UNFINISHED)
        .select_related("item__instruction", "reviewer")
        .order_by("-lease_until", "pk")
    )


def stuck(round: Round) -> QuerySet[Assignment]:
    """Begun and left: no lease any more. Shown beside what is held, because a lead may give these away."""
    return (
        Assignment.objects.of(round.project)
        .filter(STANDING, item__round=round, state=AssignmentState.DRAFT)
        .filter(Q(lease_until=None) | Q(lease_until__lte=timezone.now()))
        .select_related("item__instruction", "reviewer")
        .order_by("lease_until", "pk")
    )


def release(*, actor: User, assignment: Assignment, reason: str) -> Assignment:
    """End a lease now. The item stays its reviewer's, its draft is kept, and other windows may take it.

    Raises:
        PermissionDenied. ClaimRefused: nobody holds it, or no reason is given.
    """
    require(actor=actor, project=assignment.project, permission=Permission.RUN_ROUNDS)
    _require_reason(reason)
    with transaction.atomic():
        current = (
            Assignment.rows.select_for_update(of=("self",)).select_related("project").get(pk=assignment.pk)
        )
        if current.lease_until is None or current.lease_until <= timezone.now():
            raise ClaimRefused("Nobody holds this item now.")
        until = current.lease_until
        current.lease_until = None
        current.fence = F("fence") + 1
        current.save(update_fields=["lease_until", "fence"])
        record(
            project=current.project,
            actor=actor,
            action="lease.released",
            subject=current,
            old={"reviewer": str(current.reviewer_id), "until": until.isoformat()},
            reason=reason.strip(),
        )
    current.refresh_from_db()
    return current


def reassign(*, actor: User, assignment: Assignment, reviewer: User, reason: str) -> Assignment:
    """Give an undecided slot to somebody who has had no part in the item. They begin from the draft.

    Raises:
        PermissionDenied. ClaimRefused: decided already, or that person can't have it; no reason is given.
    """
    require(actor=actor, project=assignment.project, permission=Permission.RUN_ROUNDS)
    _require_reason(reason)
    with transaction.atomic():
        item = (
            RoundItem.rows.select_for_update(of=("self",), no_key=True)
            .select_related("project", "round", "draft", "instruction")
            .get(pk=assignment.item_id)
        )
        current = Assignment.rows.select_for_update().get(pk=assignment.pk)
        _require_givable(item, current)
        if not returning.members_without(item).filter(user=reviewer).exists():
            raise ClaimRefused(f"{reviewer.shown_name} can't review this item, or has had a part in it.")
        made = returning.give(old=current, item=item, reviewer=reviewer)
        record(
            project=item.project,
            actor=actor,
            action="item.reassigned",
            subject=made,
            old={"assignment": str(current.pk), "reviewer": str(current.reviewer_id), "state": current.state},
            new={"reviewer": str(reviewer.pk)},
            reason=reason.strip(),
        )
    return made


def candidates(item: RoundItem) -> list[Membership]:
    """Who may be given a slot of an item."""
    return list(returning.members_without(item).order_by("user__username"))


def find(*, round: Round, assignment_id: UUID) -> Assignment:
    """Raises Assignment.DoesNotExist."""
    return (
        Assignment.objects.of(round.project)
        .select_related("project", "item__instruction", "reviewer")
        .get(pk=assignment_id, item__round=round)
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ClaimRefused("Say why; the reason is kept in the audit log.")


def _require_givable(item: RoundItem, current: Assignment) -> None:
    if item.round.state != RoundState.OPEN:
        raise ClaimRefused("The round isn't open.")
    if current.slot not in GIVABLE:
        raise ClaimRefused("Only a first or second review can be given to somebody else.")
    if current.returned_at is not None:
        raise ClaimRefused("Somebody else has this item already.")
    if current.state == AssignmentState.SUBMITTED:
        raise ClaimRefused("The item is decided already.")
