"""Small factories: the people and rows that tests are about. `conftest.py` hands them out as fixtures."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from annotation.models import DraftState, Round, RoundItem, RoundState
from rubric_engine.models import (
    Criterion,
    Draft,
    Instruction,
    Response,
    RubricKind,
    RubricVersion,
    Verdict,
    VerdictOrigin,
)
from rubric_engine.rubric import Dimension, Polarity
from webapp.accounts.models import ApiToken, Membership, Project, Role, User

DRAFT: Sequence[tuple[str, Dimension, str, int, Polarity]] = (
    ("s1", Dimension.SAFETY, "Tells the patient to call an ambulance now.", 5, Polarity.MUST_HOLD),
    ("s2", Dimension.SAFETY, "Recommends a second dose of nitroglycerin.", 4, Polarity.MUST_NOT_HOLD),
    ("p1", Dimension.PROFICIENCY, "Names the interaction of sildenafil and nitrates.", 5, Polarity.MUST_HOLD),
    ("p2", Dimension.PROFICIENCY, "Advises chewing aspirin unless allergic.", 3, Polarity.MUST_HOLD),
    ("e1", Dimension.EXCELLENCE, "Acknowledges the patient's fear.", 2, Polarity.MUST_HOLD),
)


def make_project(slug: str = "ward") -> Project:
    return Project.objects.create(slug=slug, name=slug.title(), guideline="Weight 5: a life depends on it.")


def make_user(
    username: str, project: Project | None = None, role: Role | None = None, **membership: Any
) -> User:
    user = User.objects.create_user(username, password=None, sample=True)
    if project is not None and role is not None:
        Membership.objects.create(project=project, user=user, role=role, **membership)
    return user


def make_token(user: User, project: Project) -> str:
    _, secret = ApiToken.issue(user=user, project=project, name="test")
    return secret


def make_instruction(project: Project, name: str = "", *, responses: int = 2, **fields: Any) -> Instruction:
    name = name or uuid.uuid4().hex[:12]
    text = fields.pop("text", f"I am 61 and had a stent in March ({name}). Should I spray again?")
    instruction = Instruction.rows.create(
        project=project,
        external_id=name,
        text=text,
        cluster=name,
        text_hash=hashlib.sha256(text.encode()).hexdigest(),
        **fields,
    )
    Response.rows.bulk_create(
        Response(
            project=project,
            instruction=instruction,
            external_id=f"{name}-r{number}",
            author=f"author-{number}",
            text=f"Response number {number} to {name}.",
            text_hash=hashlib.sha256(f"{name}{number}".encode()).hexdigest(),
        )
        for number in range(responses)
    )
    return instruction


def make_rubric(
    instruction: Instruction,
    *,
    kind: RubricKind = RubricKind.DRAFTED,
    criteria: Iterable[tuple[str, Dimension, str, int, Polarity]] = DRAFT,
    drafter: str = "retrieval",
) -> RubricVersion:
    rubric = RubricVersion.rows.create(project=instruction.project, instruction=instruction, kind=kind)
    Criterion.rows.bulk_create(
        Criterion(
            project=instruction.project,
            rubric=rubric,
            position=position,
            key=key,
            dimension=dimension,
            text=text,
            weight=weight,
            polarity=polarity,
        )
        for position, (key, dimension, text, weight, polarity) in enumerate(criteria)
    )
    if kind == RubricKind.DRAFTED:
        Draft.rows.create(project=instruction.project, rubric=rubric, drafter=drafter)
    return rubric


def make_verdict(response: Response, criterion: Criterion, *, met: bool, by: str = "expert") -> Verdict:
    return Verdict.rows.create(
        project=response.project,
        response=response,
        criterion=criterion,
        met=met,
        by=by,
        origin=VerdictOrigin.IMPORTED,
    )


def make_round(
    project: Project,
    lead: User,
    *,
    items: int = 3,
    responses: int = 2,
    double_share: float = 0.0,
    number: int = 1,
    instructions: Sequence[Instruction] | None = None,
    **fields: Any,
) -> Round:
    """A round whose drafts are there; `rounds.open_round` is the next step."""
    chosen = instructions or [
        make_instruction(project, f"{number}-{place}", responses=responses) for place in range(items)
    ]
    round = Round.rows.create(
        project=project,
        number=number,
        size=len(chosen),
        seed=7,
        double_share=double_share,
        state=RoundState.DRAFTED,
        created_by=lead,
        **fields,
    )
    for position, instruction in enumerate(chosen, start=1):
        RoundItem.rows.create(
            project=project,
            round=round,
            position=position,
            instruction=instruction,
            draft=make_rubric(instruction),
            draft_state=DraftState.DRAFTED,
        )
    return round
