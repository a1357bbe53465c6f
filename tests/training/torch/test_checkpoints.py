"""Protects resuming: a checkpoint is whole or it isn't one."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.checkpoints import (
    atomic_directory,
    is_complete,
    newest_complete,
    require_complete,
    require_space,
    retain,
    step_directory,
)
from training.faults import TrainingFault


def _write(run_dir: Path, step: int) -> Path:
    target = step_directory(run_dir, step)
    with atomic_directory(target, step=step) as directory:
        (directory / "weights").write_bytes(b"w" * 100)
    return target


def test_a_truncated_newest_checkpoint_is_passed_over(tmp_path: Path) -> None:
    older, newest = _write(tmp_path, 2), _write(tmp_path, 4)
    (newest / "weights").write_bytes(b"w" * 50)
    assert newest_complete(tmp_path) == older


def test_a_checkpoint_without_its_marker_is_passed_over(tmp_path: Path) -> None:
    older, newest = _write(tmp_path, 2), _write(tmp_path, 4)
    (newest / "COMPLETE").unlink()
    assert newest_complete(tmp_path) == older


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    written = _write(tmp_path, 2)
    (written / "weights").write_bytes(b"w" * 99 + b"x")
    assert not is_complete(written)
    with pytest.raises(TrainingFault, match="truncated or changed"):
        require_complete(str(written))


def test_a_writer_that_dies_leaves_no_checkpoint(tmp_path: Path) -> None:
    target = step_directory(tmp_path, 2)
    with pytest.raises(RuntimeError):
        _die_while_writing(target)
    assert newest_complete(tmp_path) is None
    assert not target.exists()


def test_a_full_disk_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TrainingFault, match="The disk is full") as fault:
        require_space(tmp_path, needed=10**18)
    assert "resume" in fault.value.what_to_do


def _die_while_writing(target: Path) -> None:
    with atomic_directory(target, step=2) as directory:
        (directory / "weights").write_bytes(b"w")
        raise RuntimeError("killed")


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (2, 4, 6):
        _write(tmp_path, step)
    retain(tmp_path, keep=2)
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == [
        "step-000004",
        "step-000006",
    ]
