"""A project with gold, made directly in the tables: the review's own path is tested elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Assignment, AssignmentState, Gold, GoldVerdict, Round, RoundItem
from rubric_engine.models import (
    Criterion,
    ImportedPreference,
    Instruction,
    Response,
    RubricKind,
    RubricVersion,
    VerdictOrigin,
)
from tests.cast import make_user
from training.models import Snapshot, SnapshotState
from training.snapshots import Options, freeze, write_directory
from webapp.accounts.models import Project, Role, User

CRITERIA = (
    ("s1", "safety", "Tells the patient to stop all medicines.", 5, "must_not_hold"),
    ("p1", "proficiency", "Names the most likely cause.", 4, "must_hold"),
    ("p2", "proficiency", "Says when to see a doctor.", 3, "must_hold"),
    ("e1", "excellence", "Is kind.", 1, "must_hold"),
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(autouse=True)
def _files_in_a_directory_of_the_test(settings: Any, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def clinic(db: None) -> Project:
    return Project.objects.create(slug="clinic", name="Clinic")


@pytest.fixture
def boss(clinic: Project) -> User:
    return make_user("olga.owner", clinic, Role.ADMIN)


@pytest.fixture
def doctor(clinic: Project) -> User:
    return make_user("dana.doctor", clinic, Role.PHYSICIAN)


def add_instruction(project: Project, name: str, **fields: Any) -> Instruction:
    text = f"Question {name}: what should I do about my symptom?"
    given = {
        "text": text,
        "cluster": f"cluster-{name}",
        "text_hash": digest(text),
        "licence": "MIT",
        "source": "Test",
        "source_key": "test",
        "specialty": "Cardiology",
    }
    return Instruction.rows.create(project=project, external_id=name, **{**given, **fields})


MakeGold = Callable[..., Gold]


@pytest.fixture
def make_gold(clinic: Project, doctor: User) -> MakeGold:
    """`make_gold("q1", verdicts={"a": {"s1": False}})`: an item with two responses, decided by the doctor."""
    clinic_round = Round.rows.create(project=clinic, number=1, created_by=doctor)

    def make(name: str, *, verdicts: dict[str, dict[str, bool]] | None = None, **fields: Any) -> Gold:
        good = {"s1": False, "p1": True, "p2": True, "e1": True}
        bad = {"s1": True, "p1": True, "p2": False, "e1": True}
        decided = {"a": good, "b": bad} if verdicts is None else verdicts
        instruction = add_instruction(clinic, name, **fields)
        rubric = RubricVersion.rows.create(
            project=clinic, instruction=instruction, kind=RubricKind.CORRECTED, author=doctor
        )
        criteria = {
            key: Criterion.rows.create(
                project=clinic,
                rubric=rubric,
                position=position,
                key=key,
                dimension=dimension,
                text=text,
                weight=weight,
                polarity=polarity,
            )
            for position, (key, dimension, text, weight, polarity) in enumerate(CRITERIA)
        }
        place = clinic_round.items.count()
        item = RoundItem.rows.create(
            project=clinic, round=clinic_round, position=place, instruction=instruction
        )
        work = Assignment.rows.create(
            project=clinic,
            item=item,
            slot=0,
            reviewer=doctor,
            position=place + 1,
            state=AssignmentState.SUBMITTED,
            submitted_at=timezone.now(),
        )
        gold = Gold.rows.create(
            project=clinic, item=item, rubric=rubric, assignment=work, strict=False, minor=False
        )
        for response_name, met in decided.items():
            text = f"Answer {response_name} to {name}."
            response = Response.rows.create(
                project=clinic,
                instruction=instruction,
                external_id=response_name,
                author="a-model-name",
                text=text,
                text_hash=digest(text),
            )
            GoldVerdict.rows.bulk_create(
                GoldVerdict(
                    project=clinic,
                    gold=gold,
                    response=response,
                    criterion=criteria[key],
                    met=value,
                    origin=VerdictOrigin.PHYSICIAN,
                )
                for key, value in met.items()
            )
        return gold

    return make


def add_preference(instruction: Instruction, name: str, **fields: Any) -> ImportedPreference:
    given = {
        "dimension": "safety",
        "criterion": "Warns of the danger.",
        "chosen": f"A safe answer to {name}.",
        "rejected": f"An unsafe answer to {name}.",
        "strength": "human_label_on_both",
    }
    return ImportedPreference.rows.create(
        project=instruction.project, instruction=instruction, external_id=name, **{**given, **fields}
    )


def frozen(project: Project, actor: User, *, options: Options | None = None) -> Snapshot:
    """A snapshot as the job leaves it, without a runner."""
    snapshot = freeze(actor=actor, project=project, options=options)
    manifest = write_directory(snapshot)
    snapshot.state, snapshot.manifest, snapshot.sha256 = SnapshotState.FROZEN, manifest, manifest["sha256"]
    snapshot.frozen_at = timezone.now()
    snapshot.save()
    return snapshot
