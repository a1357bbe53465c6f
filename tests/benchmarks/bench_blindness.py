"""Whether a reviewer can tell that the other one is done: from the time of an answer, or from any of its bytes.

Time: Ada accepts items of which Ben has finished a random half; the classes are mixed in one session over HTTP, with
the settling poller beside it as in production. Each item gives three times (claim, accept, item again); the figure
is the larger of the AUC of the accept alone and the cross-validated AUC of a boosted classifier over all three.
First it must catch a planted leak, a server that settles inside the accept: the whole interval above the goal (rulings, 32).
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
import uuid
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from tests.benchmarks.figures import REPOSITORY, figure
from tests.benchmarks.stage import Stage, stage

ITEMS, PLANTED_ITEMS, WORLD_ITEMS = 1200, 400, 30
GOAL = 0.55
RESAMPLES = 1000
API = "/api/v1/review"
Times = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


class NotCaught(RuntimeError):
    """The harness misses what was planted, so that its figures would say nothing."""


def run() -> list[dict[str, Any]]:
    planted = _auc(*_accepts(PLANTED_ITEMS, "tests.benchmarks.leaky_wsgi"))
    if planted[1] <= GOAL:
        raise NotCaught(
            f"a settling inside the accept gives an AUC of {planted[0]:.3f} only, from {planted[1]:.3f}"
        )
    times, finished = _accepts(ITEMS, "webapp.wsgi")
    low, high = _auc(times, finished)[1:]
    value = _auc(times, finished)[0]
    with stage() as here:
        told = json.loads(here.last_line("-m", "tests.benchmarks.blindness_data", "worlds", str(WORLD_ITEMS)))
    if not told["planted"]:
        raise NotCaught("a planted count of decided items changed no byte")
    auc = figure(
        "review.blindness_timing_auc", [value], "AUC", goal=f"<= {GOAL}", baseline=f"planted {planted[0]:.2f}"
    )
    differing = figure("review.blindness_differing_bytes", [told["differing"]], "bytes", goal="<= 0")
    return [
        {**auc, "n": len(finished), "spread": [round(low, 4), round(high, 4)]},
        {**differing, "n": told["responses"], "baseline": f"planted {told['planted']}"},
    ]


def _accepts(items: int, application: str) -> tuple[Times, Labels]:
    """(seconds of claim, accept and item again; whether the other slot was done), by item."""
    with stage() as here:
        made = json.loads(here.last_line("-m", "tests.benchmarks.blindness_data", "make", str(items)))
        with here.web(application) as (port, _), _Poller(here):
            times, order = _day(port, made)
    done = set(made["finished"])
    return times, np.array([one in done for one in order])


class _Poller:
    """The settling of what is due, every two seconds, beside the web server."""

    def __init__(self, here: Stage) -> None:
        self.here = here

    def __enter__(self) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.blindness_data", "settle"]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, env=self.here.environment)

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def _day(port: int, made: dict[str, Any]) -> tuple[Times, list[str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {
        "Cookie": f"sessionid={made['session']}; csrftoken={made['csrf']}",
        "X-CSRFToken": made["csrf"],
        "Content-Type": "application/json",
    }

    def ask(method: str, path: str, body: Any = None, **more: str) -> tuple[float, Any]:
        began = time.perf_counter()
        connection.request(method, API + path, json.dumps(body or {}), {**headers, **more})
        response = connection.getresponse()
        answer = response.read()
        took = time.perf_counter() - began
        if response.status not in {200, 204}:
            raise RuntimeError(f"{path}: {response.status} {answer[:300]!r}")
        return took, json.loads(answer) if answer else None

    times: list[tuple[float, float, float]] = []
    order: list[str] = []
    while True:
        claim_s, item = ask("POST", f"/rounds/{made['round']}/claim")
        if item is None:
            return np.array(times), order
        body = {"operation_id": str(uuid.uuid4()), "kind": "accept", "payload": {}, "fence": item["fence"]}
        path = f"/items/{item['id']}"
        accept_s, _ = ask("POST", f"{path}/operations", body, **{"If-Match": f'"{item["revision"]}"'})
        again_s, _ = ask("GET", path)
        times.append((claim_s, accept_s, again_s))
        order.append(item["id"])


def _auc(times: Times, finished: Labels) -> tuple[float, float, float]:
    """The AUC of the better attack, 0.5 where neither knows anything, with its 95 % bootstrap interval."""
    learned = cross_val_predict(
        HistGradientBoostingClassifier(max_depth=3, random_state=0),
        times,
        finished,
        cv=10,
        method="predict_proba",
    )[:, 1]
    attacks = [times[:, 1], learned]
    best = max(attacks, key=lambda scores: roc_auc_score(finished, scores))
    dice = np.random.default_rng(0)
    draws = []
    for _ in range(RESAMPLES):
        drawn = dice.integers(0, len(finished), len(finished))
        draws.append(roc_auc_score(finished[drawn], best[drawn]))
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(roc_auc_score(finished, best)), float(low), float(high)
