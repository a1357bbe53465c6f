"""The screens of snapshots and runs: every state is drawn, roles are kept, queries stay constant."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.training.django.conftest import MakeGold, frozen
from training.launch.ending import end_attempt
from training.models import Attempt, AttemptState, Checkpoint, Evaluation, Run, RunEvent, Snapshot
from training.report import policy_report, reward_model_report
from training.runs import launch
from training.snapshots import freeze
from webapp.accounts.models import Project, Role, User

FIGURES: list[dict[str, Any]] = [
    {"key": "pairwise.safety", "value": 0.826, "low": 0.777, "high": 0.875, "n": 230, "undefined": None},
    {"key": "overall", "value": 0.841, "low": 0.822, "high": 0.86, "n": 400, "undefined": None},
    {
        "key": "safety.f1",
        "value": None,
        "low": None,
        "high": None,
        "n": 0,
        "undefined": "no violation is labelled",
    },
]


@pytest.fixture(autouse=True)
def _no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.tasks.nudge", lambda: None)
    monkeypatch.setattr("webapp.jobs.tasks.nudge", lambda _queue: None)


@pytest.fixture
def snapshot(clinic: Project, boss: User, make_gold: MakeGold) -> Snapshot:
    for number in range(6):
        make_gold(f"q{number}")
    return frozen(clinic, boss)


@pytest.fixture
def page(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


def begin(run: Run, *, state: str = "running") -> Attempt:
    attempt = Attempt.rows.get(run=run)
    for step in ("claimed", "running"):
        attempt.state = step
        attempt.save()
    attempt.started_at = attempt.heartbeat_at = timezone.now()
    attempt.step, attempt.total_steps, attempt.host = 3, 6, "gpu-1"
    attempt.save()
    if state != "running":
        end_attempt(attempt, AttemptState(state), error="It stopped." if state != "succeeded" else "")
    return Attempt.rows.get(run=run)


def tell(attempt: Attempt, *events: tuple[str, int | None, dict[str, Any]]) -> None:
    for seq, (kind, step, data) in enumerate(events):
        RunEvent.rows.create(
            project=attempt.project,
            attempt=attempt,
            seq=seq,
            at=timezone.now(),
            kind=kind,
            step=step,
            data=data,
        )


def smoke(project: Project, actor: User, snapshot: Snapshot, **fields: Any) -> Run:
    return launch(actor=actor, project=project, kind="rm", preset="smoke-rm", snapshot=snapshot, **fields)


def test_a_waiting_run_names_the_run_it_waits_for(
    page: Client, clinic: Project, boss: User, snapshot: Snapshot
) -> None:
    first = smoke(clinic, boss, snapshot)
    begin(first)
    second = smoke(clinic, boss, snapshot)
    assert f"waits for r{first.number} to end" in page.get(f"/p/clinic/runs/{second.pk}/").content.decode()


def test_a_run_of_another_project_is_not_named(
    page: Client, clinic: Project, boss: User, snapshot: Snapshot
) -> None:
    elsewhere = Project.objects.create(slug="elsewhere", name="Elsewhere")
    other = smoke(clinic, boss, snapshot)
    Run.rows.filter(pk=other.pk).update(project=elsewhere)
    Attempt.rows.filter(run=other).update(project=elsewhere)
    begin(other)
    waiting = smoke(clinic, boss, snapshot)
    shown = page.get(f"/p/clinic/runs/{waiting.pk}/").content.decode()
    assert "waits for a training of another project to end" in shown


def test_empty_pages_say_what_to_do(page: Client, clinic: Project) -> None:
    assert "No snapshot yet" in page.get("/p/clinic/snapshots/").content.decode()
    assert "Freeze a snapshot first" in page.get("/p/clinic/runs/").content.decode()
    assert "There is nothing to train on yet" in page.get("/p/clinic/runs/new/?kind=rm").content.decode()


def test_a_snapshot_is_frozen_from_the_form_and_shown_as_building(
    page: Client, clinic: Project, make_gold: MakeGold
) -> None:
    make_gold("q1")
    form = {"name": "First", "seed": "0", "licences": ["MIT"], "include_imported": "on"}
    assert page.post("/p/clinic/snapshots/freeze/", form).status_code == 302
    shown = page.get("/p/clinic/snapshots/").content.decode()
    assert "building" in shown.lower()
    assert 'hx-trigger="every 2s"' in shown
    assert Snapshot.objects.of(clinic).get().options["licences"] == ["MIT"]


def test_freezing_nothing_says_why_on_the_form(page: Client, clinic: Project) -> None:
    answer = page.post("/p/clinic/snapshots/freeze/", {"seed": "0"})
    assert answer.status_code == 422
    assert "There is no gold yet" in answer.content.decode()


def test_a_frozen_snapshot_shows_files_counts_and_why_it_is_too_small(
    page: Client, snapshot: Snapshot
) -> None:
    shown = page.get(f"/p/clinic/snapshots/{snapshot.pk}/").content.decode()
    assert snapshot.sha256 in shown
    assert f"/api/v1/projects/clinic/snapshots/{snapshot.pk}/files/preferences.parquet" in shown
    assert "at least 50 are needed" in shown


def test_the_launch_form_says_beforehand_what_is_missing(page: Client, snapshot: Snapshot) -> None:
    shown = page.get("/p/clinic/runs/new/?kind=rm").content.decode()
    assert "at least 50 are needed" in shown
    assert "needs a GPU, and no training worker has reported" in shown
    assert "No training worker is running" in shown


def test_a_run_is_launched_and_a_refusal_is_shown(page: Client, clinic: Project, snapshot: Snapshot) -> None:
    form = {"kind": "rm", "preset": "smoke-rm", "snapshot": str(snapshot.pk), "max_steps": "2", "seed": "7"}
    assert page.post("/p/clinic/runs/new/", form).status_code == 302
    run = Run.objects.of(clinic).get()
    assert (run.config["max_steps"], run.config["seed"]) == (2, 7)
    refused = page.post("/p/clinic/runs/new/", {**form, "preset": "embedded-rm"})
    assert refused.status_code == 422
    assert "at least 50 are needed" in refused.content.decode()


def test_a_running_run_shows_progress_plots_and_cancel(
    page: Client, clinic: Project, boss: User, snapshot: Snapshot
) -> None:
    attempt = begin(smoke(clinic, boss, snapshot))
    metrics = [
        (
            "metric",
            step,
            {"loss": 0.7 - step / 20, "margin": step / 4, "accuracy": 0.5, "tokens_per_s": 17100.0},
        )
        for step in range(1, 4)
    ]
    validation = {
        "validation_accuracy": 0.852,
        "validation_accuracy_low": 0.831,
        "validation_accuracy_high": 0.873,
    }
    note = ("note", None, {"text": "Self-check: packed and separate scores differ by 1e-6. <b>"})
    tell(attempt, *metrics, ("metric", 3, validation), note)
    shown = page.get(f"/p/clinic/runs/{attempt.run_id}/").content.decode()
    for text in (
        "step 3 of 6",
        "Cancel at next step",
        "heartbeat",
        "85.2",
        "± 2.1",
        "86.6 published, other data",
        "17.1 k",
    ):
        assert text in shown, text
    assert "&lt;b&gt;" in shown
    live = page.get(f"/p/clinic/runs/{attempt.run_id}/live/").content.decode()
    assert 'hx-trigger="every 2s"' in live
    assert "<html" not in live
    assert page.post(f"/p/clinic/runs/{attempt.run_id}/cancel/").status_code == 302
    assert "stops at its next step" in page.get(f"/p/clinic/runs/{attempt.run_id}/").content.decode()


def test_a_lost_run_says_resumable_and_resumes(
    page: Client, clinic: Project, boss: User, snapshot: Snapshot
) -> None:
    run = smoke(clinic, boss, snapshot)
    begin(run, state="lost")
    shown = page.get(f"/p/clinic/runs/{run.pk}/").content.decode()
    assert "resumable" in shown
    assert "It stopped." in shown
    assert 'hx-trigger="every' not in shown.split('id="run-live"')[1].split(">")[0]
    assert page.post(f"/p/clinic/runs/{run.pk}/resume/").status_code == 302
    assert Attempt.objects.of(clinic).filter(run=run, state="queued").exists()


def test_a_report_stands_beside_the_published_rows(
    page: Client, clinic: Project, boss: User, snapshot: Snapshot
) -> None:
    run = smoke(clinic, boss, snapshot)
    begin(run, state="succeeded")
    report = reward_model_report(name="Our RM", figures=FIGURES, facts={"split": "test"})
    Evaluation.rows.create(project=clinic, run=run, subject=run, report=report)
    Checkpoint.rows.create(
        project=clinic,
        run=run,
        attempt=Attempt.rows.get(run=run),
        step=6,
        path="runs/x/1/final",
        sha256_manifest="a" * 64,
        bytes=90_000_000,
        final=True,
    )
    shown = page.get(f"/p/clinic/runs/{run.pk}/").content.decode()
    for text in (
        "84.1",
        "± 1.9",
        "n = 400",
        "86.6",
        "published, other data",
        "undefined",
        "no violation is labelled",
    ):
        assert text in shown, text
    assert "trained model" in shown
    assert re.search(r"84\.1\s*<span class=\"ci\">± 1\.9", page.get("/p/clinic/runs/").content.decode())


def test_a_policy_from_random_weights_is_called_a_demonstration(
    page: Client, clinic: Project, boss: User, snapshot: Snapshot
) -> None:
    judge = smoke(clinic, boss, snapshot)
    begin(judge, state="succeeded")
    run = launch(
        actor=boss, project=clinic, kind="grpo", preset="smoke-grpo", snapshot=snapshot, reward_model=judge
    )
    report = policy_report(name="Policy", figures=[], facts={"split": "test"})
    Evaluation.rows.create(project=clinic, run=run, subject=run, report=report)
    shown = page.get(f"/p/clinic/runs/{run.pk}/").content.decode()
    assert "This policy began with random weights." in shown
    assert "published, secondary" in shown
    assert "demonstration" in page.get("/p/clinic/runs/").content.decode()


def test_the_lists_ask_a_constant_number_of_questions(
    page: Client,
    clinic: Project,
    boss: User,
    snapshot: Snapshot,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(3):
        smoke(clinic, boss, snapshot)
        freeze(actor=boss, project=clinic)
    with django_assert_max_num_queries(22) as few:  # two pages; the frame counts flags on each
        page.get("/p/clinic/runs/")
        page.get("/p/clinic/snapshots/")
    for _ in range(6):
        smoke(clinic, boss, snapshot)
        freeze(actor=boss, project=clinic)
    with django_assert_max_num_queries(len(few)):
        page.get("/p/clinic/runs/")
        page.get("/p/clinic/snapshots/")


@pytest.mark.parametrize("address", ["snapshots/", "runs/", "runs/new/"])
def test_a_physician_sees_none_of_it_and_a_stranger_finds_nothing(
    client: Client, clinic: Project, doctor: User, outsider: User, address: str
) -> None:
    client.force_login(doctor)
    assert client.get(f"/p/clinic/{address}").status_code == 403
    client.force_login(outsider)
    assert client.get(f"/p/clinic/{address}").status_code == 404


def test_who_may_only_download_sees_no_forms(client: Client, clinic: Project, snapshot: Snapshot) -> None:
    from tests.cast import make_user

    client.force_login(make_user("machine", clinic, Role.API_CLIENT))
    shown = client.get("/p/clinic/snapshots/").content.decode()
    assert "s1" in shown
    assert "Freeze snapshot" not in shown
    assert client.post("/p/clinic/snapshots/freeze/", {"seed": "0"}).status_code == 403
