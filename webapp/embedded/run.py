"""`make run`: everything on one machine, from the database to the trainings, until Ctrl-C.

Order: the services, what the code needs of them, the web server (so that a first page comes soon), then the sample,
the workers and beat. Whatever dies is started again. A `kill -9` of all this leaves processes behind; the next start
ends or takes over each of them.
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import psutil

from webapp.embedded import postgres, preparation, processes, services, supervisor, valkey
from webapp.embedded.errors import EmbeddedError
from webapp.embedded.paths import UnsafeDirectory
from webapp.embedded.preflight import LOOPBACK, check_home, check_port, claim_instance
from webapp.embedded.say import say
from webapp.settings import env

LOOK_SECONDS = 0.5
FIRST_PAGE_SECONDS = 120.0
QUICK_SECONDS = 3.0
CHECKPOINT_SECONDS = 130.0  # a training has 120 s to write its last checkpoint


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        settings = env.read()
        check_home(settings.home)
        url = f"http://localhost:{settings.port}/"  # by this name browsers allow passkeys, by 127.0.0.1 not
        lock = claim_instance(settings.home, url)
    except (EmbeddedError, UnsafeDirectory, env.SettingError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        _run(settings, url)
    except (EmbeddedError, UnsafeDirectory) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(settings)
        os.close(lock)
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(settings: env.Env, url: str) -> None:
    home = settings.home
    supervisor.stop_all(home)  # what a killed instance left behind
    check_port(settings.port)
    if settings.embedded:
        say(f"Starting PostgreSQL and Valkey in {home} …")
        if settings.sample:
            preparation.expect_sample(home)
        services.start(home)
    preparation.prepare(home, embedded=settings.embedded)
    running = supervisor.Supervisor(home)
    running.start(supervisor.web(settings.port))
    _wait_for_first_page(running, settings.port)
    say(f"GoldRounds is at {url}")
    for child in supervisor.workers(home):
        running.start(child)
    if settings.embedded and preparation.load_sample(home):
        say(preparation.sign_ins())
    say(f"Logs are in {home / 'logs'}. Ctrl-C stops everything.")
    while True:
        time.sleep(LOOK_SECONDS)
        if settings.embedded:
            _look_after_services(home)
        running.look_after()


def _wait_for_first_page(running: supervisor.Supervisor, port: int) -> None:
    """Raises EmbeddedError with the web server's log where it does not answer."""
    deadline = time.monotonic() + FIRST_PAGE_SECONDS
    child = running.children[0]
    while time.monotonic() < deadline:
        if _answers(port):
            return
        if child.process is not None and child.process.poll() is not None:
            break
        time.sleep(0.05)
    log = processes.log_path(running.home, child.name)
    raise EmbeddedError(
        f"The web server did not start. Its log, {log}, ends:\n{processes.log_tail(running.home, child.name, 15)}"
    )


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _look_after_services(home: Path) -> None:
    for service in (postgres, valkey):
        if service.running(home) is None:
            say(f"{service.NAME} is gone; it starts again. Log: {processes.log_path(home, service.NAME)}")
            service.start(home)


def _stop(settings: env.Env) -> None:
    """End web server and workers, then trainings and runners, then the services. A second Ctrl-C waits no longer."""
    say("Stopping …")
    home = settings.home
    try:
        supervisor.stop_all(home)
        _stop_trainings(home)
    except KeyboardInterrupt:
        processes.send(processes.with_descendants(_trainings(home)), signal.SIGKILL)
    if settings.embedded:
        services.stop(home)
    (home / "run" / "instance.json").unlink(missing_ok=True)


def _trainings(home: Path) -> list[psutil.Process]:
    own = [service.running(home) for service in (postgres, valkey)]
    return processes.launched_from(home, apart_from=[process for process in own if process is not None])


def _stop_trainings(home: Path) -> None:
    """SIGTERM to whatever still runs: a training first writes its checkpoint, a job gives its row back."""
    left = _trainings(home)
    members = processes.with_descendants(left)
    processes.send(left, signal.SIGTERM)
    alive = processes.wait_for_end(members, QUICK_SECONDS)
    if alive:
        say("Waiting for a training to write its checkpoint; Ctrl-C again to wait no longer.")
        alive = processes.wait_for_end(alive, CHECKPOINT_SECONDS)
    processes.send(alive, signal.SIGKILL)
    processes.wait_for_end(alive, 5)


if __name__ == "__main__":
    raise SystemExit(main())
