"""Workers alive or not, in words: the pill of the top bar and the dashboard's banner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from webapp.jobs.liveness import workers

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

STOPS: dict[str, StrOrPromise] = {
    "io": _("imports and snapshots wait"),
    "llm": _("drafting waits"),
    "train": _("trainings and evaluations wait"),
}
"""Queue → what stands still without it."""


@dataclass(frozen=True)
class Workers:
    alive: dict[str, str]
    missing: dict[str, StrOrPromise]

    @property
    def all_alive(self) -> bool:
        return not self.missing


def look() -> Workers:
    found = workers()
    return Workers(
        alive={queue: host for queue, host in found.items() if host is not None},
        missing={queue: STOPS[queue] for queue, host in found.items() if host is None},
    )
