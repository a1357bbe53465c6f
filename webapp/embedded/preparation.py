"""What the code needs before it serves: migrations, collected static files, the sample. Skipped where nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from webapp.embedded import postgres
from webapp.embedded.errors import EmbeddedError
from webapp.embedded.paths import REPOSITORY, postgres_data
from webapp.embedded.processes import LAUNCHED_FROM, log_path
from webapp.embedded.say import say

MIGRATED_PACKAGES = ("webapp", "rubric_engine", "annotation", "training")


def manage(home: Path, *arguments: str) -> None:
    """Run manage.py; its output goes to logs/manage.log. Raises EmbeddedError with the last lines."""
    command = [sys.executable, "manage.py", *arguments]
    environment = {**os.environ, LAUNCHED_FROM: str(home), "PYTHONUNBUFFERED": "1"}
    log = log_path(home, "manage")
    log.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ manage.py {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    if done.returncode != 0:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
        raise EmbeddedError(f"manage.py {' '.join(arguments)} failed (all of it is in {log}):\n{end}")


def prepare(home: Path, *, embedded: bool) -> None:
    """Migrate and collect static files, side by side, where the code or the database changed since the last time."""
    wanted = {"migrations": _migrations(home, embedded=embedded), "static": _static(home)}
    done = _noted(home)
    tasks: list[tuple[str, ...]] = []
    if not embedded or done.get("migrations") != wanted["migrations"]:
        tasks.append(("migrate", "--no-input", "-v", "0"))
    if done.get("static") != wanted["static"]:
        tasks.append(("collectstatic", "--no-input", "--clear", "-v", "0"))
    if tasks:
        say(f"Preparing: {' and '.join(task[0] for task in tasks)} …")
        with ThreadPoolExecutor(len(tasks)) as pool:
            for finished in [pool.submit(manage, home, *task) for task in tasks]:
                finished.result()
        _note(home, {**done, **wanted})


def expect_sample(home: Path) -> None:
    """Note that this database is a new one, before it is made: an interrupted first start still loads the sample."""
    if postgres.is_new(home):
        _note(home, {"sample": "pending"})


def load_sample(home: Path) -> bool:
    """Load the sample pack into a new database. Returns whether this home has the sample."""
    noted = _noted(home)
    if noted.get("sample") == "pending":
        manage(home, "load_sample")
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
        digest.update(os.fsencode(path.relative_to(REPOSITORY)) + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    digest.update("\0".join(more).encode())
    return digest.hexdigest()


def _migrations(home: Path, *, embedded: bool) -> str:
    """Of the migrations, the installed packages, and the very cluster that they were applied to."""
    files = [path for package in MIGRATED_PACKAGES for path in (REPOSITORY / package).rglob("migrations/*.py")]
    cluster = (postgres_data(home) / "PG_VERSION").stat().st_mtime_ns if embedded else 0
    return _fingerprint([*files, REPOSITORY / "requirements" / "web.txt"], str(cluster))


def _static(home: Path) -> str:
    """Of our static files, the packages that bring their own, and whether the collected ones are there."""
    files = [path for path in (REPOSITORY / "webapp" / "static").rglob("*") if path.is_file()]
    manifest = home / "static" / "staticfiles.json"
    return _fingerprint([*files, REPOSITORY / "requirements" / "web.txt"], str(manifest.exists()))
