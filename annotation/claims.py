"""Who holds which item, until when; and a lead's two ways to free one: release the lease, or give the slot away.

The holder's page learns of either by its fence: what it still sends is kept beside the item, never lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation import returning
from annotation.models import STANDING, Assignment, AssignmentState, Round, RoundItem, RoundState, Slot
from webapp.accounts.models import User
from webapp.accounts.permissions import Permission, require
from webapp.audit.log import record

UNFINISHED = [AssignmentState.OPEN, AssignmentState.DRAFT]
AT_ONCE = 200
GIVABLE = [Slot.FIRST, Slot.SECOND]


class ClaimRefused(Exception):
    """A lease can't be released, or a slot not be given to that person; the message says why."""


def in_hand(round: Round) -> QuerySet[Assignment]:
    """Items that somebody holds or has begun, those whose lease ends last first; begun and left ones behind."""
    return (
        Assignment.objects.of(round.project)
        .filter(STANDING, item__round=round, state__in=UNFINISHED)
        .filter(Q(lease_until__gt=timezone.now()) | Q(state=AssignmentState.DRAFT))
        .select_related("item__instruction", "reviewer")
        .order_by(F("lease_until").desc(nulls_last=True), "pk")
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
            raise ClaimRefused(_("Nobody holds this item now."))
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
            raise ClaimRefused(
                _("%(name)s can't review this item, or has had a part in it.") % {"name": reviewer.shown_name}
            )
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


def hand_over(*, actor: User, round: Round, old: User, new: User, reason: str) -> tuple[int, int]:
    """Give a reviewer's undecided items to another one. Returns how many were given, and how many stay because
    `new` has had a part in them. At most `AT_ONCE` in one call.

    Raises:
        PermissionDenied. ClaimRefused: no reason is given.
    """
    _require_reason(reason)
    mine = Assignment.objects.of(round.project).filter(
        STANDING, item__round=round, reviewer=old, slot__in=GIVABLE, state__in=UNFINISHED
    )
    given = kept = 0
    for assignment in mine.select_related("project").order_by("position")[:AT_ONCE]:
        try:
            reassign(actor=actor, assignment=assignment, reviewer=new, reason=reason)
            given += 1
        except ClaimRefused:
            kept += 1
    return given, kept


def candidates(round: Round, shown: Sequence[Assignment]) -> dict[UUID, list[User]]:
    """By assignment: who may be given its slot."""
    had: dict[UUID, set[int]] = defaultdict(set)
    items = [assignment.item_id for assignment in shown]
    rows = Assignment.objects.of(round.project).filter(item__in=items).exclude(reviewer=None)
    for item, reviewer in rows.values_list("item", "reviewer"):
        had[item].add(reviewer)
    people = returning.reviewing(round.project).order_by("user__username")
    users = [member.user for member in people]
    return {
        assignment.pk: [user for user in users if user.pk not in had[assignment.item_id]]
        for assignment in shown
        if assignment.slot in GIVABLE
    }


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ClaimRefused(_("Say why; the reason is kept in the audit log."))


def _require_givable(item: RoundItem, current: Assignment) -> None:
    if item.round.state != RoundState.OPEN:
        raise ClaimRefused(_("The round isn't open."))
    if current.slot not in GIVABLE:
        raise ClaimRefused(_("Only a first or second review can be given to somebody else."))
    if current.returned_at is not None:
        raise ClaimRefused(_("Somebody else has this item already."))
    if current.state == AssignmentState.SUBMITTED:
        raise ClaimRefused(_("The item is decided already."))
