"""What must be true before anything is started; each refusal says what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import tempfile
from pathlib import Path

import psutil

from webapp.embedded.errors import EmbeddedError
from webapp.embedded.locks import try_exclusive
from webapp.embedded.paths import private_directory

LEAST_FREE = 500 * 1024 * 1024  # bytes
LOOPBACK = "127.0.0.1"


def check_home(home: Path) -> None:
    """Raises EmbeddedError where the home can't be written or its disk is nearly full."""
    try:
        private_directory(home)
        private_directory(home / "run")
        with tempfile.NamedTemporaryFile(dir=home) as probe:
            probe.write(b"GoldRounds")
            probe.flush()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise EmbeddedError(_disk_full(home)) from error
        raise EmbeddedError(
            f"{home} can't be written: {error.strerror}. Give this user the right to, "
            "or choose another directory: make run GOLDROUNDS_HOME=/path/to/it"
        ) from error
    if shutil.disk_usage(home).free < LEAST_FREE:
        raise EmbeddedError(_disk_full(home))


def _disk_full(home: Path) -> str:
    free = shutil.disk_usage(home).free // 2**20
    return (
        f"The disk of {home} has {free} MB left, and {LEAST_FREE // 2**20} MB are needed. Free some space, "
        "or choose a directory on another disk: make run GOLDROUNDS_HOME=/path/to/it"
    )


def claim_instance(home: Path, url: str) -> int:
    """Become the one instance of this home; the lock's handle must stay open. Raises EmbeddedError if there is one."""
    note = home / "run" / "instance.json"
    lock = try_exclusive(home / "run" / "instance.lock")
    if lock is None:
        raise EmbeddedError(_already_running(home, note))
    note.write_text(json.dumps({"pid": os.getpid(), "url": url}), encoding="utf-8")
    return lock


def _already_running(home: Path, note: Path) -> str:
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        where = f"at {told['url']} (process {told['pid']})"
    except (FileNotFoundError, json.JSONDecodeError):
        where = "(it is just starting)"
    return (
        f"GoldRounds already runs on {home}, {where}. Use that one, stop it with Ctrl-C, "
        "or start a second one apart: make run GOLDROUNDS_HOME=/path/to/another PORT=8001"
    )


def check_port(port: int) -> None:
    """Raises EmbeddedError where somebody listens on the port, or may not."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OverflowError as error:
            raise EmbeddedError(f"PORT={port} is no port: choose one from 1024 to 65535.") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise EmbeddedError(
                    f"Port {port} is in use{_listener(port)}. Stop that program, or choose another port: "
                    f"make run PORT={port + 1}"
                ) from error
            raise EmbeddedError(
                f"Port {port} can't be used: {error.strerror}. Try make run PORT=8000."
            ) from error


def _listener(port: int) -> str:
    """Who listens there, where the system tells us."""
    try:
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            listens = connection.status == psutil.CONN_LISTEN and local and local.port == port
            if listens and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        pass  # an answer without the name is good enough
    return ""
