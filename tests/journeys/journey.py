"""The journey: import → round → review → gold → pool → second round → snapshot → reward model → policy.

Everything goes over HTTP to a running product; physicians are simulated from the source rubrics (they are the
truth) with seeded slips. The same code runs short in `make test` and whole in `make journey`.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.journeys.client import Client, wait_for
from tests.journeys.stack import Person, Stack
from tests.simulated_physician import SimulatedPhysician

PEOPLE = [
    ("robin", "admin"),
    ("lena", "lead"),
    ("ada", "physician"),
    ("ben", "physician"),
    ("cleo", "physician"),
    ("dan", "adjudicator"),
]


@dataclass(frozen=True)
class Plan:
    """How large a journey is. `overrides`: fields of the run configs, to make a short one short."""

    files: Sequence[tuple[str, Path]]
    sizes: Sequence[int]
    first_items: Sequence[str] = ()
    rm_preset: str = "embedded-rm"
    grpo_preset: str = "embedded-grpo"
    double_share: float = 0.15
    stage_s: float = 900.0


@dataclass
class Findings:
    """What a journey found: seconds per stage, and whatever each stage says of itself."""

    seconds: dict[str, float] = field(default_factory=dict)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    imports: dict[str, dict[str, Any]] = field(default_factory=dict)
    snapshot: dict[str, Any] = field(default_factory=dict)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 2)
        print(f"{name:<28} {self.seconds[name]:>9.2f} s", flush=True)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def truths(plan: Plan) -> list[dict[str, Any]]:
    """The source rubrics of the plan's rubric files, by which the simulated physicians decide."""
    return [row for kind, path in plan.files if kind == "rubrics" for row in rows(path)]


def travel(stack: Stack, plan: Plan, *, slug: str = "journey", directory: Path) -> Findings:
    """Walk the whole loop. Raises Refused at the first stage that does not do what it should."""
    found = Findings()
    people = stack.create_project(slug, PEOPLE)
    lead = Client(stack.url, slug, people["lena"].token)
    _import(lead, plan, found)
    known = truths(plan)
    for number, size in enumerate(plan.sizes, start=1):
        items = [row["instruction_id"] for row in _choose(known, plan, number, size)]
        _round(stack, lead, people, plan, known, items, number, found)
        with found.stage(f"pool {number}"):
            lead.post("/pool-versions")
    snapshot = _snapshot(lead, plan, found, directory)
    _train(lead, plan, snapshot, found)
    return found


def _import(lead: Client, plan: Plan, found: Findings) -> None:
    for kind, path in plan.files:
        with found.stage(f"import {path.name}"):
            made = lead.upload(path, kind=kind)
            ended = wait_for(
                partial(lead.get, f"/imports/{made['id']}"),
                done={"imported"},
                failed={"refused"},
                within_s=plan.stage_s,
                what=f"import of {path.name}",
            )
        found.imports[path.name] = ended


def _choose(known: list[dict[str, Any]], plan: Plan, number: int, size: int) -> list[dict[str, Any]]:
    """The items of a round: those asked for first, then the others in file order, none twice."""
    unique = {row["instruction_id"]: row for row in known}
    first = [unique[name] for name in plan.first_items if name in unique]
    rest = [row for name, row in unique.items() if name not in set(plan.first_items)]
    ordered = first + rest
    before = sum(plan.sizes[: number - 1])
    return ordered[before : before + size]


def _round(
    stack: Stack,
    lead: Client,
    people: dict[str, Person],
    plan: Plan,
    known: list[dict[str, Any]],
    items: list[str],
    number: int,
    found: Findings,
) -> None:
    with found.stage(f"round {number} drafted"):
        made = lead.post(
            "/rounds",
            {
                "size": len(items),
                "instructions": items,
                "seed": number,
                "double_share": plan.double_share,
                "name": f"Journey {number}",
            },
        )
        path = f"/rounds/{made['id']}"
        lead.post(f"{path}/draft")
        wait_for(
            lambda: lead.get(path),
            done={"drafted"},
            failed={"closed"},
            within_s=plan.stage_s,
            what="drafting",
        )
    with found.stage(f"round {number} reviewed"):
        lead.post(f"{path}/open")
        reviewers = [person for person in people.values() if person.role == "physician"]
        decide = [
            SimulatedPhysician(stack.url, person.token, known, seed=place)
            for place, person in enumerate(reviewers)
        ]
        with ThreadPoolExecutor(len(decide)) as desk:
            list(desk.map(lambda physician: physician.review_round(made["id"]), decide))
        SimulatedPhysician(stack.url, people["dan"].token, known, seed=99, slips=0.0).review_round(made["id"])
    with found.stage(f"round {number} closed"):
        found.rounds.append(lead.post(f"{path}/close"))


def _snapshot(lead: Client, plan: Plan, found: Findings, directory: Path) -> dict[str, Any]:
    with found.stage("snapshot frozen"):
        made = lead.post("/snapshots", {"name": "Journey"})
        path = f"/snapshots/{made['id']}"
        frozen = wait_for(
            lambda: lead.get(path), done={"frozen"}, failed={"failed"}, within_s=plan.stage_s, what="freeze"
        )
    with found.stage("snapshot downloaded"):
        for name in ("preferences.jsonl", "trl_reward.jsonl", "preferences.parquet"):
            lead.download(f"{path}/files/{name}", directory / name)
    found.snapshot = frozen
    return frozen


def _train(lead: Client, plan: Plan, snapshot: dict[str, Any], found: Findings) -> None:
    def run(kind: str, preset: str, stage: str, **more: Any) -> dict[str, Any]:
        with found.stage(stage):
            made = lead.post("/runs", {"kind": kind, "preset": preset, "snapshot": snapshot["id"], **more})
            ended = wait_for(
                lambda: lead.get(f"/runs/{made['id']}"),
                done={"succeeded"},
                failed={"failed", "cancelled", "lost"},
                within_s=plan.stage_s,
                what=stage,
            )
        found.reports[stage] = lead.get(f"/runs/{ended['id']}/report")
        return ended

    reward_model = run("rm", plan.rm_preset, "reward model trained")
    run("evaluation", "evaluation-rm", "reward model evaluated", evaluates=reward_model["id"])
    policy = run("grpo", plan.grpo_preset, "policy trained", reward_model=reward_model["id"])
    run(
        "evaluation",
        "evaluation-policy",
        "policy evaluated",
        evaluates=policy["id"],
        reward_model=reward_model["id"],
    )
