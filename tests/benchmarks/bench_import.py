"""Import of a 200 MB file of instructions: rows a second from reading to commit, and the importer's peak memory."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import REPOSITORY, figure
from webapp.embedded.services import embedded_services

REPEATS = 5
MEGABYTES = 200
WORDS = "pain fever since days week tablet dose blood pressure chest cough child mother doctor test result".split()


def run() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="goldrounds-bench-") as directory:
        home, file = Path(directory) / "home", Path(directory) / "instructions.jsonl"
        home.mkdir()
        write_instructions(file, MEGABYTES * 1_000_000)
        environment = {
            name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
        } | {"GOLDROUNDS_HOME": str(home)}
        with embedded_services(home):
            run_python(environment, "manage.py", "migrate", "--verbosity", "0")
            command = ("-m", "tests.benchmarks.import_data", str(file))
            done = [json.loads(run_python(environment, *command).splitlines()[-1]) for _ in range(REPEATS)]
    at_rest = (
        f"at rest {done[-1]['before_mb']:.0f} MB; the file has {MEGABYTES} MB, {done[-1]['rows']:,} rows"
    )
    return [
        figure("import.rows_per_s", [one["rows"] / one["seconds"] for one in done], "rows/s", goal=">= 5000"),
        figure(
            "import.peak_memory_mb", [one["peak_mb"] for one in done], "MB", goal="<= 150", baseline=at_rest
        ),
    ]


def write_instructions(path: Path, size: int) -> None:
    """About 1.2 kB a row, as the shared instructions have."""
    dice = random.Random(1)
    written = number = 0
    with path.open("w", encoding="utf-8") as file:
        while written < size:
            number += 1
            row = {
                "id": f"bench-{number}",
                "instruction": " ".join(dice.choices(WORDS, k=150)) + f" {number}?",
                "task": "patient_question",
                "source": "benchmark",
                "source_key": "bench",
                "licence": "CC0-1.0",
                "specialty": dice.choice(["Cardiology", "Paediatrics", "Oncology"]),
                "note": "kept in extra " * 10,
            }
            written += file.write(json.dumps(row) + "\n")


def run_python(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {done.stderr[-2000:]}")
    return done.stdout
