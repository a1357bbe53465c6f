"""Run directories for tests of the torch side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.configs import from_preset
from training.events import EventLog, read_events
from training.run_context import RunContext


def make_context(run_dir: Path) -> RunContext:
    """A run context that no signal reaches."""
    run_dir.mkdir(parents=True, exist_ok=True)
    return RunContext(run_dir, run_dir, EventLog(run_dir))


def write_config(run_dir: Path, preset: str, **fields: Any) -> Path:
    """A run directory as the launcher leaves it."""
    run_dir.mkdir(parents=True, exist_ok=True)
    config = from_preset(preset, **fields)
    (run_dir / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    return run_dir


def kinds(run_dir: Path) -> list[str]:
    """The kinds of a run's events, in order."""
    return [event["kind"] for event in read_events(run_dir)]


def last(run_dir: Path, kind: str) -> dict[str, Any]:
    """The newest event of one kind."""
    return [event for event in read_events(run_dir) if event["kind"] == kind][-1]
