"""Lines for the person at the terminal."""

from __future__ import annotations

import contextlib


def say(line: str) -> None:
    """Print at once. A terminal that was closed must not keep us from stopping what we started."""
    with contextlib.suppress(OSError):
        print(line, flush=True)
