"""From a fresh clone in an empty directory to the first page: everything is fetched and installed. Needs a network."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import REPOSITORY, figure
from tests.embedded.instance import Instance, free_port

REPEATS = 5
LONGEST_S = 1800.0


def run() -> list[dict[str, Any]]:
    return [figure("install.first_page_s", [_seconds() for _ in range(REPEATS)], "s")]


def _seconds() -> float:
    with tempfile.TemporaryDirectory(prefix="goldrounds-install-") as directory:
        clone = Path(directory) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        instance = Instance(Path(directory) / "home", free_port(), ("make", "run"), directory=clone)
        try:
            return instance.seconds_to_page(LONGEST_S)
        finally:
            instance.stop()
