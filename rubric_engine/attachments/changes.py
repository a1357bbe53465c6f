"""Adding an attachment to an instruction, and removing one."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rubric_engine.attachments import files
from rubric_engine.attachments.faults import AttachmentRefused
from rubric_engine.attachments.intake import MOST, Taken
from rubric_engine.models import Attachment, Instruction
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, require
from webapp.audit.log import record

FILES_LOCK = "attachments"
IMPORT_LOCK = "import"


def add(*, actor: User, instruction: Instruction, taken: Taken) -> Attachment:
    """Keep what was taken in. The same again returns what is there.

    Raises:
        PermissionDenied: without IMPORT_DATA.
        AttachmentRefused: there are MOST already.
    """
    project = instruction.project
    require(actor=actor, project=project, permission=Permission.IMPORT_DATA)
    with transaction.atomic():
        Instruction.objects.of(project).select_for_update().get(pk=instruction.pk)
        _lock_files(project)
        present = list(Attachment.objects.of(project).filter(instruction=instruction, removed_at=None))
        for known in present:
            if known.sha256 == taken.sha256:
                return known
        if len(present) >= MOST:
            raise AttachmentRefused(
                "", _("This instruction has %(n)s attachments already; remove one first.") % {"n": MOST}
            )
        if taken.picture is not None:
            files.keep(taken.picture, project_id=project.pk)
        made = Attachment.rows.create(
            project=project,
            instruction=instruction,
            position=max((one.position for one in present), default=0) + 1,
            **columns_of(taken),
        )
        what = {"instruction": instruction.external_id, "kind": made.kind, "sha256": made.sha256}
        record(project=project, actor=actor, action="attachment.added", subject=made, new=what)
    return made


def columns_of(taken: Taken) -> dict[str, object]:
    """The values of the model's columns."""
    picture = taken.picture
    return {
        "kind": taken.kind,
        "title": taken.title,
        "description": taken.description,
        "content": taken.content,
        "sha256": taken.sha256,
        "media_type": picture.media_type if picture else "",
        "width": picture.width if picture else None,
        "height": picture.height if picture else None,
        "size": len(picture.data) if picture else 0,
    }


def remove(*, actor: User, project: Project, attachment_id: UUID) -> Attachment:
    """Take it away from reviewers and delete what it showed; that it was there stays in the history.

    Raises:
        Attachment.DoesNotExist: there is none, or it was removed before.
        PermissionDenied: without IMPORT_DATA.
        AttachmentRefused: while an import runs, which may be about to use the same picture.
    """
    require(actor=actor, project=project, permission=Permission.IMPORT_DATA)
    with transaction.atomic():
        live = Attachment.objects.of(project).select_for_update().select_related("instruction")
        found = live.filter(removed_at=None).get(pk=attachment_id)
        _require_no_import(project)
        _lock_files(project)
        what = {"instruction": found.instruction.external_id, "kind": found.kind, "sha256": found.sha256}
        found.title = found.description = ""
        found.content, found.removed_at = None, timezone.now()
        found.save(update_fields=["title", "description", "content", "removed_at"])
        record(project=project, actor=actor, action="attachment.removed", subject=found, old=what)
        _delete_unused_file(found)
    return found


def _delete_unused_file(removed: Attachment) -> None:
    """Under the locks that whoever adds a picture holds, so no new row can name the file meanwhile."""
    same = Attachment.objects.of(removed.project).filter(sha256=removed.sha256, removed_at=None)
    if removed.media_type and not same.exists():
        files.place(
            project_id=removed.project_id, sha256=removed.sha256, media_type=removed.media_type
        ).unlink(missing_ok=True)


def _lock_files(project: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), %s)", [FILES_LOCK, project.pk])


def _require_no_import(project: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s), %s)", [IMPORT_LOCK, project.pk])
        free = cursor.fetchone()
    if not free or not free[0]:
        raise AttachmentRefused("", _("An import is running; remove the attachment when it has ended."))
