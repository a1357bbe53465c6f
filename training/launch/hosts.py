"""What this host is and has: its name and its GPUs, reported into a row for those who choose presets."""

from __future__ import annotations

import socket
import subprocess
import time
from functools import lru_cache

from django.utils import timezone

from training.models import TrainerHost

_GPUS_KNOWN_FOR_S = 60


def this_host() -> str:
    return socket.gethostname()[:120]


def report() -> None:
    """Say that this host trains, and with what."""
    TrainerHost.objects.update_or_create(
        host=this_host(), defaults={"gpus": gpus(), "seen_at": timezone.now()}
    )


def gpus() -> list[dict[str, str | int]]:
    """[{name, memory_mb}] from nvidia-smi; empty without it. Asked at most once a minute."""
    return [dict(gpu) for gpu in _gpus(int(time.monotonic() // _GPUS_KNOWN_FOR_S))]


@lru_cache(maxsize=1)
def _gpus(_minute: int) -> tuple[dict[str, str | int], ...]:
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = (line.rsplit(",", 1) for line in said.splitlines() if "," in line)
    return tuple({"name": name.strip(), "memory_mb": int(memory)} for name, memory in rows)
