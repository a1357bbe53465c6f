"""The lease on one's next item: claimed with SKIP LOCKED, renewed, given back.

A slot has one reviewer, so a lease keeps apart the windows and machines of one person, and the
adjudicators who share an unassigned slot. `fence` grows with every claim that isn't a renewal: a write
that carries an older one is late. A lease that ran out returns its item and keeps its draft.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotation.models import Assignment, AssignmentState, Round, RoundState, Slot
from webapp.accounts.models import Role, User
from webapp.accounts.permissions import Permission, allowed, require, role_of

LEASE = timedelta(minutes=45)


class LeaseHeld(Exception):
    """The lease that a caller wants to renew was taken over since."""


def next_assignment(*, actor: User, round: Round) -> Assignment | None:
    """Lease the first item of one's own list that is neither decided nor leased; None where there is none.

    Raises:
        PermissionDenied: the role doesn't review.
    """
    require(actor=actor, project=round.project, permission=Permission.REVIEW)
    if round.state != RoundState.OPEN:
        return None
    now = timezone.now()
    with transaction.atomic():
        due = (
            Assignment.rows.select_for_update(skip_locked=True, of=("self",))
            .filter(item__round=round, state__in=[AssignmentState.OPEN, AssignmentState.DRAFT])
            .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        )
        assignment = due.filter(reviewer=actor).order_by("position").first()
        if assignment is None and allowed(role_of(actor, round.project), Permission.ADJUDICATE):
            shared = due.filter(reviewer=None, slot=Slot.ADJUDICATOR)
            assignment = shared.exclude(item__assignments__reviewer=actor).order_by("position").first()
        if assignment is None:
            return None
        assignment.reviewer = actor
        assignment.fence += 1
        assignment.lease_until = now + LEASE
        assignment.save(update_fields=["reviewer", "fence", "lease_until"])
    return assignment


def renew_lease(
    *, actor: User, assignment_id: UUID, fence: int | None = None, project_id: int | None = None
) -> Assignment:
    """Extend one's own lease, or take it again where it ran out; then the fence grows.

    `fence`: the one that the caller holds; without it, whoever is the reviewer renews.

    Raises:
        Assignment.DoesNotExist: it isn't the actor's (or not in the token's project).
        PermissionDenied: the role doesn't let one review (or adjudicate).
        LeaseHeld: `fence` isn't the present one.
    """
    now = timezone.now()
    own = Q(pk=assignment_id, reviewer=actor)
    if project_id is not None:
        own &= Q(project_id=project_id)
    with transaction.atomic():
        assignment = Assignment.rows.select_for_update().get(own)
        require_reviewer(role_of(actor, assignment.project), assignment.slot)
        if fence is not None and fence != assignment.fence:
            raise LeaseHeld
        if assignment.lease_until is None or assignment.lease_until < now:
            assignment.fence += 1
        assignment.lease_until = now + LEASE
        assignment.save(update_fields=["fence", "lease_until"])
    return assignment


def release(*, actor: User, assignment_id: UUID, fence: int) -> None:
    """Give the item back before its time; nothing happens where the lease was lost already."""
    Assignment.rows.filter(pk=assignment_id, reviewer=actor, fence=fence).update(lease_until=None)


def require_reviewer(role: Role | str | None, slot: int) -> None:
    """Raises PermissionDenied unless the role may work in that slot."""
    permission = Permission.ADJUDICATE if slot == Slot.ADJUDICATOR else Permission.REVIEW
    if not allowed(Role(role) if role else None, permission):
        raise PermissionDenied(f"Your role doesn't let you {permission}.")
