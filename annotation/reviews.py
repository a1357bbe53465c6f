"""One operation on one's own item: the path that every key press of a reviewer takes.

One transaction, two statements for an edit. The order of checks is part of the promise: a known
operation id is answered first, before lease and revision, so that a retry never does harm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation import returning, settling, threads
from annotation.document import SETTLING, Document, OperationRefused, apply, require_storable, state_of
from annotation.models import Assignment, AssignmentState, LateOperation, RoundState
from annotation.queue import LEASE, absent, require_reviewer
from annotation.remarks import REMARKS
from annotation.sealing import shown
from webapp.accounts.models import User
from webapp.audit.log import record

MOST_ACTIVE_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Applied:
    """What the sender is told; the same for every repetition."""

    revision: int
    state: str
    flagged: bool

    def as_json(self) -> dict[str, Any]:
        return {"revision": self.revision, "state": self.state, "flagged": self.flagged}


class RevisionRequired(Exception):
    """The write doesn't name the revision that it was made on."""


@dataclass
class StaleRevision(Exception):
    """The write was made on another revision than the present one, which comes with it."""

    revision: int
    document: Document
    state: str


class OperationReused(Exception):
    """The operation id was used before with another body."""


class LeaseLost(Exception):
    """The lease was taken over, or the round was closed. The write was kept beside, without effect."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """One operation as it came in."""

    actor: User
    assignment_id: UUID
    operation_id: UUID
    kind: str
    payload: Mapping[str, Any]
    if_match: int | None
    fence: int
    active_ms: int

    def body_hash(self) -> str:
        """Of what the operation does: fence and revision may differ between two sendings of one operation."""
        body = json.dumps([str(self.assignment_id), self.kind, self.payload], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Held:
    """The assignment, locked, with what else the checks need."""

    project_id: int
    item_id: UUID
    slot: int
    document: Document
    revision: int
    fence: int
    round_state: str
    role: str
    known_hash: str | None
    known_answer: dict[str, Any] | None


_LOCK = """
SELECT a.project_id, a.item_id, a.slot, a.document, a.revision, a.fence, r.state, m.role, o.body_sha256, o.answer
FROM annotation_assignment a
JOIN annotation_rounditem i ON i.id = a.item_id
JOIN annotation_round r ON r.id = i.round_id
JOIN accounts_membership m ON m.project_id = a.project_id AND m.user_id = %(actor)s
LEFT JOIN annotation_operation o ON o.actor_id = %(actor)s AND o.operation_id = %(operation)s
WHERE a.id = %(assignment)s AND a.reviewer_id = %(actor)s
FOR UPDATE OF a
"""
_KNOWN = "SELECT body_sha256, answer FROM annotation_operation WHERE actor_id = %s AND operation_id = %s"
_WRITE = """
WITH kept AS (
  INSERT INTO annotation_operation
    (project_id, assignment_id, operation_id, actor_id, revision, kind, payload, body_sha256, fence, answer, at)
  VALUES (%(project)s, %(assignment)s, %(operation)s, %(actor)s, %(revision)s, %(kind)s, %(payload)s::jsonb,
          %(hash)s, %(fence)s, %(answer)s::jsonb, %(now)s)
)
UPDATE annotation_assignment
SET document = %(document)s::jsonb, revision = %(revision)s, state = %(state)s, flagged = %(flagged)s,
    lease_until = %(lease)s, submitted_at = %(submitted)s, active_ms = active_ms + %(active)s
WHERE id = %(assignment)s
"""


def apply_operation(
    *,
    actor: User,
    assignment_id: UUID,
    operation_id: UUID,
    kind: str,
    payload: Mapping[str, Any],
    if_match: int | None,
    fence: int,
    active_ms: int,
    project_id: int | None = None,
) -> Applied:
    """Apply one operation once, whatever number of times it is sent.

    `project_id`: the one project that an API token opens.

    Raises:
        Assignment.DoesNotExist: it isn't the actor's (or not in the token's project).
        PermissionDenied: the role doesn't let one review (or adjudicate).
        OperationReused, RevisionRequired, LeaseLost, StaleRevision: see there; in this order.
        OperationRefused: the document's rules forbid it.
    """
    sent = _Sent(actor, assignment_id, operation_id, kind, payload, if_match, fence, active_ms)
    require_storable([kind, payload])
    try:
        with transaction.atomic():
            applied = _apply(sent, project_id)
    except IntegrityError as fault:
        if "operation_once_per_actor" in str(fault):
            raise OperationReused from fault
        raise
    if applied is None:
        raise LeaseLost
    return applied


def _apply(sent: _Sent, project_id: int | None) -> Applied | None:
    """None: the write came late and is kept beside."""
    held = _lock(sent)
    if held is None or project_id not in {None, held.project_id}:
        raise absent(sent.actor, sent.assignment_id)
    require_reviewer(held.role, held.slot)
    if known := _repeated(sent, held.known_hash, held.known_answer):
        return known
    if sent.if_match is None:
        raise RevisionRequired
    if sent.fence != held.fence or held.fence == 0 or held.round_state != RoundState.OPEN:
        _keep_late(sent, held)
        return None
    if sent.if_match != held.revision:
        return _repeated_meanwhile(sent, held)
    applied = _write(sent, held, apply(held.document, sent.kind, sent.payload))
    if sent.kind in SETTLING:
        _decide(sent, held, applied)
    elif sent.kind in REMARKS:
        threads.keep(actor=sent.actor, assignment_id=sent.assignment_id, kind=sent.kind, payload=sent.payload)
    return applied


def _lock(sent: _Sent) -> _Held | None:
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK, {"actor": sent.actor.pk, "operation": sent.operation_id, "assignment": sent.assignment_id}
        )
        row = cursor.fetchone()
    if row is None:
        return None
    project_id, item_id, slot, document, revision, fence, state, role, known_hash, answer = row
    return _Held(
        project_id=project_id,
        item_id=item_id,
        slot=slot,
        document=json.loads(document),
        revision=revision,
        fence=fence,
        round_state=state,
        role=role,
        known_hash=known_hash,
        known_answer=json.loads(answer) if answer else None,
    )


def _repeated(sent: _Sent, known_hash: str | None, answer: dict[str, Any] | None) -> Applied | None:
    if known_hash is None or answer is None:
        return None
    if known_hash != sent.body_hash():
        raise OperationReused
    return Applied(**answer)


def _repeated_meanwhile(sent: _Sent, held: _Held) -> Applied:
    """A twin of this request may have been acknowledged while this one waited for the lock."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [sent.actor.pk, sent.operation_id])
        row = cursor.fetchone()
    known = _repeated(sent, row[0], json.loads(row[1])) if row else None
    if known is None:
        raise StaleRevision(held.revision, shown(held.document), state_of(held.document, held.revision))
    return known


def _write(sent: _Sent, held: _Held, document: Document) -> Applied:
    now = timezone.now()
    revision = held.revision + 1
    applied = Applied(revision, state_of(document, revision), bool(document["flags"]))
    values: dict[str, Any] = {
        "project": held.project_id,
        "assignment": sent.assignment_id,
        "operation": sent.operation_id,
        "actor": sent.actor.pk,
        "revision": revision,
        "kind": sent.kind,
        "payload": json.dumps(sent.payload),
        "hash": sent.body_hash(),
        "fence": held.fence,
        "answer": json.dumps(applied.as_json()),
        "now": now,
        "document": json.dumps(document),
        "state": applied.state,
        "flagged": applied.flagged,
        "lease": _lease(applied.state, now),
        "submitted": now if applied.state == AssignmentState.SUBMITTED else None,
        "active": min(max(sent.active_ms, 0), MOST_ACTIVE_MS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, values)
    return applied


def _lease(state: str, now: datetime) -> datetime | None:
    """Every write renews the lease; a decided item needs none."""
    return None if state in {AssignmentState.SUBMITTED, AssignmentState.SKIPPED} else now + LEASE


def _decide(sent: _Sent, held: _Held, applied: Applied) -> None:
    assignment = Assignment.rows.select_related("project").get(pk=sent.assignment_id)
    record(
        project=assignment.project,
        actor=sent.actor,
        action=f"item.{sent.kind}",
        subject=assignment,
        old={"revision": held.revision},
        new={
            "revision": applied.revision,
            "state": applied.state,
            "active_ms": assignment.active_ms,
            "words": assignment.words,
        },
        reason=str(sent.payload.get("reason") or ""),
    )
    if sent.kind == "unskip":
        returning.take_back(actor=sent.actor, assignment=assignment)
    settling.ask(actor=sent.actor, item_id=held.item_id, slot=held.slot, kind=sent.kind)


def _keep_late(sent: _Sent, held: _Held) -> None:
    late = LateOperation(
        project_id=held.project_id,
        assignment_id=sent.assignment_id,
        operation_id=sent.operation_id,
        actor=sent.actor,
        fence=sent.fence,
        body={"kind": sent.kind, "payload": dict(sent.payload), "if_match": sent.if_match},
    )
    LateOperation.rows.bulk_create([late], ignore_conflicts=True)


__all__ = [
    "Applied",
    "LeaseLost",
    "OperationRefused",
    "OperationReused",
    "RevisionRequired",
    "StaleRevision",
    "apply_operation",
]
