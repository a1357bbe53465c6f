"""How far an attempt is: share, time left, speed, age of the heartbeat. Pure but for the clock handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from training.launch import places
from training.models import LIVE_STATES, Attempt, AttemptState
from webapp.screens.runs.plots import Curve

_RECENT = 20


@dataclass(frozen=True)
class Progress:
    state: str
    live: bool
    resumable: bool
    step: int
    total: int
    seconds: float | None
    seconds_left: float | None
    pairs_per_s: float | None
    beat_age_s: float | None

    @property
    def percent(self) -> int:
        return min(100, self.step * 100 // self.total) if self.total else 0

    @property
    def late(self) -> bool:
        """The supervisor beats every 5 s; a heartbeat older than 30 s deserves a look."""
        return self.beat_age_s is not None and self.beat_age_s > 30


def progress(attempt: Attempt, curve: Curve, *, now: datetime) -> Progress:
    live = attempt.state in LIVE_STATES
    started = attempt.started_at
    seconds = ((attempt.ended_at or now) - started).total_seconds() if started else None
    speeds = [
        data["pairs_per_s"] for _, data in curve[-_RECENT:] if isinstance(data.get("pairs_per_s"), float)
    ]
    beat = attempt.heartbeat_at if attempt.state == AttemptState.RUNNING else None
    return Progress(
        state=attempt.state,
        live=live,
        resumable=attempt.state in {AttemptState.LOST, AttemptState.FAILED, AttemptState.CANCELLED},
        step=attempt.step,
        total=attempt.total_steps,
        seconds=seconds,
        seconds_left=_left(attempt, curve, seconds) if live else None,
        pairs_per_s=sum(speeds) / len(speeds) if speeds else None,
        beat_age_s=max(0.0, (now - beat).total_seconds()) if beat else None,
    )


def _left(attempt: Attempt, curve: Curve, seconds: float | None) -> float | None:
    """Time left at this attempt's pace; a resumed attempt began at the step of its checkpoint."""
    if seconds is None or not attempt.total_steps:
        return None
    done = attempt.step - places.step_of(attempt.resume_from)
    return seconds / done * (attempt.total_steps - attempt.step) if done > 0 else None
