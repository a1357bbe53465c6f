"""`python -m tests.benchmarks.export_data ROWS`: that many imported preference pairs of real size, and a snapshot of them.

Prints one JSON object: {"seconds", "rss_before_mb", "rss_peak_mb", "megabytes", "rows", "token", "address", "path"}.
Run on a migrated, empty database. The freeze happens here, in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")
django.setup()

from django.db import connection  # noqa: E402  (models need django.setup first)
from django.utils import timezone  # noqa: E402

from tests import cast  # noqa: E402
from training import snapshots  # noqa: E402
from training.models import Snapshot, SnapshotState  # noqa: E402
from webapp.accounts.models import Project, Role, User  # noqa: E402

INSTRUCTIONS_PER_ROWS = 2
ANSWER_CHARACTERS = 2000


def pairs(project: Project, rows: int) -> None:
    """Two criterion pairs an instruction, answers of about 2,000 characters: some 6 kB a row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO rubric_engine_instruction (project_id, external_id, text, task, source, source_key, licence,
              licence_url, canary, lang, specialty, category, reference_answer, cluster, text_hash, held_out, extra,
              created_at)
            SELECT %(project)s, 'bench-' || n, repeat('What should I watch for? ', 40) || n, '', 'Bench', 'bench',
              'MIT', '', '', 'en', 'Cardiology', 'question', '', 'bench-' || n / 2, md5(n::text), false, '{}', now()
            FROM generate_series(1, %(instructions)s) n
            """,
            {"project": project.pk, "instructions": rows // INSTRUCTIONS_PER_ROWS},
        )
        cursor.execute(
            """
            INSERT INTO rubric_engine_importedpreference (project_id, instruction_id, external_id, dimension, criterion,
              polarity, chosen, rejected, chosen_author, rejected_author, strength, extra)
            SELECT i.project_id, i.id, i.external_id || '-' || n, 'safety', 'Names the danger number ' || n || '.',
              'must_hold', left(repeat('Good: ' || md5(i.id::text) || ' ', 60), %(size)s),
              left(repeat('Bad: ' || md5(i.id::text) || ' ', 60), %(size)s), '', '', 'human_label_on_both', '{}'
            FROM rubric_engine_instruction i, generate_series(1, %(each)s) n WHERE i.project_id = %(project)s
            """,
            {"project": project.pk, "size": ANSWER_CHARACTERS, "each": INSTRUCTIONS_PER_ROWS},
        )
        cursor.execute("ANALYZE rubric_engine_instruction, rubric_engine_importedpreference")


def frozen(project: Project, lead: User) -> tuple[Snapshot, float]:
    """The snapshot, and the seconds that its files took."""
    snapshot = snapshots.freeze(actor=lead, project=project)
    began = time.perf_counter()
    manifest = snapshots.write_directory(snapshot)
    seconds = time.perf_counter() - began
    snapshot.state, snapshot.manifest, snapshot.sha256 = SnapshotState.FROZEN, manifest, manifest["sha256"]
    snapshot.frozen_at = timezone.now()
    snapshot.save()
    return snapshot, seconds


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(rows: int) -> None:
    project = Project.objects.filter(slug="bench").first()
    if project is None:
        project = cast.make_project("bench")
        pairs(project, rows)
    lead = User.objects.filter(username="bench-lead").first() or cast.make_user(
        "bench-lead", project, Role.LEAD
    )
    before = peak_mb()
    snapshot, seconds = frozen(project, lead)
    files = snapshot.manifest["files"]
    measured = {
        "seconds": seconds,
        "rss_before_mb": before,
        "rss_peak_mb": peak_mb(),
        "megabytes": sum(entry["bytes"] for entry in files.values()) / 1e6,
        "rows": files["preferences.jsonl"]["rows"],
        "token": cast.make_token(lead, project),
        "address": f"/api/v1/projects/bench/snapshots/{snapshot.pk}/files/preferences.jsonl",
        "bytes": files["preferences.jsonl"]["bytes"],
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main(int(sys.argv[1]))
