"""Protects, in short, what `make faults` measures at full size: acknowledged edits outlive every kill, a submit counts
once, a flushed broker loses no job, and a killed trainer is noticed and its run resumed. Each harness first finds a
planted fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import jobs, runs, saves, submits
from tests.faults.reviewer import Window
from tests.faults.world import make
from tests.journeys.stack import Stack, running

pytestmark = [pytest.mark.faults, pytest.mark.slow]
REVIEWERS = 6
KINDS = ["web worker", "PostgreSQL backend", "broker", "PostgreSQL"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running() as product:
        yield product


@pytest.fixture(scope="module")
def windows(stack: Stack) -> list[Window]:
    made = make(stack, "reviews", str(REVIEWERS))
    opened = [Window(stack.url, token) for token in made["tokens"]]
    for window in opened:
        window.claim(made["round"])
    return opened


def test_a_submit_that_is_sent_often_counts_once(stack: Stack, windows: list[Window]) -> None:
    found = submits.run(stack, windows, submits=18)
    assert found.planted_caught == 1
    assert found.duplicates == 0
    assert found.sendings >= 2 * found.submits


def test_no_acknowledged_edit_is_lost_whatever_is_killed(stack: Stack, windows: list[Window]) -> None:
    found = saves.run(stack, windows, kills=len(KINDS), at_least=60, kinds=KINDS)
    assert found.planted_caught > 0, "the harness must see the loss that was planted"
    assert found.losses.lost == []
    assert found.losses.wrong_documents == []
    assert set(found.kills) == set(KINDS)


def test_a_flushed_broker_loses_and_doubles_no_job(stack: Stack) -> None:
    found = jobs.run(stack, jobs=3, every_s=0.3, kill_workers=False)
    assert found.planted_caught == 2
    assert (found.lost, found.doubled) == (0, 0)
    assert found.faults["FLUSHALL"] > 0


def test_a_killed_trainer_is_noticed_and_its_run_resumed(stack: Stack) -> None:
    found = runs.run(stack, deaths=["trainer and its supervisor"])
    assert found.planted_caught == 1
    assert found.lost_or_doubled == 0
