"""Protects the event file: what a run says survives torn lines and restarts, and is always JSON."""

from __future__ import annotations

import math
from pathlib import Path

from training.events import EventLog, cancel_requested, final_event, read_events


def test_events_are_numbered_on_across_writers(tmp_path: Path) -> None:
    EventLog(tmp_path).emit("started")
    EventLog(tmp_path).emit("metric", 1, loss=0.5)
    assert [(event["seq"], event["kind"], event["step"]) for event in read_events(tmp_path)] == [
        (0, "started", None),
        (1, "metric", 1),
    ]


def test_a_torn_last_line_is_skipped_and_written_past(tmp_path: Path) -> None:
    EventLog(tmp_path).emit("started")
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"seq": 1, "kind": "met')
    assert len(read_events(tmp_path)) == 1
    EventLog(tmp_path).emit("failed", error="e", what_to_do="w")
    assert [event["kind"] for event in read_events(tmp_path)] == ["started", "failed"]


def test_numbers_that_json_cannot_hold_become_null(tmp_path: Path) -> None:
    EventLog(tmp_path).emit("metric", 1, loss=math.nan, nested={"kl": math.inf}, many=[1.0, -math.inf])
    data = read_events(tmp_path)[0]["data"]
    assert data == {"loss": None, "nested": {"kl": None}, "many": [1.0, None]}


def test_a_reader_can_go_on_after_the_last_number_it_saw(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    for step in range(3):
        log.emit("metric", step)
    assert [event["seq"] for event in read_events(tmp_path, after=1)] == [2]


def test_a_run_has_ended_only_when_it_says_so(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    log.emit("started")
    assert final_event(tmp_path) is None
    log.emit("succeeded")
    log.emit("exit", code=0)
    ended = final_event(tmp_path)
    assert ended is not None
    assert ended["kind"] == "succeeded"


def test_cancel_is_a_file(tmp_path: Path) -> None:
    assert not cancel_requested(tmp_path)
    (tmp_path / "CANCEL").touch()
    assert cancel_requested(tmp_path)
