"""A round: a batch of instructions drafted with one pool version, opened to reviewers, closed with its figures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone

from annotation import assigning, gold
from annotation.agreement import wilson
from annotation.models import (
    Assignment,
    AssignmentState,
    DraftState,
    Gold,
    Round,
    RoundItem,
    RoundState,
    Slot,
)
from rubric_engine import drafting
from rubric_engine.exemplars import active_pool
from rubric_engine.models import Instruction, PoolVersion, RubricVersion
from webapp.accounts.models import Project, User
from webapp.accounts.permissions import Permission, require
from webapp.audit.log import record
from webapp.jobs.models import Job
from webapp.jobs.queue import submit
from webapp.jobs.runner import JobFailed, Work

SIZE = 500
DOUBLE_SHARE = 0.15
JUDGEABLE = 2
"""Responses that an item needs before it can yield a preference."""
DECIDED = [AssignmentState.SUBMITTED, AssignmentState.SKIPPED]


class RoundRefused(ValueError):
    """A round can't be made or moved on like this; the message says why and what to do."""


def create_round(
    *,
    actor: User,
    project: Project,
    size: int = SIZE,
    seed: int = 0,
    double_share: float = DOUBLE_SHARE,
    name: str = "",
    pool_version: PoolVersion | None = None,
    rubric_only: bool = False,
    instructions: Sequence[str] | None = None,
) -> Round:
    """Choose the items and freeze the pool version (the active one unless named).

    `instructions`: external ids; without them `size` are chosen by seed, first those that no round has had
    yet and that have two responses to compare. Bench items are never chosen. A round in which nothing can
    be judged is a rubric-only round whether asked for or not.

    Raises:
        PermissionDenied, RoundRefused.
    """
    require(actor=actor, project=project, permission=Permission.RUN_ROUNDS)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        chosen = _chosen(project, size, seed, instructions)
        if not chosen:
            raise RoundRefused("There is no instruction to review. Import instructions first.")
        number = (Round.objects.of(project).aggregate(last=Max("number"))["last"] or 0) + 1
        judgeable = Instruction.objects.of(project).filter(pk__in=chosen, responses__isnull=False)
        round = Round.rows.create(
            project=project,
            number=number,
            name=name,
            size=len(chosen),
            seed=seed,
            double_share=double_share,
            rubric_only=rubric_only or not judgeable.exists(),
            pool_version=pool_version or active_pool(project),
            created_by=actor,
        )
        RoundItem.rows.bulk_create(
            RoundItem(project=project, round=round, position=position, instruction_id=instruction)
            for position, instruction in enumerate(chosen, start=1)
        )
        what = {"number": number, "size": round.size, "seed": seed, "double_share": double_share}
        record(project=project, actor=actor, action="round.created", subject=round, new=what)
    return round


def _chosen(project: Project, size: int, seed: int, instructions: Sequence[str] | None) -> list[int]:
    """Ids in an order that the seed decides, whatever order the database has them in."""
    if size < 1:
        raise RoundRefused("A round has at least one item.")
    candidates = Instruction.objects.of(project).filter(held_out=False)
    if instructions is not None:
        wanted = list(dict.fromkeys(instructions))
        found = dict(candidates.filter(external_id__in=wanted).values_list("external_id", "pk"))
        if absent := [name for name in wanted if name not in found]:
            raise RoundRefused(
                f"{len(absent)} instructions are unknown or bench items, the first: {absent[0]!r}."
            )
        return [found[name] for name in sorted(wanted, key=lambda name: _lot(seed, name))]
    rows = candidates.annotate(
        responses_n=Count("responses"),
        reviewed=Exists(RoundItem.objects.of(project).filter(instruction=OuterRef("pk"))),
    ).values_list("pk", "external_id", "responses_n", "reviewed")
    ranked = sorted(
        rows.iterator(chunk_size=2000), key=lambda row: (row[3], row[2] < JUDGEABLE, _lot(seed, row[1]))
    )
    return [pk for pk, *_ in ranked[:size]]


def _lot(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def start_drafting(*, actor: User, round: Round) -> Job:
    """Queue the drafting of everything not drafted yet; failed drafts are tried again."""
    require(actor=actor, project=round.project, permission=Permission.RUN_ROUNDS)
    with transaction.atomic():
        current = _locked(round, RoundState.CREATED, RoundState.DRAFTED, RoundState.DRAFTING)
        items = RoundItem.objects.of(round.project).filter(round=current, draft_state=DraftState.FAILED)
        items.update(draft_state=DraftState.QUEUED, draft_error="")
        _move(actor, current, RoundState.DRAFTING)
        job = submit(
            project=round.project, actor=actor, kind="draft_round", queue="llm", subject_id=str(round.pk)
        )
    _copy(current, round)
    return job


def run_drafting(work: Work) -> None:
    """The job: draft what is still queued. Run again after a crash, it goes on where it was."""
    round = (
        Round.objects.of(work.project).select_related("project", "pool_version").get(pk=work.job.subject_id)
    )
    if round.state != RoundState.DRAFTING:
        return
    items = RoundItem.objects.of(work.project).filter(round=round)
    queued = {
        item.instruction_id: item
        for item in items.filter(draft_state=DraftState.QUEUED)
        .select_related("instruction")
        .order_by("position")
    }
    total = items.count()
    done = total - len(queued)
    work.advance(done=done, total=total)

    def on_done(instruction: Instruction, outcome: RubricVersion | drafting.DraftFailed) -> None:
        nonlocal done
        _keep_draft(queued[instruction.pk], outcome)
        done += 1
        work.advance(done=done)

    drafting.draft_items(
        project=work.project,
        instructions=[item.instruction for item in queued.values()],
        pool_version=round.pool_version,
        seed=round.seed,
        on_done=on_done,
    )
    with transaction.atomic():
        current = _locked(round, RoundState.DRAFTING)
        failed = items.filter(draft_state=DraftState.FAILED)
        if items.filter(draft_state=DraftState.QUEUED).exists():
            raise JobFailed(
                "Some items were not drafted. Start the drafting again; it goes on where it stopped."
            )
        _move(work.actor, current, RoundState.DRAFTED, failed=failed.count())


def _keep_draft(item: RoundItem, outcome: RubricVersion | drafting.DraftFailed) -> None:
    if isinstance(outcome, RubricVersion):
        item.draft, item.draft_state = outcome, DraftState.DRAFTED
    else:
        item.draft_state, item.draft_error = DraftState.FAILED, str(outcome)
    item.save(update_fields=["draft", "draft_state", "draft_error"])


def open_round(*, actor: User, round: Round, reviewers: Sequence[User] | None = None) -> Round:
    """Assign the slots by seed and open the round. Items without a draft get no slot.

    `reviewers`: only these members; without it all physicians, and adjudicators where there are too few.

    Raises:
        PermissionDenied, RoundRefused.
    """
    require(actor=actor, project=round.project, permission=Permission.RUN_ROUNDS)
    with transaction.atomic():
        current = _locked(round, RoundState.DRAFTED)
        people = assigning.reviewers_of(current.project, reviewers)
        if not people:
            raise RoundRefused("Nobody can review. Add a physician under People first.")
        items = list(
            RoundItem.objects.of(current.project)
            .filter(round=current, draft_state=DraftState.DRAFTED)
            .select_related("instruction", "draft")
            .order_by("position")
        )
        if not items:
            raise RoundRefused("No item of this round has a draft. Start the drafting again.")
        assigning.assign(current, items, people)
        current.opened_at = timezone.now()
        doubles = sum(item.double for item in items)
        _move(actor, current, RoundState.OPEN, items=len(items), doubles=doubles, reviewers=len(people))
    _copy(current, round)
    return round


@dataclass(frozen=True, slots=True)
class RoundProgress:
    """Counts of items, but for `slots` and `slots_done`. `decided` = `gold` + `skipped`."""

    items: int
    queued: int
    drafted: int
    failed: int
    gold: int
    skipped: int
    begun: int
    flagged: int
    adjudicating: int
    unassigned_adjudications: int
    slots: int
    slots_done: int

    @property
    def decided(self) -> int:
        return self.gold + self.skipped

    @property
    def undecided(self) -> int:
        return self.drafted - self.decided

    @property
    def percent(self) -> int:
        return self.slots_done * 100 // self.slots if self.slots else 0


def progress(round: Round) -> RoundProgress:
    """How far a round is, in two queries."""
    of_slot = Assignment.objects.of(round.project).filter(item=OuterRef("pk"))
    undecided = of_slot.exclude(state__in=DECIDED)
    live = Gold.objects.of(round.project).filter(item=OuterRef("pk"), withdrawn_at=None)
    is_gold, is_open, has_slot = Exists(live), Exists(undecided), Exists(of_slot)
    items = (
        RoundItem.objects.of(round.project)
        .filter(round=round)
        .annotate(is_gold=is_gold, is_open=is_open, has_slot=has_slot)
    )
    counted = items.aggregate(
        items=Count("pk"),
        queued=Count("pk", filter=Q(draft_state=DraftState.QUEUED)),
        drafted=Count("pk", filter=Q(draft_state=DraftState.DRAFTED)),
        failed=Count("pk", filter=Q(draft_state=DraftState.FAILED)),
        gold=Count("pk", filter=Q(is_gold=True)),
        skipped=Count("pk", filter=Q(is_gold=False, is_open=False, has_slot=True)),
    )
    third = Q(slot=Slot.ADJUDICATOR) & ~Q(state__in=DECIDED)
    slots = (
        Assignment.objects.of(round.project)
        .filter(item__round=round)
        .aggregate(
            slots=Count("pk"),
            slots_done=Count("pk", filter=Q(state__in=DECIDED)),
            begun=Count("item", distinct=True, filter=Q(state=AssignmentState.DRAFT)),
            flagged=Count("item", distinct=True, filter=Q(flagged=True)),
            adjudicating=Count("pk", filter=third),
            unassigned_adjudications=Count("pk", filter=third & Q(reviewer=None)),
        )
    )
    return RoundProgress(**counted, **slots)


@dataclass(frozen=True, slots=True)
class PassRates:
    """Strict and minor passes of `reviewed` items, with Wilson's 95 % intervals (None for no items).

    A doubly reviewed item counts once, after adjudication; skipped items don't count.
    """

    reviewed: int
    strict: int
    minor: int

    @property
    def strict_interval(self) -> tuple[float, float] | None:
        return wilson(self.strict, self.reviewed)

    @property
    def minor_interval(self) -> tuple[float, float] | None:
        return wilson(self.minor, self.reviewed)

    @property
    def strict_rate(self) -> float | None:
        return self.strict / self.reviewed if self.reviewed else None

    @property
    def minor_rate(self) -> float | None:
        return self.minor / self.reviewed if self.reviewed else None


def pass_rates(round: Round) -> PassRates:
    """As written when the round closed; as they stand until then."""
    if round.state == RoundState.CLOSED:
        return PassRates(round.reviewed or 0, round.strict_passes or 0, round.minor_passes or 0)
    return _counted(round)


def _counted(round: Round) -> PassRates:
    counted = (
        gold.of_project(round.project)
        .filter(item__round=round)
        .aggregate(
            reviewed=Count("pk"),
            strict=Count("pk", filter=Q(strict=True)),
            minor=Count("pk", filter=Q(minor=True)),
        )
    )
    return PassRates(**counted)


def close_round(*, actor: User, round: Round) -> Round:
    """Close a round of which every item is decided, and write its pass counts.

    Raises:
        PermissionDenied, RoundRefused: naming how many items wait, and for whom.
    """
    require(actor=actor, project=round.project, permission=Permission.RUN_ROUNDS)
    with transaction.atomic():
        current = _locked(round, RoundState.OPEN)
        state = progress(current)
        if state.undecided:
            raise RoundRefused(_what_waits(state))
        rates = _counted(current)
        current.reviewed, current.strict_passes, current.minor_passes = (
            rates.reviewed,
            rates.strict,
            rates.minor,
        )
        current.closed_at = timezone.now()
        _move(
            actor, current, RoundState.CLOSED, reviewed=rates.reviewed, strict=rates.strict, minor=rates.minor
        )
    _copy(current, round)
    return round


def reopen_round(*, actor: User, round: Round, reason: str) -> Round:
    """Open a closed round again; what is decided anew supersedes its gold."""
    require(actor=actor, project=round.project, permission=Permission.RUN_ROUNDS)
    if not reason.strip():
        raise RoundRefused("Say why the round is reopened.")
    with transaction.atomic():
        current = _locked(round, RoundState.CLOSED)
        current.closed_at = None
        _move(actor, current, RoundState.OPEN, reason=reason)
    _copy(current, round)
    return round


def _what_waits(state: RoundProgress) -> str:
    waits = f"{state.undecided} of {state.drafted} items are not decided yet"
    if state.unassigned_adjudications:
        return (
            f"{waits}; {state.unassigned_adjudications} of them wait for an adjudicator, and there is none."
        )
    if state.adjudicating:
        return f"{waits}; {state.adjudicating} of them are with an adjudicator."
    return f"{waits}. Wait for their reviewers, or have them skipped."


def _locked(round: Round, *states: RoundState) -> Round:
    """The round's present row, locked. Raises RoundRefused where it is in none of `states`."""
    current = Round.rows.select_for_update(of=("self",)).select_related("project").get(pk=round.pk)
    if current.state not in states:
        wanted = " or ".join(str(state.label).lower() for state in states)
        raise RoundRefused(
            f"The round is {current.get_state_display().lower()}; it must be {wanted} for that."
        )
    return current


def _move(actor: User | None, round: Round, state: RoundState, *, reason: str = "", **new: Any) -> None:
    old, round.state = round.state, state
    round.save()
    record(
        project=round.project,
        actor=actor,
        action=f"round.{state}",
        subject=round,
        old={"state": str(old)},
        new={"state": str(state), **new},
        reason=reason,
    )


def _copy(current: Round, round: Round) -> None:
    """What the caller holds shows what was written."""
    for field in Round._meta.concrete_fields:
        setattr(round, field.attname, getattr(current, field.attname))
