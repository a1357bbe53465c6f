"""Protects attachments: who may add and remove them, that they never change, and that no file outlives its rows."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connections, transaction
from django.test import override_settings

from rubric_engine.attachments import changes, files, intake
from rubric_engine.attachments.faults import AttachmentRefused
from rubric_engine.attachments.intake import MOST
from rubric_engine.curation.faults import ImportRefused
from rubric_engine.curation.imports import create_import, import_now
from rubric_engine.models import Attachment, Import, Instruction
from tests import cast
from tests.rubric_engine import pictures
from tests.rubric_engine.files import jsonl
from webapp.accounts.models import Project, User
from webapp.audit.models import Event

LAB = {
    "kind": "lab_table",
    "title": "Blood",
    "rows": [{"name": "Potassium", "value": 6.1, "low": 3.5, "high": 5.1}],
}
VITALS = {
    "kind": "vitals",
    "signs": [{"name": "Heart rate", "unit": "/min", "series": [{"at": "8:00", "value": 124}]}],
}


@pytest.fixture(autouse=True)
def _files_in(tmp_path: Path) -> Iterator[None]:
    with override_settings(FILES_DIR=tmp_path / "files"):
        yield


@pytest.fixture
def instruction(project: Project) -> Instruction:
    return cast.make_instruction(project, "chest")


def lies(attachment: Attachment) -> bool:
    return files.place(
        project_id=attachment.project_id, sha256=attachment.sha256, media_type=attachment.media_type
    ).exists()


def image_row(raw: bytes = b"", **fields: Any) -> dict[str, Any]:
    encoded = base64.b64encode(raw or pictures.picture()).decode()
    return {"kind": "image", "title": "Rash", "description": "A red ring.", "data": encoded} | fields


def load(actor: User, project: Project, *attachments: Any, name: str = "q1") -> Import:
    row = {"id": name, "instruction": f"What of this ({name})?", "attachments": list(attachments)}
    made = create_import(
        actor=actor, project=project, filename="x.jsonl", file=io.BytesIO(jsonl(row)), queue=False
    )
    return import_now(made, lambda *_: None)


def test_an_image_is_kept_with_its_file_and_its_event(lead: User, instruction: Instruction) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    assert (made.kind, made.media_type, made.width, made.height, made.position) == (
        "image",
        "image/png",
        48,
        32,
        1,
    )
    assert lies(made)
    event = Event.rows.get(action="attachment.added")
    assert event.new
    assert (event.actor, event.new["sha256"]) == (lead, made.sha256)
    assert "Rash" not in str(event.new)


def test_the_same_picture_twice_is_one(lead: User, instruction: Instruction) -> None:
    first = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    assert changes.add(actor=lead, instruction=instruction, taken=pictures.ring()) == first
    assert Event.rows.filter(action="attachment.added").count() == 1


def test_only_who_may_import_adds_and_removes(
    lead: User, ada: User, outsider: User, instruction: Instruction
) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    for person in (ada, outsider):
        with pytest.raises(PermissionDenied):
            changes.add(actor=person, instruction=instruction, taken=pictures.ring(kind="JPEG"))
        with pytest.raises(PermissionDenied):
            changes.remove(actor=person, project=instruction.project, attachment_id=made.pk)
    assert lies(made)


def test_a_removed_picture_is_gone_from_the_disk_and_stays_in_the_history(
    lead: User, instruction: Instruction
) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    removed = changes.remove(actor=lead, project=instruction.project, attachment_id=made.pk)
    assert not lies(made)
    assert (removed.title, removed.description, removed.content) == ("", "", None)
    assert Event.rows.filter(action="attachment.removed", subject_id=str(made.pk)).exists()
    with pytest.raises(Attachment.DoesNotExist):
        changes.remove(actor=lead, project=instruction.project, attachment_id=made.pk)


def test_a_file_that_another_instruction_shows_stays(
    lead: User, project: Project, instruction: Instruction
) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    other = changes.add(actor=lead, instruction=cast.make_instruction(project, "b"), taken=pictures.ring())
    changes.remove(actor=lead, project=project, attachment_id=made.pk)
    assert lies(other)
    changes.remove(actor=lead, project=project, attachment_id=other.pk)
    assert not lies(other)


def test_another_project_has_a_file_of_its_own(lead: User, instruction: Instruction) -> None:
    elsewhere = cast.make_project("elsewhere")
    boss = cast.make_user("boss", elsewhere, cast.Role.LEAD)
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    other = changes.add(actor=boss, instruction=cast.make_instruction(elsewhere, "b"), taken=pictures.ring())
    changes.remove(actor=lead, project=instruction.project, attachment_id=made.pk)
    assert (lies(made), lies(other)) == (False, True)
    with pytest.raises(Attachment.DoesNotExist):
        changes.remove(actor=lead, project=instruction.project, attachment_id=other.pk)


def test_an_instruction_holds_a_dozen(lead: User, instruction: Instruction) -> None:
    for number in range(MOST):
        row = {"title": str(number), "rows": LAB["rows"]}
        changes.add(actor=lead, instruction=instruction, taken=intake.structured(kind="lab_table", given=row))
    with pytest.raises(AttachmentRefused, match="12"):
        changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    assert not list(
        Path(files.place(project_id=1, sha256="ab", media_type="image/png")).parents[2].rglob("*.png")
    )


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"content": {}},
        {"sha256": "0" * 64},
        {"removed_at": None},
        {"media_type": "text/html"},
    ],
)
def test_the_database_refuses_to_change_one(
    lead: User, instruction: Instruction, change: dict[str, Any]
) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    with pytest.raises(DatabaseError), transaction.atomic():
        Attachment.rows.filter(pk=made.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        Attachment.rows.filter(pk=made.pk).delete()


def test_a_picture_needs_words_for_those_who_can_not_see_it() -> None:
    with pytest.raises(AttachmentRefused) as refused:
        intake.image(data=pictures.picture(), title="Rash", description=" ")
    assert refused.value.field == "description"


def test_an_import_brings_tables_and_pictures(lead: User, project: Project) -> None:
    load(lead, project, LAB, VITALS, image_row(pictures.with_gps()))
    found = list(Instruction.rows.get(external_id="q1").attachments.all())
    assert [(one.kind, one.position) for one in found] == [("lab_table", 1), ("vitals", 2), ("image", 3)]
    assert found[0].content
    assert found[0].content["rows"][0]["cells"] == [{"value": "6.1", "mark": "high"}]
    assert lies(found[2])
    path = files.place(project_id=project.pk, sha256=found[2].sha256, media_type="image/jpeg")
    assert b"Jane" not in path.read_bytes()


def test_importing_again_adds_nothing_and_brings_nothing_back(lead: User, project: Project) -> None:
    load(lead, project, LAB, image_row())
    gone = Attachment.rows.get(kind="image")
    changes.remove(actor=lead, project=project, attachment_id=gone.pk)
    load(lead, project, LAB, image_row())
    assert Attachment.rows.count() == 2
    assert Attachment.rows.filter(removed_at=None).count() == 1


@pytest.mark.parametrize(
    ("attachment", "says"),
    [
        (image_row(pictures.SVG), "attachments[0].file: no picture"),
        (image_row(pictures.bomb()), "million pixels"),
        (image_row(description=""), "attachments[0].description"),
        (image_row(data="not base64!"), "attachments[0].data: no valid base64"),
        (image_row(data="ä"), "attachments[0].data"),
        (image_row(data=7), "attachments[0].data"),
        ({"kind": "video"}, "attachments[0].kind"),
        ({}, "attachments[0].kind"),
        ({"kind": "lab_table", "rows": []}, "attachments[0].rows"),
        ({"kind": "vitals", "signs": [{"name": "Heart rate"}]}, "attachments[0].signs[0].value"),
        ({**LAB, "title": ["x"]}, "attachments[0].title"),
    ],
)
def test_a_row_with_an_attachment_that_can_not_be_taken_is_refused_whole(
    lead: User, project: Project, attachment: dict[str, Any], says: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        load(lead, project, attachment)
    assert says in str(refused.value.refusals[0])
    assert refused.value.refusals[0].line == 1
    assert not Instruction.rows.exists()


def test_the_same_attachment_twice_in_a_row_of_a_file_is_refused(lead: User, project: Project) -> None:
    with pytest.raises(ImportRefused, match="the same as one before"):
        load(lead, project, LAB, LAB)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_removed_while_an_import_may_be_about_to_use_it(
    lead: User, instruction: Instruction
) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('import'), %s)", [instruction.project_id])
        with pytest.raises(AttachmentRefused, match="import is running"):
            changes.remove(actor=lead, project=instruction.project, attachment_id=made.pk)
    finally:
        other.close()
    made.refresh_from_db()
    assert made.removed_at is None
    assert lies(made)
