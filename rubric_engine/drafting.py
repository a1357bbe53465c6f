"""Drafts: a rubric of valid shape for an instruction, from an endpoint or composed from gold, and how it came about.

Which drafter is used follows from settings and the project: an endpoint where one is set and the project's text
may be sent there, else retrieval; both learn from the same pool and record which exemplars shaped the draft.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import transaction

from rubric_engine.drafters import (
    RETRIEVAL,
    TEMPLATE,
    Drafted,
    Drafter,
    DraftFailed,
    EndpointDrafter,
    RetrievalDrafter,
    TemplateDrafter,
)
from rubric_engine.llm.calls import Call
from rubric_engine.models import (
    Criterion,
    Draft,
    DraftExemplar,
    Instruction,
    LlmCall,
    PoolVersion,
    RubricKind,
    RubricVersion,
)
from webapp.accounts.models import Project

__all__ = [
    "RETRIEVAL",
    "TEMPLATE",
    "DraftFailed",
    "draft_item",
    "draft_items",
    "drafter_name",
    "endpoint_is_set",
    "label",
]

OnDone = Callable[[Instruction, RubricVersion | DraftFailed], None]


def endpoint_is_set() -> bool:
    return bool(settings.ENV.llm_base_url and settings.ENV.llm_model)


def drafter_name(project: Project | None = None) -> str:
    """`retrieval`, or the name of the endpoint's model."""
    if endpoint_is_set() and (project is None or project.sends_to_endpoint):
        return str(settings.ENV.llm_model)
    return RETRIEVAL


def label(drafter: str) -> str:
    """What a draft is called wherever it is shown."""
    named = {
        RETRIEVAL: "Composed from gold by retrieval",
        TEMPLATE: "Generic template, not drafted for this item",
    }
    return named.get(drafter, f"Drafted by {drafter}")


def draft_item(
    *, project: Project, instruction: Instruction, pool_version: PoolVersion | None, seed: int
) -> RubricVersion:
    """Draft one item.

    Raises:
        DraftFailed: with the reason to show.
    """
    outcomes: list[RubricVersion | DraftFailed] = []
    draft_items(
        project=project,
        instructions=[instruction],
        pool_version=pool_version,
        seed=seed,
        on_done=lambda _, outcome: outcomes.append(outcome),
    )
    outcome = outcomes[0]
    if isinstance(outcome, DraftFailed):
        raise outcome
    return outcome


def draft_items(
    *,
    project: Project,
    instructions: Sequence[Instruction],
    pool_version: PoolVersion | None,
    seed: int,
    on_done: OnDone,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Draft many. `on_done` is called in the transaction that writes the draft, once for each instruction.

    Where `should_stop` says so, no further item is begun; those under way at an endpoint are finished.
    """
    drafter = _drafter(project, pool_version, should_stop)
    for instruction, outcome, calls in drafter.drafts(instructions, seed):
        with transaction.atomic():
            _record(project, instruction, calls)
            if isinstance(outcome, Drafted):
                on_done(instruction, _write(project, instruction, pool_version, outcome))
            else:
                on_done(instruction, outcome)


def _drafter(project: Project, pool_version: PoolVersion | None, should_stop: Callable[[], bool]) -> Drafter:
    if drafter_name(project) != RETRIEVAL:
        return EndpointDrafter(project, pool_version, should_stop)
    return (
        RetrievalDrafter(project, pool_version, should_stop) if pool_version else TemplateDrafter(should_stop)
    )


def _write(
    project: Project, instruction: Instruction, pool_version: PoolVersion | None, drafted: Drafted
) -> RubricVersion:
    kept = {
        "licence": instruction.licence,
        "canary": instruction.canary,
        "source_key": instruction.source_key,
    }
    version = RubricVersion.rows.create(
        project=project,
        instruction=instruction,
        kind=RubricKind.DRAFTED,
        source_author=drafted.drafter,
        extra={name: value for name, value in kept.items() if value},
    )
    Criterion.rows.bulk_create(
        Criterion(
            project=project,
            rubric=version,
            position=position,
            key=criterion.key,
            dimension=criterion.dimension.value,
            text=criterion.text,
            weight=criterion.weight,
            polarity=criterion.polarity.value,
            origin=origin,
        )
        for position, (criterion, origin) in enumerate(zip(drafted.criteria, drafted.origins, strict=True))
    )
    draft = Draft.rows.create(
        project=project,
        rubric=version,
        drafter=drafted.drafter,
        prompt_version=drafted.prompt_version,
        prompt_sha256=drafted.prompt_sha256,
        pool_version=pool_version,
        notes=drafted.notes,
    )
    DraftExemplar.objects.bulk_create(
        DraftExemplar(draft=draft, exemplar_id=exemplar, rank=rank, similarity=similarity)
        for rank, (exemplar, similarity) in enumerate(drafted.shaped_by)
    )
    return version


def _record(project: Project, instruction: Instruction, calls: Sequence[Call]) -> None:
    LlmCall.rows.bulk_create(
        LlmCall(
            project=project,
            purpose="draft",
            instruction=instruction,
            model=call.model,
            prompt_version=call.prompt_version,
            prompt_sha256=call.prompt_sha256,
            attempt=call.attempt,
            outcome=call.outcome,
            error=call.error[:2000],
            prompt_tokens=call.prompt_tokens,
            completion_tokens=call.completion_tokens,
            latency_ms=call.latency_ms,
            cost_usd=call.cost_usd,
        )
        for call in calls
    )
