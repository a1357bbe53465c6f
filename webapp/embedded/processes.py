"""Starting, remembering, finding again and stopping processes.

A process is remembered in $home/run/<name>.json by its id *and* its time of creation, so that after a crash a
leftover is recognised, and a stranger that got the same id is not.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from webapp.embedded.paths import REPOSITORY, logs_dir

LAUNCHED_FROM = "GOLDROUNDS_LAUNCHED_FROM"  # set for every process of one home; descendants inherit it
CLOCK_STEP = 2.0  # seconds by which a corrected clock may move a creation time
LARGEST_LOG = 10 * 1024 * 1024


def record_path(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.json"


def remember(home: Path, name: str, process: psutil.Process) -> None:
    path = record_path(home, name)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"pid": process.pid, "create_time": process.create_time()}), encoding="utf-8")
    draft.replace(path)


def forget(home: Path, name: str) -> None:
    record_path(home, name).unlink(missing_ok=True)


def find_remembered(home: Path, name: str) -> psutil.Process | None:
    """The process that `remember` wrote down, if it is still the same one and alive."""
    try:
        noted = json.loads(record_path(home, name).read_text(encoding="utf-8"))
        process = psutil.Process(noted["pid"])
        same = abs(process.create_time() - noted["create_time"]) < CLOCK_STEP
    except (FileNotFoundError, json.JSONDecodeError, psutil.NoSuchProcess):
        return None
    return process if same and is_alive(process) else None


def is_alive(process: psutil.Process) -> bool:
    """Running and not a zombie: a zombie's id answers signals, but nothing works behind it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def log_path(home: Path, name: str) -> Path:
    return logs_dir(home) / f"{name}.log"


def spawn(home: Path, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> psutil.Popen:
    """Start `argv` in a session of its own (a Ctrl-C at the terminal reaches only us), its output in a log file."""
    log = log_path(home, name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    environment = {**os.environ, **(env or {}), LAUNCHED_FROM: str(home)}
    with log.open("ab") as output:
        process = psutil.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    remember(home, name, process)
    return process


def log_tail(home: Path, name: str, lines: int = 8) -> str:
    try:
        text = log_path(home, name).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def with_descendants(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The processes and all below them. Ask before killing: orphans no longer name their parent."""
    found: dict[int, psutil.Process] = {}
    for process in processes:
        try:
            for member in (process, *process.children(recursive=True)):
                found[member.pid] = member
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def wait_for_end(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until all have ended, or `seconds` are over; those still alive are returned."""
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = [process for process in alive if is_alive(process)]
    return alive


def stop_trees(roots: Sequence[psutil.Process], grace: float) -> None:
    """SIGTERM to each root, `grace` seconds for all below it, then SIGKILL to whoever is left."""
    members = with_descendants(roots)
    send(roots, signal.SIGTERM)
    survivors = wait_for_end(members, grace)
    send(survivors, signal.SIGKILL)
    wait_for_end(survivors, 5)


def session_of(home: Path, pid: int) -> list[psutil.Process]:
    """Whoever of this home is in the session that process `pid` began, also when that process itself is gone.

    What a worker starts in a session of its own (a training, a job runner) has a life of its own and is not here.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == pid and _is_marked(process, home) and is_alive(process):
                found.append(process)
        except (ProcessLookupError, PermissionError):
            continue
    return found


def stop_sessions(home: Path, pids: Iterable[int], grace: float) -> None:
    """SIGTERM to each session's leader, or to its orphans; SIGKILL after `grace` seconds to whoever is left."""
    members = []
    for pid in pids:
        session = session_of(home, pid)
        send([process for process in session if process.pid == pid] or session, signal.SIGTERM)
        members += session
    survivors = wait_for_end(members, grace)
    send(survivors, signal.SIGKILL)
    wait_for_end(survivors, 5)


def recorded_pid(home: Path, name: str) -> int | None:
    try:
        noted = json.loads(record_path(home, name).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return int(noted["pid"])


def launched_from(home: Path, apart_from: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Trainings and runners of this home: they inherited our mark, or name a file below the home.

    Only the topmost of each tree is listed. `apart_from`: the services, which are stopped last and in their own way.
    """
    others = {process.pid for process in with_descendants(apart_from)} | {os.getpid()}
    found = {process.pid: process for process in psutil.process_iter() if _belongs_to(process, home)}
    return [
        process
        for pid, process in found.items()
        if pid not in others and not found.keys() & {parent.pid for parent in _parents(process)}
    ]


def _belongs_to(process: psutil.Process, home: Path) -> bool:
    try:
        named = any(part.startswith(f"{home}/files/") for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False
    return (named or _is_marked(process, home)) and is_alive(process)


def _is_marked(process: psutil.Process, home: Path) -> bool:
    try:
        return process.environ().get(LAUNCHED_FROM) == str(home)
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False


def _parents(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.parents()
    except psutil.NoSuchProcess:
        return []
