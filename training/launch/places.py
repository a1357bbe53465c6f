"""Where an attempt's files are, and its checkpoints. Paths are stored relative to FILES_DIR, so that it can move."""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.conf import settings

from training.checkpoints import COMPLETE, DIRECTORY
from training.events import LOG
from training.models import Attempt, Run


def files_dir() -> Path:
    return Path(settings.FILES_DIR).resolve()


def directory_of(attempt: Attempt) -> Path:
    return files_dir() / "runs" / str(attempt.run_id) / str(attempt.number)


def stored(path: Path) -> str:
    """A path as rows keep it: relative where it lies below FILES_DIR."""
    resolved = path.resolve()
    return str(resolved.relative_to(files_dir())) if resolved.is_relative_to(files_dir()) else str(resolved)


def restored(stored_path: str) -> Path:
    return files_dir() / stored_path


def newest_checkpoint(run: Run) -> Path | None:
    """The complete checkpoint with the most steps, over all attempts of a run; a later attempt wins a tie."""
    root = files_dir() / "runs" / str(run.pk)
    found = [path for path in root.glob(f"*/{DIRECTORY}/step-*") if has_every_file(path)]
    return max(found, key=lambda path: (path.name, int(path.parts[-3])), default=None)


def step_of(checkpoint: Path | str) -> int:
    """The step in a checkpoint's name; 0 where there is none."""
    number = str(checkpoint).rpartition("step-")[2]
    return int(number) if number.isdecimal() else 0


def has_every_file(directory: Path) -> bool:
    """Whether a checkpoint's marker and every file that it lists are there in full length.

    Hashes of gigabytes are the trainer's to check when it loads them.
    """
    try:
        listed = json.loads((directory / COMPLETE).read_text(encoding="utf-8"))["files"]
        return all((directory / name).stat().st_size == entry["bytes"] for name, entry in listed.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def log_tail(attempt: Attempt, *, size: int = 6000) -> str:
    """The end of the trainer's own output, whole lines; empty where there is none (yet) on this machine."""
    try:
        with (directory_of(attempt) / LOG).open("rb") as file:
            file.seek(0, os.SEEK_END)
            end = file.tell()
            file.seek(max(0, end - size))
            content = file.read(size)
    except OSError:
        return ""
    cut = content if end <= size else content.partition(b"\n")[2]
    return cut.decode(errors="replace")
