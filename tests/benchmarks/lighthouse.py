"""Lighthouse, where it is installed: a development tool of its own, found by PATH or named by LIGHTHOUSE.

It looks through a browser that is signed in already, so that it measures the screen and not the sign-in page.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import Any

CATEGORIES = ("performance", "accessibility", "best-practices")
RUNS, TRIES = 3, 3
NOTEWORTHY = 0.9
ABSENT = "no Lighthouse on this machine (npm install lighthouse; LIGHTHOUSE=…/node_modules/.bin/lighthouse)"


def binary() -> str | None:
    return os.environ.get("LIGHTHOUSE") or shutil.which("lighthouse")


def scores(lighthouse: str, url: str, *, port: int, report: Path) -> dict[str, float]:
    """The median of RUNS scores of 0 to 100 by category, of `url` in the browser that listens on `port`."""
    runs = [_run(lighthouse, url, port, report) for _ in range(RUNS)]
    _say_what_is_wrong(url, runs[-1])
    return {
        name: statistics.median(100 * told["categories"][name]["score"] for told in runs)
        for name in CATEGORIES
    }


def _run(lighthouse: str, url: str, port: int, report: Path) -> dict[str, Any]:
    """On a busy machine a trace may miss the beginning of the navigation: then it is taken again."""
    command = [
        *(lighthouse, url, f"--port={port}", "--preset=desktop", "--quiet", "--disable-storage-reset"),
        *(f"--only-categories={','.join(CATEGORIES)}", "--output=json", f"--output-path={report}"),
    ]
    for _ in range(TRIES):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            return told
    raise RuntimeError(f"Lighthouse at {url}:\n{done.stderr[-2000:]}")


def _say_what_is_wrong(url: str, told: dict[str, Any]) -> None:
    for name in CATEGORIES:
        for reference in told["categories"][name]["auditRefs"]:
            audit = told["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < NOTEWORTHY:
                items = audit.get("details", {}).get("items", [])
                said = [str(item.get("description", ""))[:120] for item in items[:3]]
                print(
                    f"  {name} {audit['score']}: {audit['title']} {audit.get('displayValue') or said} at {url}"
                )
