"""gunicorn's settings, for `make run` and for the container alike; the address comes on the command line."""

from __future__ import annotations

from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")

worker_class = "gthread"
workers = 2
threads = 8
timeout = 60
graceful_timeout = 8
control_socket_disable = True
keepalive = 5
accesslog = None
errorlog = "-"
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
"""A worker's sign of life is a touched file: on a slow disk it would look dead."""
