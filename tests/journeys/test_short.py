"""Protects the loop itself: one datum from import to evaluation, through the real services, over HTTP only."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from annotation import probing
from tests.journeys.journey import Plan, travel
from tests.journeys.stack import running

PACK = Path(__file__).resolve().parents[2] / "webapp" / "sample"
FIRST, SECOND = 12, 6


def test_one_datum_goes_from_a_file_to_an_evaluated_policy(tmp_path: Path) -> None:
    plan = Plan(
        files=[("instructions", PACK / "instructions.jsonl"), ("rubrics", PACK / "rubrics.jsonl")],
        sizes=[FIRST, SECOND],
        rm_preset="smoke-rm",
        grpo_preset="smoke-grpo",
        stage_s=300,
    )
    with running() as stack:
        found = travel(stack, plan, directory=tmp_path)

    assert [closed["state"] for closed in found.rounds] == ["closed", "closed"]
    assert [closed["reviewed"] for closed in found.rounds] == [counted(FIRST), counted(SECOND)]
    pairs = [json.loads(line) for line in (tmp_path / "preferences.jsonl").read_text().splitlines()]
    assert pairs, "gold with verdicts gives criterion pairs"
    assert found.snapshot["sha256"]
    for stage in ("reward model evaluated", "policy evaluated"):
        assert found.reports[stage], f"{stage}: the report is empty"


def counted(size: int) -> int:
    """Items that the pass rates are of: without those that measure the reviewing itself."""
    probes = (probing.BLIND_FIRST_SHARE, probing.SEEDED_SHARE)
    return size - sum(math.floor(size * share + 0.5) for share in probes)


@pytest.fixture(autouse=True)
def no_database() -> None:
    """The journey speaks HTTP to processes of its own; it must not touch the test database."""
