"""`python -m tests.benchmarks.review_data REVIEWERS ITEMS`: an open round, and a session for each reviewer.

Prints one JSON object: {"round": id, "reviewers": [{"session", "csrf"}]}. Run on a migrated, empty database.
"""

from __future__ import annotations

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")
django.setup()

from django.conf import settings  # noqa: E402  (models need django.setup first)
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.cached_db import SessionStore  # noqa: E402

from annotation import rounds  # noqa: E402
from annotation.models import DraftState, Round, RoundItem, RoundState  # noqa: E402
from rubric_engine.models import Criterion, Draft, Instruction, Response, RubricKind, RubricVersion  # noqa: E402
from tests import cast  # noqa: E402
from webapp.accounts.models import Role, User  # noqa: E402

CRITERIA, RESPONSES = 10, 3
SENTENCE = "The patient should be told what to watch for and when to come back. "


def session_of(user: User) -> dict[str, str]:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"session": session.session_key or "", "csrf": "c" * 32}


def drafted_round(
    size: int, *, criteria: int = CRITERIA, sentences: int = 13, double_share: float = 0.15
) -> Round:
    """A drafted round in few statements: 10 criteria and 3 responses of about 900 characters an item."""
    project = cast.make_project("bench")
    lead = cast.make_user("bench-lead", project, Role.LEAD)
    instructions = Instruction.rows.bulk_create(
        Instruction(
            project=project,
            external_id=f"bench-{number}",
            text=f"Case {number}. " + SENTENCE * 6,
            cluster=f"bench-{number}",
            text_hash=f"{number}",
        )
        for number in range(size)
    )
    Response.rows.bulk_create(
        Response(
            project=project,
            instruction=one,
            external_id=f"r{place}",
            text=SENTENCE * sentences,
            text_hash=f"{place}",
        )
        for one in instructions
        for place in range(RESPONSES)
    )
    rubrics = RubricVersion.rows.bulk_create(
        RubricVersion(project=project, instruction=one, kind=RubricKind.DRAFTED) for one in instructions
    )
    Criterion.rows.bulk_create(
        Criterion(
            project=project,
            rubric=rubric,
            position=place,
            key=f"c{place}",
            dimension="safety" if place < 2 else "proficiency",
            text=f"Statement {place}: {SENTENCE}",
            weight=3,
            polarity="must_hold",
        )
        for rubric in rubrics
        for place in range(criteria)
    )
    Draft.rows.bulk_create(Draft(project=project, rubric=rubric, drafter="retrieval") for rubric in rubrics)
    round = Round.rows.create(
        project=project,
        number=1,
        size=size,
        state=RoundState.DRAFTED,
        created_by=lead,
        double_share=double_share,
    )
    RoundItem.rows.bulk_create(
        RoundItem(
            project=project,
            round=round,
            position=position,
            instruction=instruction,
            draft=rubric,
            draft_state=DraftState.DRAFTED,
        )
        for position, (instruction, rubric) in enumerate(zip(instructions, rubrics, strict=True), start=1)
    )
    return round


def main(reviewers: int, items: int) -> None:
    round = drafted_round(reviewers * items)
    people = [cast.make_user(f"bench-{number}", round.project, Role.PHYSICIAN) for number in range(reviewers)]
    rounds.open_round(actor=round.created_by, round=round)
    print(json.dumps({"round": str(round.pk), "reviewers": [session_of(user) for user in people]}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
