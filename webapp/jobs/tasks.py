"""Celery's part: a nudge makes sure that a runner lives while work is due. Beat sends one every 5 s."""

from __future__ import annotations

import subprocess
import sys

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from webapp.embedded.paths import REPOSITORY, logs_dir
from webapp.jobs.liveness import mark_alive
from webapp.jobs.queue import due_count
from webapp.jobs.runner import try_lock


def nudge(queue: str) -> None:
    """Make it fast. Without a broker nothing is lost: beat's poller finds the row."""
    try:
        {"io": nudge_io, "llm": nudge_llm}[queue].apply_async(queue=queue, retry=False, expires=30)
    except OperationalError:
        return


@shared_task(ignore_result=True)
def nudge_io() -> None:
    ensure_runner("io")


@shared_task(ignore_result=True)
def nudge_llm() -> None:
    ensure_runner("llm")


def ensure_runner(queue: str) -> bool:
    """Start this host's runner if work is due and none lives. Returns whether one was started."""
    mark_alive(queue)
    if not due_count(queue):
        return False
    lock = try_lock(queue)
    if lock is None:
        return False
    lock.close()
    directory = logs_dir(settings.ENV.home)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"runner-{queue}.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "manage.py", "run_jobs", "--queue", queue],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return True
