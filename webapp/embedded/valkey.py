"""The embedded Valkey: a broker on a Unix socket whose queue survives a crash (append-only file)."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import psutil

from webapp.embedded import processes
from webapp.embedded.binaries import valkey_server
from webapp.embedded.errors import EmbeddedError
from webapp.embedded.paths import private_directory, run_dir, valkey_data, valkey_socket

NAME = "valkey"
START_SECONDS = 60.0
STOP_SECONDS = 15.0


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_config(home: Path) -> Path:
    path = private_directory(valkey_data(home)) / "valkey.conf"
    lines = [
        "port 0",
        f"unixsocket {_quoted(valkey_socket(home))}",
        "unixsocketperm 700",
        f"dir {_quoted(valkey_data(home))}",
        "daemonize no",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def answers(home: Path) -> bool:
    """Whether the server answers a PING, so neither absent nor still loading its data."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(str(valkey_socket(home)))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def running(home: Path) -> psutil.Process | None:
    return processes.find_remembered(home, NAME)


def start(home: Path) -> psutil.Process:
    """Start the server, or find the one that already runs on this home. Raises EmbeddedError with the log's end."""
    private_directory(run_dir(home))
    process = running(home) or processes.spawn(home, NAME, [str(valkey_server()), str(write_config(home))])
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if answers(home):
            return process
        if not processes.is_alive(process):
            break
        time.sleep(0.02)
    raise EmbeddedError(
        f"Valkey did not start. Its log, {processes.log_path(home, NAME)}, ends:\n{processes.log_tail(home, NAME)}"
    )


def stop(home: Path) -> None:
    """SIGTERM lets it write its append-only file; a server that does not end is killed."""
    process = running(home)
    if process is not None:
        processes.send([process], signal.SIGTERM)
        processes.send(processes.wait_for_end([process], STOP_SECONDS), signal.SIGKILL)
    processes.forget(home, NAME)
