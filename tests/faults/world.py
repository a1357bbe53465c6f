"""`python -m tests.faults.world WHAT …`, run on a stack's home: makes the people and rows that a harness needs.

Prints one JSON object. It is a process of its own because the harness itself runs without Django.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.journeys.stack import Stack

REPOSITORY = Path(__file__).resolve().parents[2]


def make(stack: Stack, what: str, *arguments: str) -> Any:
    """Run this module on the stack's home; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.world", what, *arguments],
        cwd=REPOSITORY,
        env={**stack.environment, "DJANGO_SETTINGS_MODULE": "webapp.settings.project"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"tests.faults.world {what}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def reviews(reviewers: str) -> dict[str, Any]:
    """A project with an open rubric-only round, one item for each reviewer."""
    from annotation.rounds import open_round
    from tests import cast
    from webapp.accounts.models import Role

    project = cast.make_project("reviews")
    lead = cast.make_user("lead", project, Role.LEAD)
    people = [cast.make_user(f"physician-{n}", project, Role.PHYSICIAN) for n in range(int(reviewers))]
    round = cast.make_round(project, lead, items=len(people), responses=0, rubric_only=True)
    open_round(actor=lead, round=round, reviewers=people)
    return {"round": str(round.pk), "tokens": [cast.make_token(person, project) for person in people]}


def training() -> dict[str, Any]:
    """A project with a small frozen snapshot, and the token of a lead."""
    from django.conf import settings

    from tests import cast
    from tests.training.snapshot_fixture import tiny_snapshot
    from training.models import Snapshot
    from webapp.accounts.models import Role

    project = cast.make_project("training")
    lead = cast.make_user("lead-of-training", project, Role.LEAD)
    counts = {"splits": {split: {"pairs": 1000, "items": 10} for split in ("train", "validation", "test")}}
    row = Snapshot.rows.create(
        project=project,
        number=1,
        state="frozen",
        sha256="0" * 64,
        created_by=lead,
        manifest={"counts": counts},
    )
    tiny_snapshot(Path(settings.FILES_DIR) / "snapshots" / str(row.pk))
    return {"project": project.slug, "snapshot": str(row.pk), "token": cast.make_token(lead, project)}


def imports() -> dict[str, Any]:
    """An empty project, and the token of a lead."""
    from tests import cast
    from webapp.accounts.models import Role

    project = cast.make_project("imports")
    lead = cast.make_user("lead-of-imports", project, Role.LEAD)
    return {"project": project.slug, "token": cast.make_token(lead, project)}


WORLDS: dict[str, Callable[..., dict[str, Any]]] = {
    "reviews": reviews,
    "training": training,
    "imports": imports,
}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")
    import django

    django.setup()
    print(json.dumps(WORLDS[sys.argv[1]](*sys.argv[2:])))
