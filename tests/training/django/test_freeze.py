"""A snapshot is what it says: same gold, same SHA-256; no cluster in two splits; tampering is caught; no names."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rubric_engine.attachments import changes
from rubric_engine.models import Instruction
from tests.rubric_engine.pictures import ring
from tests.training.django.conftest import MakeGold, add_instruction, add_preference, frozen
from training import integrity
from training.dataset import count_pairs, load_snapshot
from training.formats.items import SPLITS, split_of
from training.models import Snapshot, SnapshotState
from training.snapshots import (
    Options,
    SnapshotRefused,
    directory_of,
    freeze,
    run_freeze,
    too_small,
    write_directory,
)
from webapp.accounts.models import Project, User
from webapp.jobs.models import Job
from webapp.jobs.runner import JobFailed, Work


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_same_gold_gives_the_same_sha256_whatever_its_number(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    for number in range(12):
        make_gold(f"q{number}")
    add_preference(add_instruction(clinic, "imported"), "p1")
    first, second = frozen(clinic, boss), frozen(clinic, boss)
    assert first.number != second.number
    assert first.sha256 == second.sha256
    assert {write_directory(second)["sha256"] for _ in range(5)} == {first.sha256}


def test_attachments_are_named_by_kind_and_hash_and_an_item_without_any_says_nothing(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    make_gold("q1")
    make_gold("q2")
    without = lines(directory_of(frozen(clinic, boss).pk) / "items.jsonl")
    assert all("attachments" not in item for item in without)
    made = changes.add(
        actor=boss, instruction=Instruction.objects.of(clinic).get(external_id="q1"), taken=ring()
    )
    items = {
        item["instruction_id"]: item for item in lines(directory_of(frozen(clinic, boss).pk) / "items.jsonl")
    }
    named = {"kind": "image", "sha256": made.sha256, "media_type": "image/png"}
    assert items["q1"].pop("attachments") == [named]
    assert list(items.values()) == without


def test_another_verdict_gives_another_sha256(clinic: Project, boss: User, make_gold: MakeGold) -> None:
    make_gold("q1")
    first = frozen(clinic, boss)
    make_gold("q2", verdicts={"a": {"p1": True}, "b": {"p1": False}})
    assert frozen(clinic, boss).sha256 != first.sha256


def test_the_trainer_reads_what_was_frozen_and_counts_the_same_pairs(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    make_gold("q1")
    make_gold("q2", verdicts={})
    imported = add_instruction(clinic, "imported")
    add_preference(imported, "p1", chosen="This.", rejected="That.")
    add_preference(imported, "p2", chosen="That.", rejected="This.", criterion="Is short.")
    snapshot = frozen(clinic, boss)
    read = load_snapshot(directory_of(snapshot.pk))
    counts = snapshot.manifest["counts"]
    assert (counts["gold"], counts["imported"], counts["items"]) == (2, 1, 3)
    assert count_pairs(read.items) == counts["pairs"]["total"] == 2 + 2
    assert read.sha256 == snapshot.sha256


def test_a_criterion_that_must_not_hold_is_chosen_where_it_is_not_met(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    make_gold("q1")
    snapshot = frozen(clinic, boss)
    safety = [
        row
        for row in lines(directory_of(snapshot.pk) / "preferences.jsonl")
        if row["criterion"]["dimension"] == "safety"
    ]
    assert [(row["chosen_response"], row["criterion"]["polarity"]) for row in safety] == [("a", "negative")]


def test_a_missing_verdict_makes_no_pair(clinic: Project, boss: User, make_gold: MakeGold) -> None:
    make_gold("q1", verdicts={"a": {"p1": True, "p2": True}, "b": {"p1": False}})
    assert frozen(clinic, boss).manifest["counts"]["pairs"]["total"] == 1


def test_gold_stands_over_an_imported_pair_that_it_decides_already(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    gold = make_gold("q1")
    instruction = gold.item.instruction
    same = {"chosen": "Answer a to q1.", "rejected": "Answer b to q1."}
    add_preference(instruction, "known", criterion="says when to see a doctor", **same)
    add_preference(instruction, "new", criterion="Something else.", **same)
    counts = frozen(clinic, boss).manifest["counts"]
    assert counts["pairs"]["by_strength"] == {"gold": 2, "human_label_on_both": 1}


def test_withdrawn_gold_stays_out(clinic: Project, boss: User, make_gold: MakeGold) -> None:
    old, _ = make_gold("q1"), make_gold("q2")
    old.withdrawn_at = timezone.now()
    old.save()
    assert frozen(clinic, boss).manifest["counts"]["gold"] == 1


def test_only_licences_that_permit_redistribution_enter_by_default(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    make_gold("free", licence="CC-BY-4.0")
    make_gold("bound", licence="CC-BY-NC-4.0")
    make_gold("unknown", licence="")
    assert frozen(clinic, boss).manifest["licences"] == ["CC-BY-4.0"]
    every = Options(licences=("CC-BY-4.0", "CC-BY-NC-4.0", ""))
    assert frozen(clinic, boss, options=every).manifest["counts"]["gold"] == 3


def test_imported_preferences_can_be_left_out(clinic: Project, boss: User, make_gold: MakeGold) -> None:
    make_gold("q1")
    add_preference(add_instruction(clinic, "imported"), "p1")
    assert frozen(clinic, boss, options=Options(include_imported=False)).manifest["counts"]["imported"] == 0


def test_canary_licence_and_strength_follow_into_every_file(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    make_gold("q1", canary="canary-123")
    add_preference(add_instruction(clinic, "imported"), "p1", strength="annotator_inserted_error")
    directory = directory_of(frozen(clinic, boss).pk)
    for name in ("items.jsonl", "preferences.jsonl", "trl_reward.jsonl", "prompts.jsonl"):
        row = next(row for row in lines(directory / name) if row["instruction_id"] == "q1")
        assert (row["canary"], row["licence"]) == ("canary-123", "MIT")
    strengths = {row["strength"] for row in lines(directory / "trl_reward.jsonl")}
    assert strengths == {"gold", "annotator_inserted_error"}


def test_no_name_of_a_person_or_a_model_is_in_any_file(
    clinic: Project, boss: User, doctor: User, make_gold: MakeGold
) -> None:
    make_gold("q1")
    directory = directory_of(frozen(clinic, boss).pk)
    content = b"".join(path.read_bytes() for path in directory.iterdir())
    for name in (b"dana.doctor", b"olga.owner", b"a-model-name"):
        assert name not in content
    assert doctor.pseudonym.encode() in content


def test_a_cluster_lies_in_one_split_and_held_out_ones_in_test(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    for number in range(30):
        make_gold(f"q{number}", cluster=f"c{number % 10}", held_out=number == 3)
    items = lines(directory_of(frozen(clinic, boss).pk) / "items.jsonl")
    splits: dict[str, set[str]] = {}
    for item in items:
        splits.setdefault(item["cluster"], set()).add(item["split"])
    assert all(len(found) == 1 for found in splits.values())
    assert splits["c3"] == {"test"}
    assert items == sorted(items, key=lambda item: (item["cluster"], item["id"]))


@given(cluster=st.text(), seed=st.integers(0, 1000))
def test_the_split_of_a_cluster_depends_on_nothing_but_its_name_and_the_seed(cluster: str, seed: int) -> None:
    assert split_of(cluster, seed=seed, held_out=False) == split_of(cluster, seed=seed, held_out=False)
    assert split_of(cluster, seed=seed, held_out=False) in SPLITS
    assert split_of(cluster, seed=seed, held_out=True) == "test"


def test_splits_are_about_70_15_15() -> None:
    found = [split_of(f"cluster {number}", seed=0, held_out=False) for number in range(4000)]
    shares = [found.count(split) / len(found) for split in SPLITS]
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.025)


def test_every_changed_byte_is_caught(clinic: Project, boss: User, make_gold: MakeGold) -> None:
    make_gold("q1")
    directory = directory_of(frozen(clinic, boss).pk)
    assert integrity.verify(directory) == []
    for path in sorted(directory.iterdir()):
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 25)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert integrity.verify(directory), f"{path.name}, byte {place}"
        path.write_bytes(content)
    (directory / "extra.txt").write_text("x")
    assert integrity.verify(directory) == ["extra.txt: not listed in manifest.json"]


def test_a_forged_manifest_is_caught_by_the_signature(
    clinic: Project, boss: User, make_gold: MakeGold, tmp_path: Path
) -> None:
    make_gold("q1")
    directory = directory_of(frozen(clinic, boss).pk)
    call_command("verify_snapshot", str(directory))
    forged = (directory / "manifest.json").read_bytes().replace(b"clinic", b"clinik")
    (directory / "manifest.json").write_bytes(forged)
    stranger = integrity.signing_key(tmp_path / "other")
    (directory / "manifest.sig").write_text(integrity.signature_text(forged, stranger))
    assert integrity.verify(directory) == []
    with pytest.raises(CommandError, match="another key"):
        call_command("verify_snapshot", str(directory))


def test_a_frozen_snapshot_cannot_be_changed_in_the_database(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    make_gold("q1")
    snapshot = frozen(clinic, boss)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Snapshot.objects.of(clinic).filter(pk=snapshot.pk).update(sha256="0" * 64)


def test_a_physician_may_not_freeze(clinic: Project, doctor: User, make_gold: MakeGold) -> None:
    make_gold("q1")
    with pytest.raises(PermissionDenied):
        freeze(actor=doctor, project=clinic)


def test_freezing_nothing_is_refused_with_the_reason(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    with pytest.raises(SnapshotRefused, match="no gold yet"):
        freeze(actor=boss, project=clinic)
    make_gold("q1", licence="")
    with pytest.raises(SnapshotRefused, match="licence"):
        freeze(actor=boss, project=clinic)


def test_the_job_freezes_once_and_a_second_run_changes_nothing(
    clinic: Project, boss: User, make_gold: MakeGold
) -> None:
    make_gold("q1")
    snapshot = freeze(actor=boss, project=clinic)
    job = Job.rows.get(kind="freeze_snapshot", subject_id=str(snapshot.pk))
    run_freeze(Work(job))
    snapshot.refresh_from_db()
    assert snapshot.state == SnapshotState.FROZEN
    make_gold("q2")
    run_freeze(Work(job))
    assert integrity.verify(directory_of(snapshot.pk)) == []
    assert load_snapshot(directory_of(snapshot.pk)).sha256 == snapshot.sha256


def test_a_full_disk_is_named_and_leaves_nothing(
    clinic: Project, boss: User, make_gold: MakeGold, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_gold("q1")
    snapshot = freeze(actor=boss, project=clinic)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.snapshots.write_text", full)
    with pytest.raises(JobFailed, match="disk is full"):
        run_freeze(Work(Job.rows.get(subject_id=str(snapshot.pk))))
    snapshot.refresh_from_db()
    assert snapshot.state == SnapshotState.FAILED
    assert "disk is full" in snapshot.error
    assert list(directory_of(snapshot.pk).parent.iterdir()) == []


def test_a_small_snapshot_says_that_it_is_too_small(clinic: Project, boss: User, make_gold: MakeGold) -> None:
    make_gold("q1")
    snapshot = frozen(clinic, boss)
    assert "at least 50 are needed" in too_small(snapshot)
    assert too_small(snapshot, least=0) == ""


@pytest.mark.django_db(transaction=True)
def test_edits_during_a_freeze_do_not_tear_it(clinic: Project, boss: User, make_gold: MakeGold) -> None:
    golds = [make_gold(f"q{number:03}") for number in range(40)]
    snapshot = frozen(clinic, boss)
    stop = threading.Event()

    def edit() -> None:
        while not stop.is_set():
            Instruction.objects.of(clinic).update(specialty="Neurology")
            Instruction.objects.of(clinic).update(specialty="Cardiology")
        connection.close()

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        for _ in range(8):
            write_directory(snapshot)
            found = {item["specialty"] for item in lines(directory_of(snapshot.pk) / "items.jsonl")}
            assert len(found) == 1
    finally:
        stop.set()
        editor.join()
    assert len(golds) == 40
