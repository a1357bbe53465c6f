"""Protects the three doors of an import: command, screen and REST; each says what was refused and lets nobody in."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from rubric_engine.curation.imports import create_import, import_now
from rubric_engine.models import Import, ImportState, Instruction
from tests import cast
from tests.rubric_engine.files import GOOD, jsonl, write
from webapp.accounts.models import Project, User
from webapp.jobs.models import Job
from webapp.jobs.queue import claim
from webapp.jobs.runner import run


@pytest.fixture(autouse=True)
def _files_in(tmp_path: Path) -> Any:
    with override_settings(FILES_DIR=tmp_path / "files"):
        yield


def upload(content: bytes = jsonl(*GOOD), name: str = "rows.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def work_off(project: Project) -> None:
    for row in Import.objects.of(project).filter(state=ImportState.UPLOADED):
        import_now(row, lambda *_: None)


def test_the_command_imports_with_a_bar(project: Project, admin: User, tmp_path: Path) -> None:
    path = write(tmp_path, "rows.jsonl", jsonl(*GOOD))
    out, err = io.StringIO(), io.StringIO()
    call_command("import_file", project.slug, str(path), stdout=out, stderr=err)
    assert "50 rows read, 50 new, 0 known" in out.getvalue()
    assert "100 %" in err.getvalue()


def test_the_command_names_every_fault(project: Project, admin: User, tmp_path: Path) -> None:
    path = write(
        tmp_path, "rows.jsonl", jsonl({"id": "1", "instruction": ""}, {"id": "2", "instruction": []})
    )
    with pytest.raises(CommandError, match=r"(?s)line 1.*line 2"):
        call_command("import_file", project.slug, str(path), kind="instructions", stderr=io.StringIO())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere", "x.jsonl"], "no project 'nowhere'"),
        (["ward", "absent.jsonl"], "No such file"),
        (["ward", "absent.jsonl", "--as", "nobody"], "no user 'nobody'"),
        (["ward", "absent.jsonl", "--map", "instruction"], "write our field"),
    ],
)
def test_the_command_says_what_to_do(project: Project, admin: User, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("import_file", *arguments)


def test_a_file_goes_up_on_the_screen_and_its_page_follows_it(
    client: Client, project: Project, admin: User
) -> None:
    signed_in(client, admin)
    sent = client.post(f"/p/{project.slug}/imports/new/", {"file": upload(), "kind": "", "mapping": ""})
    row = Import.objects.of(project).get()
    assert sent.status_code == 302
    assert sent.headers["Location"].endswith(f"/imports/{row.pk}/")
    shown = client.get(f"/p/{project.slug}/imports/{row.pk}/")
    assert b"Waits for a worker" in shown.content
    assert client.get(f"/p/{project.slug}/imports/{row.pk}/live/").headers.get("HX-Refresh") is None
    work_off(project)
    Job.objects.of(project).update(state="succeeded")
    assert client.get(f"/p/{project.slug}/imports/{row.pk}/live/").headers["HX-Refresh"] == "true"
    assert b"Rows read" in client.get(f"/p/{project.slug}/imports/{row.pk}/").content
    assert b"rows.jsonl" in client.get(f"/p/{project.slug}/imports/").content


def test_refusals_stand_in_a_table_and_are_escaped(client: Client, project: Project, admin: User) -> None:
    sly = jsonl(
        {"id": "1", "instruction": "fine"},
        {"id": "2", "instruction": "x", "licence_url": "<script>x</script>"},
    )
    row = create_import(actor=admin, project=project, filename="<b>.jsonl", file=io.BytesIO(sly))
    with pytest.raises(Exception, match="Nothing was imported"):
        import_now(row, lambda *_: None)
    Job.objects.of(project).update(state="failed")
    shown = signed_in(client, admin).get(f"/p/{project.slug}/imports/{row.pk}/").content.decode()
    assert "is no web address" in shown
    assert "&lt;script&gt;" in shown
    assert "<script>x" not in shown
    assert "<b>.jsonl" not in shown


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "This field is required"),
        ({"file": upload(b"PK\x03\x04")}, "ZIP"),
        ({"file": upload(), "mapping": "instruction"}, "our field = the file"),
        ({"file": upload(), "mapping": "instruction = frage"}, "frage"),
        ({"file": upload(), "kind": "nonsense"}, "Select a valid choice"),
    ],
)
def test_the_form_says_what_is_wrong(
    client: Client, project: Project, admin: User, form: Any, says: str
) -> None:
    for value in form.values():
        if hasattr(value, "seek"):
            value.seek(0)
    answer = signed_in(client, admin).post(f"/p/{project.slug}/imports/new/", form)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Import.objects.of(project).exists()


def test_the_list_takes_the_same_queries_however_many_imports_there_are(
    client: Client, project: Project, admin: User, django_assert_max_num_queries: Any
) -> None:
    signed_in(client, admin)
    for number in range(30):
        create_import(actor=admin, project=project, filename=f"{number}.jsonl", file=io.BytesIO(jsonl(*GOOD)))
    with django_assert_max_num_queries(14):
        client.get(f"/p/{project.slug}/imports/")


def test_a_running_import_can_be_stopped(client: Client, project: Project, admin: User) -> None:
    row = create_import(actor=admin, project=project, filename="r.jsonl", file=io.BytesIO(jsonl(*GOOD)))
    assert signed_in(client, admin).post(f"/p/{project.slug}/imports/{row.pk}/stop/").status_code == 302
    assert Job.objects.of(project).get().state == "cancelled"
    assert b"was stopped" in client.get(f"/p/{project.slug}/imports/{row.pk}/").content


@pytest.mark.parametrize("path", ["imports/", "imports/{}/", "imports/{}/live/"])
def test_reviewers_and_outsiders_see_no_imports(
    client: Client, project: Project, ada: User, outsider: User, path: str
) -> None:
    address = f"/p/{project.slug}/{path.format(uuid4())}"
    assert signed_in(client, ada).get(address).status_code == 403
    assert signed_in(client, outsider).get(address).status_code == 404


def api(client: Client, project: Project, secret: str, body: dict[str, Any]) -> Any:
    return client.post(
        f"/api/v1/projects/{project.slug}/imports", body, headers={"Authorization": f"Bearer {secret}"}
    )


def test_a_token_imports_over_rest_and_asks_how_far_it_is(
    client: Client, project: Project, api_client_user: User
) -> None:
    secret = cast.make_token(api_client_user, project)
    mapping = json.dumps({"instruction": "frage"})
    rows = jsonl({"id": "1", "frage": "Was tun?"})
    sent = api(client, project, secret, {"file": upload(rows), "kind": "instructions", "mapping": mapping})
    assert sent.status_code == 202, sent.content
    address = f"/api/v1/projects/{project.slug}/imports/{sent.json()['id']}"
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get(address, headers=headers).json()["progress"]["state"] == "queued"
    work_off(project)
    shown = client.get(address, headers=headers).json()
    assert (shown["state"], shown["rows_written"], shown["refusals"]) == ("imported", 1, [])
    assert Instruction.objects.of(project).get().text == "Was tun?"
    assert len(client.get(f"/api/v1/projects/{project.slug}/imports", headers=headers).json()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"file": upload(b"")},
        {"file": upload(b"\xff\xfe\x00")},
        {"file": upload(jsonl(*GOOD)), "kind": "nonsense"},
        {"file": upload(jsonl(*GOOD)), "mapping": "[1]"},
        {"file": upload(jsonl(*GOOD)), "mapping": "{"},
    ],
)
def test_a_bad_request_over_rest_is_a_problem_that_says_why(
    client: Client, project: Project, api_client_user: User, body: dict[str, Any]
) -> None:
    secret = cast.make_token(api_client_user, project)
    if "file" in body:
        body["file"].seek(0)
    answer = api(client, project, secret, body)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Import.objects.of(project).exists()


def test_neither_a_reviewer_nor_an_outsider_nor_nobody_imports_over_rest(
    client: Client, project: Project, ada: User, outsider: User
) -> None:
    elsewhere = Project.objects.get(slug="elsewhere")
    assert api(client, project, cast.make_token(ada, project), {"file": upload()}).status_code == 403
    assert api(client, project, cast.make_token(outsider, elsewhere), {"file": upload()}).status_code == 404
    assert api(client, project, "gr_unknown", {"file": upload()}).status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("rows", "job_state", "import_state", "says"),
    [
        (jsonl(*GOOD), "succeeded", "imported", ""),
        (jsonl({"id": "1", "instruction": "x", "difficulty": 99}), "failed", "refused", "line 1, difficulty"),
    ],
)
def test_a_runner_works_the_job_off(
    project: Project, admin: User, rows: bytes, job_state: str, import_state: str, says: str
) -> None:
    row = create_import(actor=admin, project=project, filename="r.jsonl", file=io.BytesIO(rows))
    job = claim("io")
    assert job
    run(job)
    job.refresh_from_db()
    row.refresh_from_db()
    assert (job.state, row.state) == (job_state, import_state)
    assert says in job.error
