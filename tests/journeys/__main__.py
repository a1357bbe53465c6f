"""`make journey`: the loop at full size over ../shared/data, or over the sample pack where that is absent."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import figure, keep
from tests.journeys.journey import Findings, Plan, rows, travel
from tests.journeys.stack import running
from tests.shared_data import shared_data

PACK = Path(__file__).resolve().parents[2] / "webapp" / "sample"
JUDGED_SOURCES = {"mts", "craftmd"}
"""The only sources whose labels decide between two responses: all of their items are in the first round."""


RM_FIGURES = {
    "overall": "journey.rm_overall_accuracy",
    "pairwise.all": "journey.rm_pairwise_accuracy",
    "probe.shuffled": "journey.rm_shuffled_criterion_accuracy",
}


def shared_plan(data: Path, sizes: list[int]) -> Plan:
    rubrics = data / "rubrics.jsonl.gz"
    return Plan(
        files=[
            ("instructions", data / "instructions.jsonl.gz"),
            ("rubrics", rubrics),
            ("preferences", data / "preferences.jsonl.gz"),
            ("preferences", data / "preferences_weak.jsonl.gz"),
            ("label_agreement", data / "label_agreement.jsonl.gz"),
        ],
        sizes=sizes,
        first_items=[row["instruction_id"] for row in rows(rubrics) if row["source_key"] in JUDGED_SOURCES],
        stage_s=3600,
    )


def sample_plan(sizes: list[int]) -> Plan:
    return Plan(
        files=[("instructions", PACK / "instructions.jsonl"), ("rubrics", PACK / "rubrics.jsonl")],
        sizes=sizes,
        stage_s=1800,
    )


def figures(found: Findings) -> list[dict[str, Any]]:
    """The journey's figures; each is one measurement, so n is 1 and the spread is the value."""
    measured = [
        figure(f"journey.{stage.replace(' ', '_')}_s", [seconds], "s")
        for stage, seconds in found.seconds.items()
    ]
    for place, closed in enumerate(found.rounds, start=1):
        reviewed = closed["reviewed"] or 1
        for kind in ("strict", "minor"):
            share = 100 * (closed[f"{kind}_passes"] or 0) / reviewed
            measured.append(figure(f"journey.round_{place}_{kind}_pass", [share], "%"))
    reported = found.reports.get("reward model evaluated", {}).get("figures", [])
    measured.extend(
        figure(RM_FIGURES[row["key"]], [100 * row["value"]], "%")
        for row in reported
        if row["key"] in RM_FIGURES and row["value"] is not None
    )
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="", help="items a round, with commas (500,200)")
    chosen = parser.parse_args()
    data = shared_data()
    sizes = [int(size) for size in chosen.sizes.split(",") if size] or ([500, 200] if data else [40, 30])
    plan = shared_plan(data, sizes) if data else sample_plan(sizes)
    with tempfile.TemporaryDirectory(prefix="goldrounds-journey-") as directory, running() as stack:
        found = travel(stack, plan, directory=Path(directory))
    print()
    keep(figures(found))


if __name__ == "__main__":
    main()
