"""Import of a 200 MB file of instructions: rows a second from reading to commit, and the importer's peak memory."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import figure
from tests.benchmarks.stage import stage

REPEATS = 5
MEGABYTES = 200
WORDS = "pain fever since days week tablet dose blood pressure chest cough child mother doctor test result".split()


def run() -> list[dict[str, Any]]:
    with stage() as here:
        file = here.home / "instructions.jsonl"
        write_instructions(file, MEGABYTES * 1_000_000)
        command = ("-m", "tests.benchmarks.import_data", str(file))
        done = [json.loads(here.last_line(*command)) for _ in range(REPEATS)]
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
