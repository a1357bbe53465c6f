"""`python -m tests.benchmarks.import_data FILE`: import a file here and now; print speed and peak memory as JSON.

A process of its own, so that its peak memory is its own. What it imported is emptied again.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import uuid
from pathlib import Path

import psutil


def main(path: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")
    import django

    django.setup()
    from django.db import connection

    from rubric_engine.curation.imports import create_import, import_now
    from webapp.accounts.models import Membership, Project, Role, User

    name = uuid.uuid4().hex
    project = Project.objects.create(slug=name, name=name)
    admin = User.objects.create(username=name)
    Membership.objects.create(project=project, user=admin, role=Role.ADMIN)
    before = psutil.Process().memory_info().rss / 1e6
    with path.open("rb") as file:
        made = create_import(actor=admin, project=project, filename=path.name, file=file, queue=False)
    began = time.perf_counter()
    done = import_now(made, lambda *_: None)
    seconds = time.perf_counter() - began
    peak = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    )
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE rubric_engine_instruction, rubric_engine_import CASCADE")
    print(json.dumps({"rows": done.rows_written, "seconds": seconds, "before_mb": before, "peak_mb": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
