"""Server time of one save and of the next item, against gunicorn and PostgreSQL as in production.

Reviewers are threads with one kept-alive connection each and a session, as the screen has. "Next" is a
claim: a lease and the whole item. Every figure is the median over windows, with the spread between them.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.benchmarks.figures import figure
from tests.benchmarks.stage import stage
from webapp.embedded import postgres, valkey
from webapp.embedded.paths import postgres_url

REVIEWERS, ITEMS = 64, 40
THINK_S = 3.0
WINDOWS = 5
THINKING_WINDOW_S, SATURATED_WINDOW_S = 9.0, 4.0
API = "/api/v1/review"
CRITERIA, LETTERS = [f"c{place}" for place in range(10)], "ABC"


@dataclass
class Server:
    port: int
    home: Path
    gunicorn: psutil.Process
    round_id: str
    people: list[dict[str, str]]

    def cpu_s(self) -> float:
        """Processor seconds spent so far by gunicorn, PostgreSQL and Valkey, ended children included."""
        roots = [self.gunicorn, postgres.running(self.home), valkey.running(self.home)]
        total = 0.0
        for root in roots:
            if root is None:
                continue
            ended = root.cpu_times()
            total += ended.children_user + ended.children_system
            for process in [root, *root.children(recursive=True)]:
                try:
                    spent = process.cpu_times()
                except psutil.NoSuchProcess:
                    continue  # counted in its parent's children from now on
                total += spent.user + spent.system
        return total

    def give_back_leases(self) -> None:
        with psycopg.connect(postgres_url(self.home), autocommit=True) as connection:
            connection.execute("UPDATE annotation_assignment SET lease_until = NULL")


@dataclass
class Reviewer:
    """One window: claims items and saves verdicts; keeps (when it ended, seconds) of each."""

    server: Server
    person: dict[str, str]
    dice: random.Random
    item: dict[str, Any] = field(default_factory=dict)
    saves: list[tuple[float, float]] = field(default_factory=list)
    nexts: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        cookie = f"sessionid={self.person['session']}; csrftoken={self.person['csrf']}"
        self.headers = {
            "Cookie": cookie,
            "X-CSRFToken": self.person["csrf"],
            "Content-Type": "application/json",
        }

    def next_item(self) -> None:
        took, answer = self._post(f"/rounds/{self.server.round_id}/claim", {}, {})
        self.nexts.append(took)
        if answer is not None:
            self.item = answer

    def save(self) -> None:
        body = {
            "operation_id": str(uuid.uuid4()),
            "kind": "set_verdict",
            "payload": {
                "key": self.dice.choice(CRITERIA),
                "response": self.dice.choice(LETTERS),
                "met": self.dice.random() < 0.5,
            },
            "fence": self.item["fence"],
            "active_ms": 900,
        }
        path = f"/items/{self.item['id']}/operations"
        took, answer = self._post(path, body, {"If-Match": f'"{self.item["revision"]}"'})
        self.saves.append(took)
        self.item["revision"] = answer["revision"]

    def _post(self, path: str, body: dict[str, Any], more: dict[str, str]) -> tuple[tuple[float, float], Any]:
        raw = json.dumps(body)
        for attempt in (1, 2):
            began = time.perf_counter()
            try:
                self.connection.request("POST", API + path, raw, {**self.headers, **more})
                response = self.connection.getresponse()
                answer = response.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()  # kept alive for less long than a reviewer thinks
                if attempt == 2:
                    raise
        ended = time.perf_counter()
        if response.status not in {200, 204}:
            raise RuntimeError(f"{path}: {response.status} {answer[:300]!r}")
        return (ended, ended - began), json.loads(answer) if answer else None


def run() -> list[dict[str, Any]]:
    with review_server() as server:
        figures = []
        for people in (16, 64):
            crew = _thinking(server, people)
            figures += [
                _latency(f"review.save_p50_ms_{people}", [one.saves for one in crew], 0.50, None),
                _latency(
                    f"review.save_p95_ms_{people}",
                    [one.saves for one in crew],
                    0.95,
                    "<= 100" if people == 64 else None,
                ),
                _latency(f"review.next_p50_ms_{people}", [one.nexts for one in crew], 0.50, None),
                _latency(
                    f"review.next_p95_ms_{people}",
                    [one.nexts for one in crew],
                    0.95,
                    "<= 100" if people == 64 else None,
                ),
            ]
        return figures + _saturated(server)


def _thinking(server: Server, people: int) -> list[Reviewer]:
    """Save, think, next, think: each person in a rhythm of their own."""

    def work(reviewer: Reviewer, until: float) -> None:
        time.sleep(reviewer.dice.random() * THINK_S)
        while time.perf_counter() < until:
            reviewer.save()
            time.sleep(THINK_S)
            reviewer.next_item()
            time.sleep(THINK_S)

    return _crew(server, people, WINDOWS * THINKING_WINDOW_S, work)[0]


def _saturated(server: Server) -> list[dict[str, Any]]:
    def saves(reviewer: Reviewer, until: float) -> None:
        while time.perf_counter() < until:
            reviewer.save()

    def both(reviewer: Reviewer, until: float) -> None:
        while time.perf_counter() < until:
            reviewer.next_item()
            reviewer.save()

    crew, _ = _crew(server, REVIEWERS, WINDOWS * SATURATED_WINDOW_S, saves)
    rates = [len(window) / SATURATED_WINDOW_S for window in _windows([one.saves for one in crew])]
    costs, next_s = [], []
    for _ in range(WINDOWS):
        crew, cpu = _crew(server, REVIEWERS, SATURATED_WINDOW_S, both)
        costs.append(1000 * cpu / sum(len(one.saves) for one in crew))
        next_s.append([spent for one in crew for _, spent in one.nexts])
    p95 = [1000 * _quantile(window, 0.95) for window in next_s]
    return [
        figure(
            "review.saves_per_s_saturated_64",
            rates,
            "saves/s",
            goal=">= 200",
            baseline="Potato 23, doccano 14",
        ),
        _latency("review.save_p95_ms_saturated_64", [one.saves for one in crew], 0.95, None),
        figure("review.next_p95_ms_saturated_64", p95, "ms"),
        figure(
            "review.server_cpu_ms_per_next_and_save",
            costs,
            "ms",
            goal="<= 15",
            baseline="Potato 39, doccano 54",
        ),
    ]


def _crew(
    server: Server, people: int, seconds: float, work: Callable[[Reviewer, float], None]
) -> tuple[list[Reviewer], float]:
    """Run `work` in one thread per reviewer. Returns them, and the server's processor seconds meanwhile."""
    server.give_back_leases()
    crew = [
        Reviewer(server, person, random.Random(place)) for place, person in enumerate(server.people[:people])
    ]
    for reviewer in crew:
        reviewer.next_item()
        reviewer.save()
        reviewer.nexts.clear()
        reviewer.saves.clear()
    faults: list[Exception] = []

    def guarded(reviewer: Reviewer, until: float) -> None:
        try:
            work(reviewer, until)
        except Exception as fault:  # noqa: BLE001  (raised again below, in the thread that measures)
            faults.append(fault)

    before, until = server.cpu_s(), time.perf_counter() + seconds
    threads = [threading.Thread(target=guarded, args=(reviewer, until)) for reviewer in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return crew, server.cpu_s() - before


def _windows(samples: Sequence[Sequence[tuple[float, float]]]) -> list[list[float]]:
    """Seconds of each request, in WINDOWS equal parts of the time that they ended in."""
    flat = sorted(sample for one in samples for sample in one)
    first, last = flat[0][0], flat[-1][0]
    windows: list[list[float]] = [[] for _ in range(WINDOWS)]
    for ended, spent in flat:
        windows[min(WINDOWS - 1, int(WINDOWS * (ended - first) / ((last - first) or 1)))].append(spent)
    return windows


def _latency(
    name: str, samples: Sequence[Sequence[tuple[float, float]]], quantile: float, goal: str | None
) -> dict[str, Any]:
    values = [1000 * _quantile(window, quantile) for window in _windows(samples) if window]
    return figure(name, values, "ms", goal=goal)


def _quantile(values: Sequence[float], share: float) -> float:
    if len(values) < 2:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


@contextmanager
def review_server(reviewers: int = REVIEWERS, items: int = ITEMS, *, pages: bool = False) -> Iterator[Server]:
    """gunicorn as in production over an open round of `reviewers` × `items`; `pages`: with static files."""
    with stage() as here:
        made = json.loads(here.last_line("-m", "tests.benchmarks.review_data", str(reviewers), str(items)))
        if pages:
            here.python("manage.py", "collectstatic", "--no-input", "-v", "0", "--ignore", "rest_framework")
        with here.web() as (port, gunicorn):
            yield Server(port, here.home, gunicorn, made["round"], made["reviewers"])
