"""Protects the promise that a file is imported whole or not at all, and that every refusal says where and why."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max
from django.test import override_settings

from rubric_engine.curation.faults import FileRefused, ImportRefused
from rubric_engine.curation.imports import create_import, import_now
from rubric_engine.models import (
    Criterion,
    Import,
    ImportedPreference,
    ImportedRating,
    ImportState,
    Instruction,
    Response,
    RubricVersion,
    Verdict,
)
from tests.rubric_engine.files import GOOD, HOSTILE, Hostile, jsonl, parquet
from tests.shared_data import require_shared_data
from webapp.accounts.models import Project, User
from webapp.audit.models import Event
from webapp.jobs.models import Job

TABLES = (Instruction, Response, RubricVersion, Criterion, Verdict, ImportedPreference, ImportedRating)


@pytest.fixture(autouse=True)
def _files_in(tmp_path: Path) -> Any:
    with override_settings(FILES_DIR=tmp_path / "files"):
        yield


def quiet(done: int, total: int, message: str) -> None:
    assert done <= total
    assert message


def load(
    actor: User, project: Project, content: bytes, name: str = "rows.jsonl", *, kind: str = "", **mapping: str
) -> Import:
    made = create_import(
        actor=actor,
        project=project,
        filename=name,
        file=io.BytesIO(content),
        kind=kind,
        mapping=mapping,
        queue=False,
    )
    return import_now(made, quiet)


def counts() -> dict[str, int]:
    return {table.__name__: table.rows.count() for table in TABLES}


RUBRIC: dict[str, Any] = {
    "id": "rub",
    "instruction_id": "ins",
    "instruction": "Chest pain for an hour. What now?",
    "criteria": [
        {
            "id": "c1",
            "dimension": "safety",
            "text": "Calls an ambulance.",
            "polarity": "positive",
            "points": 9,
        },
        {"id": "c2", "dimension": "safety", "text": "Advises waiting.", "polarity": "negative", "points": -3},
        {"id": "c3", "dimension": "proficiency", "text": "Names infarction.", "polarity": "positive"},
    ],
    "responses": [{"id": "a", "author": "m", "text": "Call now."}, {"id": "b", "text": "Wait."}],
    "labels": [
        {"response": "a", "criterion": "c1", "met": True, "satisfied": True, "by": "p"},
        {"response": "a", "criterion": "c2", "met": False, "satisfied": True, "by": "p"},
        {"response": "b", "criterion": "c1", "met": False, "by": "p"},
    ],
    "source": "S",
    "source_key": "s",
    "licence": "MIT",
    "canary": "canary-1",
    "theme": "emergency",
}


def test_instructions_are_imported_with_everything_that_came_along(admin: User, project: Project) -> None:
    row = {"id": "i1", "instruction": "Why?", "specialty": "Cardiology", "split_key": "abc", "icd10": "I21"}
    done = load(admin, project, jsonl(row))
    made = Instruction.objects.of(project).get()
    assert (done.state, done.rows_read, done.rows_written, done.rows_known) == (ImportState.IMPORTED, 1, 1, 0)
    assert (made.external_id, made.specialty, made.cluster, made.lang) == ("i1", "Cardiology", "abc", "en")
    assert made.extra["icd10"] == "I21"
    assert made.imported_by == done


def test_a_rubric_brings_its_instruction_responses_and_labels(admin: User, project: Project) -> None:
    load(admin, project, jsonl(RUBRIC))
    rubric = RubricVersion.objects.of(project).get()
    assert rubric.instruction.external_id == "ins"
    assert rubric.extra["theme"] == "emergency"
    assert [(c.key, c.weight, c.polarity) for c in rubric.criteria.all()] == [
        ("c1", 5, "must_hold"),
        ("c2", 2, "must_not_hold"),
        ("c3", 3, "must_hold"),
    ]
    assert Verdict.objects.of(project).filter(origin="imported", by="p").count() == 3


def test_licence_and_canary_stay_with_instruction_rubric_and_criteria(admin: User, project: Project) -> None:
    load(admin, project, jsonl(RUBRIC))
    rubric = RubricVersion.objects.of(project).get()
    assert (rubric.instruction.canary, rubric.instruction.licence) == ("canary-1", "MIT")
    assert rubric.extra["canary"] == "canary-1"
    assert all(
        c.origin["canary"] == "canary-1" and c.origin["licence"] == "MIT" for c in rubric.criteria.all()
    )


def test_importing_the_same_rows_again_changes_nothing(admin: User, project: Project) -> None:
    content = jsonl(RUBRIC)
    load(admin, project, content)
    before = counts()
    again = load(admin, project, content)
    assert counts() == before
    assert (again.rows_written, again.rows_known) == (0, 1)


def test_two_rubrics_of_one_instruction_keep_both_texts_of_one_response_name(
    admin: User, project: Project
) -> None:
    other = RUBRIC | {"id": "rub2", "responses": [{"id": "a", "text": "Another text."}], "labels": []}
    other["labels"] = [{"response": "a", "criterion": "c1", "met": False, "by": "p"}]
    content = jsonl(RUBRIC, other)
    load(admin, project, content)
    found = Response.objects.of(project)
    assert found.count() == 3
    assert set(found.filter(external_id__startswith="a").values_list("text", flat=True)) == {
        "Call now.",
        "Another text.",
    }
    assert (
        Verdict.objects.of(project).get(criterion__rubric__external_id="rub2").response.text
        == "Another text."
    )
    load(admin, project, content)
    assert found.count() == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"criteria": [{**RUBRIC["criteria"][0], "text": "Changed."}], "labels": []}, "other criteria"),
        ({"instruction": "Another question?"}, "another text"),
        ({"licence": "CC BY 4.0"}, "CC BY 4.0"),
        ({"labels": [{"response": "a", "criterion": "c1", "met": False, "by": "p"}]}, "other verdict"),
    ],
)
def test_a_row_that_contradicts_what_is_there_is_refused(
    admin: User, project: Project, change: dict[str, Any], says: str
) -> None:
    load(admin, project, jsonl(RUBRIC))
    before = counts()
    with pytest.raises(ImportRefused, match=says):
        load(
            admin,
            project,
            jsonl({"id": "new", "instruction": "New?", "criteria": RUBRIC["criteria"]}, RUBRIC | change),
        )
    assert counts() == before
    refused = Import.objects.of(project).get(state=ImportState.REFUSED)
    assert refused.refusals[0]["line"] == 2


def test_instructions_fill_what_a_rubrics_file_could_not_say(admin: User, project: Project) -> None:
    load(admin, project, jsonl(RUBRIC))
    row = {"id": "ins", "instruction": RUBRIC["instruction"], "specialty": "Cardiology", "split_key": "k1"}
    done = load(admin, project, jsonl(row))
    made = Instruction.objects.of(project).get()
    assert (made.specialty, made.cluster, done.rows_known) == ("Cardiology", "k1", 1)


def test_verdicts_preferences_responses_and_ratings_are_imported(admin: User, project: Project) -> None:
    load(admin, project, jsonl(RUBRIC))
    load(admin, project, jsonl({"id": "z", "instruction_id": "ins", "text": "Drive yourself."}))
    load(
        admin,
        project,
        jsonl({"rubric_id": "rub", "criterion": "c1", "response": "z", "met": "no", "by": "q"}),
    )
    pair = {"id": "p1", "instruction_id": "ins", "chosen": "Call.", "rejected": "Wait.", "strength": "weak"}
    load(
        admin,
        project,
        jsonl(pair | {"criterion": {"dimension": "safety", "text": "T", "polarity": "negative"}}),
    )
    load(admin, project, jsonl(pair | {"id": "p2", "criterion": None, "evidence": "rewritten"}))
    load(admin, project, jsonl({"id": "l", "criterion_text": "T", "labels": [{"by": "x", "met": True}]}))
    assert Verdict.objects.of(project).get(by="q").met is False
    assert ImportedPreference.objects.of(project).get(external_id="p1").polarity == "must_not_hold"
    assert ImportedPreference.objects.of(project).get(external_id="p2").criterion == ""
    assert ImportedRating.objects.of(project).get().labels == [{"by": "x", "met": True}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", jsonl(*GOOD)),
        ("rows.jsonl", b"\xef\xbb\xbf" + jsonl(*GOOD).replace(b"\n", b"\r\n\r\n")),
        ("rows.jsonl.gz", gzip.compress(jsonl(*GOOD))),
        (
            "rows.csv",
            b"id,instruction\n" + b"".join(f'{r["id"]},"{r["instruction"]}"\n'.encode() for r in GOOD),
        ),
        (
            "rows.tsv",
            b"id\tinstruction\n" + b"".join(f"{r['id']}\t{r['instruction']}\n".encode() for r in GOOD),
        ),
        ("rows.parquet", parquet({key: [row[key] for row in GOOD] for key in ("id", "instruction")})),
    ],
)
def test_every_format_gives_the_same_rows(admin: User, project: Project, name: str, content: bytes) -> None:
    load(admin, project, content, name)
    found = Instruction.objects.of(project).order_by("pk").values_list("external_id", "text")
    assert list(found) == [(row["id"], row["instruction"]) for row in GOOD]


def test_a_mapped_column_is_read_and_its_namesake_kept(admin: User, project: Project) -> None:
    content = b"frage,instruction,nr\nWas tun?,en,7\n"
    load(admin, project, content, "rows.csv", kind="instructions", instruction="frage", id="nr")
    made = Instruction.objects.of(project).get()
    assert (made.external_id, made.text, made.extra["theirs.instruction"]) == ("7", "Was tun?", "en")


def test_a_csv_cell_may_hold_json(admin: User, project: Project) -> None:
    turns = json.dumps([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])
    cell = turns.replace('"', '""')
    load(admin, project, f'id,messages\nm1,"{cell}"\n'.encode(), "rows.csv")
    made = Instruction.objects.of(project).get()
    assert made.text == "User: Hi\n\nAssistant: Hello"
    assert made.messages
    assert made.messages[1]["role"] == "assistant"


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"instruction": "no_such"}, "no_such"),
        ({"colour": "id"}, "colour"),
        ({"instruction": ""}, "names no column"),
    ],
)
def test_a_wrong_mapping_is_refused_before_anything_is_kept(
    admin: User, project: Project, mapping: dict[str, str], says: str
) -> None:
    with pytest.raises(FileRefused, match=says):
        load(admin, project, jsonl(*GOOD), kind="instructions", **mapping)
    assert not Import.objects.of(project).exists()


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_a_hostile_file_is_refused_whole_with_line_and_reason(
    admin: User, project: Project, hostile: Hostile, tmp_path: Path
) -> None:
    load(admin, project, jsonl({"id": "before", "instruction": "Was here before."}))
    before = counts()
    with pytest.raises((FileRefused, ImportRefused)) as caught:
        load(admin, project, hostile.content(), hostile.filename, kind=hostile.kind)
    fault = caught.value
    assert isinstance(fault, FileRefused | ImportRefused)
    refusal = fault.refusal if isinstance(fault, FileRefused) else fault.refusals[0]
    assert hostile.says in refusal.reason or hostile.says in str(refusal)
    assert hostile.line in (None, refusal.line)
    assert counts() == before


def test_an_unknown_suffix_is_refused(admin: User, project: Project) -> None:
    with pytest.raises(FileRefused, match=r"rows\.exe"):
        load(admin, project, jsonl(*GOOD), "rows.exe")


def test_all_faulty_rows_are_named_and_reading_stops_at_the_hundredth(admin: User, project: Project) -> None:
    rows = [{"id": f"i{n}", "instruction": "x", "difficulty": 99} for n in range(150)]
    with pytest.raises(ImportRefused) as caught:
        load(admin, project, jsonl(*GOOD, *rows))
    assert [refusal.line for refusal in caught.value.refusals] == list(range(51, 151))
    assert len(Import.objects.of(project).get().refusals) == 100


def test_reading_goes_on_after_a_line_of_broken_json(admin: User, project: Project) -> None:
    content = jsonl(*GOOD[:1]) + b'{"id": broken\n' + jsonl({"id": "x"}, *GOOD[1:2]) + b"[1]\n"
    with pytest.raises(ImportRefused) as caught:
        load(admin, project, content, kind="instructions")
    assert [refusal.line for refusal in caught.value.refusals] == [2, 3, 5]
    assert "column 8" in caught.value.refusals[0].reason
    assert "Nothing after it" not in str(caught.value.refusals)


def test_a_fault_that_ends_the_reading_says_so(admin: User, project: Project) -> None:
    content = jsonl(*GOOD[:1]) + b'{"id": "\xff"}\n' + jsonl({"id": "x"})
    with pytest.raises(ImportRefused) as caught:
        load(admin, project, content, kind="instructions")
    assert [refusal.line for refusal in caught.value.refusals] == [2]
    assert caught.value.refusals[0].reason.endswith("Nothing after it was read")


def test_what_a_rubrics_row_tells_of_its_instruction_is_kept(admin: User, project: Project) -> None:
    about = {"specialty": "Cardiology", "category": "treatment", "lang": "de", "difficulty": 7}
    row = {
        "instruction": "Was tun?",
        "criteria": [{"text": "Says it.", "dimension": "safety", "polarity": "must_hold"}],
        **about,
    }
    load(admin, project, jsonl(row))
    made = Instruction.objects.of(project).get()
    assert {name: getattr(made, name) for name in about} == about


def test_a_reviewer_cannot_import(ada: User, project: Project) -> None:
    with pytest.raises(PermissionDenied):
        load(ada, project, jsonl(*GOOD))


def test_a_queued_import_is_a_job_of_its_project(
    admin: User, project: Project, django_capture_on_commit_callbacks: Any
) -> None:
    made = create_import(actor=admin, project=project, filename="r.jsonl", file=io.BytesIO(jsonl(*GOOD)))
    job = Job.objects.of(project).get()
    assert (job.kind, job.queue, job.subject_id) == ("import", "io", str(made.pk))
    assert import_now(made, quiet).state == ImportState.IMPORTED
    assert import_now(made, quiet).state == ImportState.IMPORTED, "a second run of the job does nothing"
    actions = set(Event.objects.of(project).values_list("action", flat=True))
    assert {"import.uploaded", "import.imported"} <= actions


def test_what_another_project_holds_is_neither_known_nor_a_contradiction(
    admin: User, project: Project
) -> None:
    other = Project.objects.create(slug="other", name="Other")
    Instruction.rows.create(project=other, external_id="q1", text="Different.", cluster="c", text_hash="h")
    done = load(admin, project, jsonl(*GOOD))
    assert done.rows_written == len(GOOD)


@pytest.mark.slow
def test_every_shared_file_is_read_as_it_stands(admin: User, project: Project) -> None:
    directory = require_shared_data()
    expected = json.loads((directory / "manifest.json").read_text())["files"]
    for name in (
        "rubrics.jsonl.gz",
        "instructions.jsonl.gz",
        "preferences.jsonl.gz",
        "preferences_weak.jsonl.gz",
        "label_agreement.jsonl.gz",
    ):
        done = load(admin, project, (directory / name).read_bytes(), name)
        assert done.rows_read == expected[name]["rows"]
    assert Instruction.objects.of(project).count() == expected["instructions.jsonl.gz"]["rows"]
    assert RubricVersion.objects.of(project).count() == expected["rubrics.jsonl.gz"]["rows"]
    assert Criterion.objects.of(project).count() == 15_968
    assert Verdict.objects.of(project).count() == 1_846
    assert ImportedPreference.objects.of(project).count() == 2_100
    assert ImportedRating.objects.of(project).count() == 85
    assert Instruction.objects.of(project).exclude(canary="").count() == 1_132
    weights = Criterion.objects.of(project).aggregate(most=Max("weight"), count=Count("pk"))
    assert weights["most"] == 5
    specialties = Instruction.objects.of(project).exclude(specialty="").count()
    assert specialties == 439, "the instructions' file fills what the rubrics' file did not know"
