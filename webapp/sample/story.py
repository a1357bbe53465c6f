"""What happens behind the first page: the sample's rounds, snapshot and trainings, each step for real.

`advance` takes the next due step and returns; beat calls it every few seconds. Where the story stands is
read from the rows themselves, so it goes on after any kill and does nothing once it is told.
"""

from __future__ import annotations

import json
import random
import uuid
from functools import cache
from pathlib import Path

from django.db import transaction

from annotation import queue, reviews, rounds
from annotation.models import Assignment, AssignmentState, Round, RoundState, Slot
from rubric_engine.exemplars import activate_pool, active_pool, freeze_pool
from rubric_engine.models import Response, RubricKind, RubricVersion, Verdict
from training import runs, snapshots
from training.models import AttemptState, Run, RunKind, Snapshot, SnapshotState
from webapp.accounts.models import Project, User
from webapp.sample.decisions import operations_towards
from webapp.sample.signins import PROJECT_SLUG

PACK = Path(__file__).parent
FIRST_ROUND, SECOND_ROUND = "Sample round 1", "Sample round 2"
SNAPSHOT = "Sample gold"
FIRST_SIZE = 40
REVIEWED_OF_SECOND = 6
ITEMS_PER_STEP = 6
SEED = 7


def advance() -> str | None:
    """Take the next step of the story, or return None where nothing is due."""
    project = Project.objects.filter(slug=PROJECT_SLUG).first()
    if project is None:
        return None
    lead = User.objects.get(username="lead")
    return _rounds(project, lead) or _models(project, lead)


def _rounds(project: Project, lead: User) -> str | None:
    first = Round.objects.of(project).filter(name=FIRST_ROUND).first()
    if first is None:
        return (
            _begin(project, lead, FIRST_ROUND, _pack()[:FIRST_SIZE]) if _pack_is_imported(project) else None
        )
    if first.state == RoundState.DRAFTED:
        return _open(lead, first)
    if first.state == RoundState.OPEN:
        if _review(project, first, ITEMS_PER_STEP):
            return "reviewed items of the first round"
        rounds.close_round(actor=lead, round=first)
        return "closed the first round"
    if first.state != RoundState.CLOSED:
        return None
    if active_pool(project) is None:
        activate_pool(actor=lead, pool_version=freeze_pool(actor=lead, project=project))
        return "froze and activated the pool"
    second = Round.objects.of(project).filter(name=SECOND_ROUND).first()
    if second is None:
        return _begin(project, lead, SECOND_ROUND, _pack()[FIRST_SIZE:])
    if second.state == RoundState.DRAFTED:
        return _open(lead, second)
    begun = Assignment.objects.of(project).filter(item__round=second, state=AssignmentState.SUBMITTED)
    if second.state == RoundState.OPEN and not begun.exists():
        return "reviewed some" if _review(project, second, REVIEWED_OF_SECOND) else None
    return None


def _models(project: Project, lead: User) -> str | None:
    if not Round.objects.of(project).filter(name=SECOND_ROUND, state=RoundState.OPEN).exists():
        return None
    snapshot = Snapshot.objects.of(project).filter(name=SNAPSHOT).order_by("number").first()
    if snapshot is None:
        snapshots.freeze(actor=lead, project=project, name=SNAPSHOT, options={})
        return "asked for a snapshot"
    return _trainings(project, lead, snapshot) if snapshot.state == SnapshotState.FROZEN else None


def _trainings(project: Project, lead: User, snapshot: Snapshot) -> str | None:
    reward_model = _run(snapshot, RunKind.REWARD_MODEL)
    if reward_model is None:
        runs.launch(
            actor=lead, project=project, kind=RunKind.REWARD_MODEL, preset="embedded-rm", snapshot=snapshot
        )
        return "launched the reward model"
    if stopped := _stopped_with_the_machine(snapshot):
        runs.resume(actor=lead, run=stopped)
        return "took a training up again"
    if not _succeeded(reward_model) or _run(snapshot, RunKind.POLICY) is not None:
        return None
    runs.launch(
        actor=lead,
        project=project,
        kind=RunKind.POLICY,
        preset="embedded-grpo",
        snapshot=snapshot,
        reward_model=reward_model,
    )
    return "launched the policy"


def _run(snapshot: Snapshot, kind: RunKind) -> Run | None:
    return Run.objects.of(snapshot.project).filter(snapshot=snapshot, kind=kind).order_by("number").first()


def _stopped_with_the_machine(snapshot: Snapshot) -> Run | None:
    """A training of the story that Ctrl-C has ended, which nobody asked to cancel."""
    for kind in (RunKind.REWARD_MODEL, RunKind.POLICY):
        run = _run(snapshot, kind)
        last = run.attempts.order_by("-number").first() if run else None
        if run and last and last.state == AttemptState.CANCELLED and not run.cancel_requested:
            return run
    return None


def _succeeded(run: Run) -> bool:
    return run.attempts.filter(state=AttemptState.SUCCEEDED).exists()


@cache
def _pack() -> list[str]:
    """The ids of the pack's instructions, shuffled: what a person imports meanwhile is none of the story's."""
    with (PACK / "instructions.jsonl").open(encoding="utf-8") as lines:
        ids = sorted(json.loads(line)["id"] for line in lines)
    random.Random(SEED).shuffle(ids)
    return ids


def _pack_is_imported(project: Project) -> bool:
    rubrics = RubricVersion.objects.of(project).filter(
        kind=RubricKind.SOURCE, instruction__external_id__in=_pack()
    )
    return rubrics.count() >= len(_pack())


def _begin(project: Project, lead: User, name: str, instructions: list[str]) -> str:
    round = rounds.create_round(actor=lead, project=project, seed=SEED, name=name, instructions=instructions)
    rounds.start_drafting(actor=lead, round=round)
    return f"created {name}"


def _open(lead: User, round: Round) -> str:
    rounds.open_round(actor=lead, round=round)
    return f"opened {round.name}"


def _review(project: Project, round: Round, most: int) -> int:
    """Decide up to `most` open assignments as their reviewers would. Returns how many."""
    waiting = (
        Assignment.objects.of(project)
        .filter(item__round=round)
        .exclude(state=AssignmentState.SUBMITTED)
        .exclude(reviewer=None)
        .select_related("item__instruction", "reviewer")
        .order_by("slot", "item__position")[:most]
    )
    decided = list(waiting)
    for assignment in decided:
        with transaction.atomic():
            _decide(assignment)
    return len(decided)


def _decide(assignment: Assignment) -> None:
    reviewer = assignment.reviewer
    assert reviewer is not None
    instruction = assignment.item.instruction
    truth = RubricVersion.rows.filter(instruction=instruction, kind=RubricKind.SOURCE).order_by("pk")[0]
    names = {response.pk: response for response in Response.rows.filter(instruction=instruction)}
    letters = {pk: chr(ord("A") + place) for place, pk in enumerate(assignment.response_order)}
    met = {
        (verdict.criterion.key, letters[verdict.response_id]): verdict.met
        for verdict in Verdict.rows.filter(criterion__rubric=truth).select_related("criterion")
        if verdict.response_id in letters and verdict.response_id in names
    }
    if assignment.slot == Slot.SECOND:
        met = _with_a_doubt(met, seed=str(assignment.item_id))
    held = queue.renew_lease(actor=reviewer, assignment_id=assignment.pk)
    revision = held.revision
    for kind, payload in operations_towards(held.document, truth.value(), met, seed=str(assignment.item_id)):
        applied = reviews.apply_operation(
            actor=reviewer,
            assignment_id=assignment.pk,
            operation_id=uuid.uuid4(),
            kind=kind,
            payload=payload,
            if_match=revision,
            fence=held.fence,
            active_ms=0,
        )
        revision = applied.revision


def _with_a_doubt(met: dict[tuple[str, str], bool], *, seed: str) -> dict[tuple[str, str], bool]:
    """The second reviewer's view: on about every third item one verdict differs, to be settled."""
    dice = random.Random(seed)
    if dice.random() > 1 / 3 or not met:
        return met
    doubted = dice.choice(sorted(met))
    return {**met, doubted: not met[doubted]}
