"""Protects attachments on pages and over REST: what comes in is checked, what goes out is shown and never run."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from annotation import rounds
from annotation.attachments import key_for
from annotation.models import Assignment
from rubric_engine.attachments import changes, intake
from rubric_engine.models import Attachment, Instruction
from tests import cast
from tests.annotation.desk import Desk
from tests.rubric_engine import pictures
from tests.screens.world import sign_in
from webapp.accounts.models import Project, User

LAB = {
    "kind": "lab_table",
    "title": "Blood",
    "rows": [{"name": "Potassium", "value": 6.1, "low": 3.5, "high": 5.1}],
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture(autouse=True)
def _files_in(tmp_path: Path) -> Iterator[None]:
    with override_settings(FILES_DIR=tmp_path / "files"):
        yield


@pytest.fixture
def instruction(project: Project) -> Instruction:
    return cast.make_instruction(project, "chest")


def page_of(instruction: Instruction) -> str:
    return f"/p/{instruction.project.slug}/instructions/{instruction.pk}/"


def upload(client: Client, instruction: Instruction, data: bytes, name: str = "x.png", **fields: str) -> Any:
    form = {
        "add-picture": "1",
        "picture-file": SimpleUploadedFile(name, data),
        "picture-description": "A red ring.",
        **fields,
    }
    return client.post(f"{page_of(instruction)}attachments/", form)


def table(client: Client, instruction: Instruction, lines: str) -> Any:
    form = {"table-kind": "vitals", "table-title": "Ward", "table-lines": lines}
    return client.post(f"{page_of(instruction)}attachments/", form)


def test_a_lead_adds_an_image_and_a_table_and_removes_them(lead: User, instruction: Instruction) -> None:
    client = sign_in(lead)
    assert upload(client, instruction, pictures.with_gps(), "photo.jpg").status_code == 302
    assert table(client, instruction, "Heart rate; 8:00 = 88 | 9:00 = 124; /min; 60; 100").status_code == 302
    page = client.get(page_of(instruction)).content.decode()
    assert "A red ring." in page
    assert "measured-plot" in page
    assert '<span class="visually-hidden">high</span>' in page
    for attachment in Attachment.rows.all():
        answer = client.post(f"/p/{instruction.project.slug}/attachments/{attachment.pk}/remove/")
        assert answer["Location"] == f"{page_of(instruction)}#attachments"
    page = client.get(page_of(instruction)).content.decode()
    assert "A red ring." not in page


@pytest.mark.parametrize("name", ["svg with a script", "a page", "a bomb", "a gif"])
def test_a_hostile_upload_is_refused_beside_its_field(
    name: str, lead: User, instruction: Instruction
) -> None:
    answer = upload(sign_in(lead), instruction, pictures.HOSTILE[name], "harmless.png")
    assert answer.status_code == 422
    assert answer.context["picture_form"].errors["file"]
    assert not Attachment.rows.exists()


def test_a_line_that_can_not_be_read_is_named_at_the_form(lead: User, instruction: Instruction) -> None:
    answer = table(sign_in(lead), instruction, "Sodium; 140\na; b; c; d; e; f; g")
    assert answer.status_code == 422
    assert "Line 2" in answer.content.decode()
    answer = table(sign_in(lead), instruction, "Sodium")
    assert "signs[0].value" in answer.content.decode()


def test_who_may_not_import_sees_no_form(
    api_client_user: User, project: Project, instruction: Instruction
) -> None:
    changes.add(actor=api_client_user, instruction=instruction, taken=pictures.ring())
    adjudicator = cast.make_user("sees", project, cast.Role.ADJUDICATOR)
    assert upload(sign_in(adjudicator), instruction, pictures.picture()).status_code == 403
    assert Attachment.rows.count() == 1


def test_a_picture_is_served_to_be_looked_at_only(lead: User, instruction: Instruction) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring(kind="JPEG"))
    slug = instruction.project.slug
    for path in (
        f"/p/{slug}/attachments/{made.pk}/picture/",
        f"/api/v1/projects/{slug}/attachments/{made.pk}/file",
    ):
        answer: Any = sign_in(lead).get(path, headers={"Accept": "image/*"})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Content-Disposition"] == 'inline; filename="picture.jpg"'
        assert {name: answer[name] for name in HEADERS} == HEADERS
        assert b"".join(answer.streaming_content).startswith(b"\xff\xd8\xff")
    changes.remove(actor=lead, project=instruction.project, attachment_id=made.pk)
    assert sign_in(lead).get(f"/p/{slug}/attachments/{made.pk}/picture/").status_code == 404


def test_over_rest_an_attachment_is_added_listed_shown_and_removed(
    api_client_user: User, project: Project, instruction: Instruction
) -> None:
    client = Client(headers={"Authorization": f"Bearer {cast.make_token(api_client_user, project)}"})
    base = f"/api/v1/projects/{project.slug}/attachments"
    made = client.post(base, {"instruction": "chest", **LAB}, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["content"]["rows"][0]["cells"] == [{"value": "6.1", "mark": "high"}]
    form = {
        "instruction": "chest",
        "kind": "image",
        "description": "A ring.",
        "file": io.BytesIO(pictures.picture()),
    }
    image = client.post(base, form)
    assert (image.status_code, image.json()["media_type"]) == (201, "image/png")
    listed = client.get(f"{base}?instruction=chest").json()
    assert [one["kind"] for one in listed] == ["lab_table", "image"]
    assert client.get(f"{base}/{listed[1]['id']}").json()["sha256"] == listed[1]["sha256"]
    assert client.delete(f"{base}/{listed[1]['id']}").status_code == 204
    assert client.delete(f"{base}/{listed[1]['id']}").status_code == 404
    assert [one["kind"] for one in client.get(f"{base}?instruction=chest").json()] == ["lab_table"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"instruction": "chest"},
        {"instruction": "chest", "kind": "video"},
        {"instruction": "chest", "kind": "image", "description": "A ring."},
        {"instruction": "chest", "kind": "lab_table", "rows": "x"},
        {"instruction": "chest", "kind": "lab_table", "rows": [{"name": []}]},
        {"instruction": "chest", "kind": "vitals", "signs": [None]},
        {"instruction": "chest", **LAB, "title": "x" * 121},
        {"instruction": "chest", **LAB, "title": "\ud800"},
    ],
)
def test_over_rest_what_can_not_be_taken_is_a_400(
    body: dict[str, Any], lead: User, instruction: Instruction
) -> None:
    answer = sign_in(lead).post(
        f"/api/v1/projects/{instruction.project.slug}/attachments", body, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Attachment.rows.exists()


def test_two_reviewers_of_one_item_see_the_same_picture_under_addresses_of_their_own(
    project: Project, lead: User, ada: User, ben: User, instruction: Instruction
) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    changes.add(actor=lead, instruction=instruction, taken=intake.structured(kind="lab_table", given=LAB))
    round = cast.make_round(project, lead, instructions=[instruction], double_share=1.0)
    rounds.open_round(actor=lead, round=round, reviewers=[ada, ben])
    keys = {}
    for person in (ada, ben):
        desk = Desk(person)
        desk.claim(round)
        shown = desk.item["instruction"]["attachments"]
        assert [one["kind"] for one in shown] == ["image", "lab_table"]
        assert set(shown[0]) == {"key", "kind", "title", "description", "content", "width", "height"}
        assert str(made.pk) not in str(desk.item)
        assert made.sha256 not in str(desk.item)
        answer = desk.get(f"items/{desk.item['id']}/attachments/{shown[0]['key']}")
        assert answer.status_code == 200
        assert {name: answer[name] for name in HEADERS} == HEADERS
        assert "ETag" not in answer
        assert "Last-Modified" not in answer
        keys[person] = [one["key"] for one in shown]
    assert not set(keys[ada]) & set(keys[ben])
    own = Assignment.rows.get(reviewer=ada)
    for key in (*keys[ben], keys[ada][1], "x", str(made.pk)):
        assert Desk(ada).get(f"items/{own.pk}/attachments/{key}").status_code == 404
    assert Desk(ben).get(f"items/{own.pk}/attachments/{key_for(own.pk, made.pk)}").status_code == 404


def test_a_removed_attachment_is_gone_from_the_item(
    project: Project, lead: User, ada: User, instruction: Instruction
) -> None:
    made = changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    round = cast.make_round(project, lead, instructions=[instruction])
    rounds.open_round(actor=lead, round=round, reviewers=[ada])
    desk = Desk(ada)
    desk.claim(round)
    changes.remove(actor=lead, project=project, attachment_id=made.pk)
    assert desk.get(f"items/{desk.item['id']}").json()["instruction"]["attachments"] == []
    key = key_for(Assignment.rows.get(reviewer=ada).pk, made.pk)
    assert desk.get(f"items/{desk.item['id']}/attachments/{key}").status_code == 404


def test_the_page_asks_as_often_for_many_attachments_as_for_one(lead: User, instruction: Instruction) -> None:
    client = sign_in(lead)

    def queries() -> int:
        client.get(page_of(instruction))
        with CaptureQueriesContext(connection) as seen:
            assert client.get(page_of(instruction)).status_code == 200
        return len(seen)

    changes.add(actor=lead, instruction=instruction, taken=pictures.ring())
    few = queries()
    for number in range(6):
        given = {**LAB, "title": str(number)}
        changes.add(
            actor=lead, instruction=instruction, taken=intake.structured(kind="lab_table", given=given)
        )
    assert queries() == few
    assert few <= 16


def test_an_item_with_attachments_costs_no_further_query(project: Project, lead: User, ada: User) -> None:
    counts = []
    for number in (0, 3):
        made = cast.make_instruction(project, f"with-{number}")
        for title in range(number):
            given = {**LAB, "title": str(title)}
            changes.add(actor=lead, instruction=made, taken=intake.structured(kind="lab_table", given=given))
        round = cast.make_round(project, lead, instructions=[made], number=number + 1)
        rounds.open_round(actor=lead, round=round, reviewers=[ada])
        desk = Desk(ada)
        desk.claim(round)
        with CaptureQueriesContext(connection) as seen:
            shown = desk.get(f"items/{desk.item['id']}").json()["instruction"]["attachments"]
        assert len(shown) == number
        counts.append(len(seen))
    assert counts[0] == counts[1]
