"""What a reviewer is shown beside an instruction. Keys are made for the assignment: two reviewers of one item
have nothing in common that an address or a payload could tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

from annotation.models import LISTED, Assignment
from annotation.queue import absent, require_reviewer
from rubric_engine.models import Attachment
from webapp.accounts.models import User
from webapp.accounts.permissions import role_of

SHOWN = ("kind", "title", "description", "content", "width", "height")


def key_for(assignment_id: UUID, attachment_id: UUID | str) -> str:
    digest = salted_hmac("annotation.attachments", f"{assignment_id}:{attachment_id}", algorithm="sha256")
    return digest.hexdigest()[:24]


def shown(assignment_id: UUID, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The attachments of a reviewer's item, each under its key."""
    return [{"key": key_for(assignment_id, row["id"]), **{name: row[name] for name in SHOWN}} for row in rows]


def picture_of(*, actor: User, assignment_id: UUID, key: str, project_id: int | None = None) -> Attachment:
    """The picture behind a key of one's own item.

    Raises:
        Assignment.DoesNotExist: the item isn't the actor's (or not in the token's project).
        Attachment.DoesNotExist: the item has no such picture, or no longer.
        PermissionDenied: the role doesn't review.
    """
    own = Assignment.rows.filter(LISTED, pk=assignment_id, reviewer=actor)
    if project_id is not None:
        own = own.filter(project_id=project_id)
    assignment = own.select_related("project", "item").first()
    if assignment is None:
        raise absent(actor, assignment_id)
    require_reviewer(role_of(actor, assignment.project), assignment.slot)
    pictures = Attachment.objects.of(assignment.project).filter(
        instruction=assignment.item.instruction_id, kind="image", removed_at=None
    )
    for picture in pictures:
        if constant_time_compare(key_for(assignment_id, picture.pk), key):
            return picture
    raise Attachment.DoesNotExist("This item has no such picture.")
