"""What the code needs before it serves: migrations, static files, the sample. Skipped where nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil

from webapp.embedded import postgres, processes
from webapp.embedded.errors import EmbeddedError
from webapp.embedded.paths import REPOSITORY, postgres_data
from webapp.embedded.say import say

MIGRATED_PACKAGES = ("webapp", "rubric_engine", "annotation", "training")


def manage(home: Path, *calls: tuple[str, ...]) -> None:
    """Run manage.py once for each of `calls`, side by side; output goes to logs/manage-<command>.log.

    Raises EmbeddedError with the last lines. Nothing goes on behind an interruption.
    """
    names = [f"manage-{call[0]}" for call in calls]
    started: list[psutil.Popen] = []
    try:
        for name, call in zip(names, calls, strict=True):
            started.append(processes.spawn(home, name, [sys.executable, "manage.py", *call]))
        for name, process in zip(names, started, strict=True):
            if process.wait() != 0:
                end = processes.log_tail(home, name, 12)
                raise EmbeddedError(
                    f"manage.py failed; its log, {processes.log_path(home, name)}, ends:\n{end}"
                )
    finally:
        processes.stop_trees(started, grace=5)
        for name in names:
            processes.forget(home, name)


def prepare(home: Path, *, embedded: bool) -> None:
    """Migrate and collect static files, side by side, where the code or the database changed since the last time."""
    wanted = {"migrations": _migrations(home, embedded=embedded), "static": _static()}
    done = _noted(home)
    tasks: list[tuple[str, ...]] = []
    if not embedded or done.get("migrations") != wanted["migrations"]:
        tasks.append(("migrate", "--no-input", "-v", "0"))
    if done.get("static") != wanted["static"] or not (home / "static" / "staticfiles.json").exists():
        tasks.append(("collectstatic", "--no-input", "--clear", "-v", "0", "--ignore", "rest_framework"))
    if tasks:
        say(f"Preparing: {' and '.join(task[0] for task in tasks)} …")
        manage(home, *tasks)
        _note(home, {**done, **wanted})


def expect_sample(home: Path) -> None:
    """Note that this database is a new one, before it is made: an interrupted first start still loads the sample."""
    if postgres.is_new(home):
        _note(home, {"sample": "pending"})


def load_sample(home: Path) -> bool:
    """Load the sample pack into a new database. Returns whether this home has the sample."""
    noted = _noted(home)
    if noted.get("sample") == "pending":
        say("Loading the sample pack …")
        manage(home, ("load_sample",))
        noted["sample"] = "loaded"
        _note(home, noted)
    return noted.get("sample") == "loaded"


def sign_ins() -> str:
    """The sample's sign-ins, as the sample itself words them."""
    from webapp.sample.signins import shown

    return shown()


def _note_path(home: Path) -> Path:
    return home / "run" / "prepared.json"


def _noted(home: Path) -> dict[str, str]:
    try:
        noted = json.loads(_note_path(home).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {str(key): str(value) for key, value in noted.items()}


def _note(home: Path, values: dict[str, str]) -> None:
    draft = _note_path(home).with_suffix(".new")
    draft.write_text(json.dumps(values), encoding="utf-8")
    draft.replace(_note_path(home))


def _fingerprint(files: Iterable[Path], *more: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(
            os.fsencode(path.relative_to(REPOSITORY)) + b"\0" + hashlib.sha256(path.read_bytes()).digest()
        )
    digest.update("\0".join(more).encode())
    return digest.hexdigest()


def _migrations(home: Path, *, embedded: bool) -> str:
    """Of the migrations, the installed packages, and the very cluster that they were applied to."""
    files = [
        path for package in MIGRATED_PACKAGES for path in (REPOSITORY / package).rglob("migrations/*.py")
    ]
    cluster = (postgres_data(home) / "PG_VERSION").stat().st_mtime_ns if embedded else 0
    return _fingerprint([*files, REPOSITORY / "requirements" / "web.txt"], str(cluster))


def _static() -> str:
    """Of our static files, and of the packages that bring their own."""
    files = [path for path in (REPOSITORY / "webapp" / "static").rglob("*") if path.is_file()]
    return _fingerprint(
        [*files, REPOSITORY / "webapp" / "static_storage.py", REPOSITORY / "requirements" / "web.txt"]
    )
