"""A real web server over the test database, which tests may kill and start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

from webapp.embedded import paths

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 30


class WebServer:
    """gunicorn with one worker, on a free port of the loopback; the port stays the same after a restart."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "gunicorn", "webapp.wsgi", "--bind", f"127.0.0.1:{self.port}"),
            *("--workers", "1", "--threads", "8", "--worker-class", "gthread", "--no-control-socket"),
        ]
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **_environment()}, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{self.url}/health/", timeout=2).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"The web server didn't answer within {PATIENCE_S} s.")

    def kill(self) -> None:
        """`kill -9` of the server and its worker, in the middle of whatever they do."""
        if self.process is None:
            return
        family = [
            psutil.Process(self.process.pid),
            *psutil.Process(self.process.pid).children(recursive=True),
        ]
        for member in family:
            member.send_signal(signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(family, timeout=5)
        self.process = None


def _environment() -> dict[str, str]:
    """The settings of this test session, over the test database, static files straight from the sources."""
    found = connection.settings_dict
    host = quote(str(found["HOST"]), safe="")
    port = f":{found['PORT']}" if found["PORT"] else ""
    login = f"{found['USER']}:{quote(str(found['PASSWORD']))}"
    return {
        "DATABASE_URL": f"postgresql://{login}@{host}{port}/{found['NAME']}",
        "REDIS_URL": os.environ.get("REDIS_URL") or paths.valkey_url(paths.home()),
        "SECRET_KEY": settings.SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "HTTPS": "0",
        "DEBUG": "1",
        "GOLDROUNDS_PROCESS": "web",
    }
