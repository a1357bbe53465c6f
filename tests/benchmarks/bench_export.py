"""Export of 50,000 rows: freezing them into files, and downloading a file over REST, in flat memory.

Each freeze runs in a process of its own, so that its peak memory is its own; the download comes from gunicorn as in
production, and the peak is that of its largest worker.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import psutil

from tests.benchmarks.figures import figure
from tests.benchmarks.stage import stage

ROWS, REPEATS = 50_000, 5
CHUNK = 1 << 20


def run() -> list[dict[str, Any]]:
    with stage() as here:
        freezes = [
            json.loads(here.last_line("-m", "tests.benchmarks.export_data", str(ROWS)))
            for _ in range(REPEATS)
        ]
        with here.web() as (port, process):
            downloads = [_download(port, process, freezes[-1]) for _ in range(REPEATS)]
    return [
        figure("export.rows_per_s", [one["rows"] / one["seconds"] for one in freezes], "rows/s"),
        figure("export.mb_per_s", [one["megabytes"] / one["seconds"] for one in freezes], "MB/s"),
        figure(
            "export.peak_memory_mb",
            [one["rss_peak_mb"] for one in freezes],
            "MB",
            goal="<= 300",
            baseline=f"at rest {freezes[-1]['rss_before_mb']:.0f} MB; streamed Parquet alone 284 MB (platform.md)",
        ),
        figure("export.download_mb_per_s", [rate for rate, _ in downloads], "MB/s"),
        figure("export.download_memory_mb", [grown for _, grown in downloads], "MB above rest", goal="<= 20"),
    ]


def _download(port: int, server: psutil.Process, made: dict[str, Any]) -> tuple[float, float]:
    """MB/s of one file, and by how much the server's memory grew meanwhile."""
    before, most, size = _memory_mb(server), 0.0, 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    began = time.perf_counter()
    connection.request("GET", made["address"], headers={"Authorization": f"Bearer {made['token']}"})
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"{made['address']}: {response.status} {response.read(300)!r}")
    while chunk := response.read(CHUNK):
        size += len(chunk)
        if size % (32 * CHUNK) < CHUNK:
            most = max(most, _memory_mb(server))
    seconds = time.perf_counter() - began
    connection.close()
    if size != made["bytes"]:
        raise RuntimeError(f"{size} of {made['bytes']} bytes came")
    return size / 1e6 / seconds, max(0.0, most - before)


def _memory_mb(server: psutil.Process) -> float:
    return sum(one.memory_info().rss for one in [server, *server.children(recursive=True)]) / 1e6
