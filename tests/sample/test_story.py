"""Protects the sample's story from the people beside it: what they import is none of its rounds, what they stop
stays stopped, and what the machine stopped is taken up again."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from annotation.models import Round, RoundItem
from rubric_engine.curation.imports import import_now
from rubric_engine.models import Import
from tests import cast
from training.models import Attempt, AttemptState, Run, RunKind, Snapshot, SnapshotState
from webapp.accounts.models import Project, User
from webapp.sample import story


@pytest.fixture
def sample(db: None, settings: Settings, tmp_path: Path) -> Project:
    settings.FILES_DIR = tmp_path / "files"
    call_command("load_sample")
    for upload in Import.rows.order_by("created_at"):
        import_now(upload, lambda *_: None)
    return Project.objects.get()


def test_the_storys_rounds_hold_the_packs_instructions_only(sample: Project) -> None:
    mine = cast.make_instruction(sample, "mine")
    assert story.advance() == "created Sample round 1"
    items = RoundItem.objects.of(sample)
    assert items.count() == story.FIRST_SIZE
    assert not items.filter(instruction=mine).exists()
    assert not items.exclude(instruction__external_id__startswith="smp-").exists()


def test_before_the_pack_is_in_nothing_is_told(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.FILES_DIR = tmp_path / "files"
    call_command("load_sample")
    assert story.advance() is None
    assert not Round.rows.exists()


def _cancelled_training(project: Project, *, asked: bool) -> Run:
    lead = User.objects.get(username="lead")
    snapshot = Snapshot.rows.create(
        project=project,
        number=1,
        name=story.SNAPSHOT,
        state=SnapshotState.FROZEN,
        sha256="0" * 64,
        created_by=lead,
    )
    run = Run.rows.create(
        project=project,
        number=1,
        kind=RunKind.REWARD_MODEL,
        preset="embedded-rm",
        snapshot=snapshot,
        config={},
        cancel_requested=asked,
        created_by=lead,
    )
    attempt = Attempt.rows.create(project=project, run=run, number=1)
    Attempt.rows.filter(pk=attempt.pk).update(state=AttemptState.CANCELLED)
    return run


@pytest.mark.parametrize("asked", [False, True])
def test_a_training_is_taken_up_again_unless_a_person_cancelled_it(
    sample: Project, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.tasks.nudge", lambda: None)
    run = _cancelled_training(sample, asked=asked)
    said = story._trainings(sample, User.objects.get(username="lead"), Snapshot.rows.get())
    assert said == (None if asked else "took a training up again")
    assert run.attempts.count() == (1 if asked else 2)
