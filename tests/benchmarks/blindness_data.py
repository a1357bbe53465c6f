"""`python -m tests.benchmarks.blindness_data make ITEMS | settle | worlds ITEMS`: what the blindness benchmark needs.

`make`: a round of which two reviewers share every item; Ben has finished a random half of them, with decisions
like Ada's and unlike them. All of Ada's verdicts are in place, so that an accept is one operation. Prints
{"round", "session", "csrf", "finished": [assignment ids of Ada whose other slot is done]}.
`settle`: settles what is due every two seconds, until it is killed.
`worlds`: the same requests in both worlds; prints {"responses", "differing", "planted"}.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import uuid
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings.project")
django.setup()

from django.conf import settings  # noqa: E402  (models need django.setup first)
from django.test.utils import setup_test_environment  # noqa: E402

from annotation import items, queue, reviews, rounds  # noqa: E402
from annotation.models import Assignment, Round  # noqa: E402
from annotation.settling import settle_due  # noqa: E402
from tests import cast  # noqa: E402
from tests.annotation.desk import Desk  # noqa: E402
from tests.benchmarks.review_data import CRITERIA, drafted_round, session_of  # noqa: E402
from webapp.accounts.models import Project, Role, User  # noqa: E402

SETTLE_EVERY_S = 2.0


def make(size: int) -> dict[str, Any]:
    round = drafted_round(size)
    Round.rows.filter(pk=round.pk).update(double_share=1.0)
    round.refresh_from_db()
    ada, ben = (cast.make_user(name, round.project, Role.PHYSICIAN) for name in ("bench-ada", "bench-ben"))
    cast.make_user("bench-dan", round.project, Role.ADJUDICATOR)
    rounds.open_round(actor=round.created_by, round=round)
    own = list(Assignment.rows.filter(item__round=round, reviewer=ada))
    for assignment in own:
        assignment.document = _judged(assignment.document, met=True)
    Assignment.rows.bulk_update(own, ["document"], batch_size=200)
    dice = random.Random(11)
    finished = set(dice.sample([one.item_id for one in own], k=size // 2))
    for assignment in Assignment.rows.filter(item__in=finished, reviewer=ben):
        _finish(ben, assignment, alike=dice.random() < 0.5)
    while settle_due():
        pass
    done = [str(one.pk) for one in own if one.item_id in finished]
    return {"round": str(round.pk), "finished": done, **session_of(ada)}


def _judged(document: dict[str, Any], *, met: bool) -> dict[str, Any]:
    entry = {"met": met, "origin": "physician", "rationale": "", "evidence": None}
    row = dict.fromkeys(document["responses"], entry)
    return {**document, "verdicts": {f"c{place}": row for place in range(CRITERIA)}}


def _finish(ben: User, assignment: Assignment, *, alike: bool) -> None:
    assignment.document = _judged(assignment.document, met=alike)
    assignment.save(update_fields=["document"])
    held = queue.renew_lease(actor=ben, assignment_id=assignment.pk)
    reviews.apply_operation(
        actor=ben,
        assignment_id=assignment.pk,
        operation_id=uuid.uuid4(),
        kind="accept",
        payload={},
        if_match=held.revision,
        fence=held.fence,
        active_ms=0,
    )


def settle() -> None:
    while True:
        settle_due()
        time.sleep(SETTLE_EVERY_S)


def worlds(size: int) -> dict[str, Any]:
    """Differing bytes over all responses of Ada's day, and over those of a day with a planted leak."""
    from tests.annotation.test_blindness import bens_day, world
    from webapp.accounts import desks

    setup_test_environment()
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    project = cast.make_project()
    lead = cast.make_user("lead", project, Role.LEAD)
    ada, ben = (cast.make_user(name, project, Role.PHYSICIAN) for name in ("ada", "ben"))
    desks.desk_of(actor=ada)
    round = _shared_round(project, lead, size, number=1)
    foreign = [str(pk) for pk in Assignment.rows.filter(reviewer=ben).values_list("pk", flat=True)[:10]]
    alone = world(lambda: None, ada, round, foreign)
    beside = world(lambda: bens_day(Desk(ben), round), ada, round, foreign)
    small = _shared_round(project, lead, 4, number=2)
    items.list_items = _leaking(items.list_items)
    planted = _differing(
        world(lambda: None, ada, small, []), world(lambda: bens_day(Desk(ben), small), ada, small, [])
    )
    return {"responses": len(alone) + len(beside), "differing": _differing(alone, beside), "planted": planted}


def _shared_round(project: Project, lead: User, size: int, *, number: int) -> Round:
    round = cast.make_round(project, lead, items=size, double_share=0.7, number=number)
    return rounds.open_round(actor=lead, round=round)


def _leaking(honest: Any) -> Any:
    def listing(*, actor: User, round: Round) -> dict[str, Any]:
        answer: dict[str, Any] = honest(actor=actor, round=round)
        return {**answer, "decided": Assignment.rows.filter(item__round=round, state="submitted").count()}

    return listing


def _differing(alone: list[Any], beside: list[Any]) -> int:
    """Bytes at which two days differ; a missing response counts whole."""
    count = 0
    for index in range(max(len(alone), len(beside))):
        one = repr(alone[index]) if index < len(alone) else ""
        other = repr(beside[index]) if index < len(beside) else ""
        count += abs(len(one) - len(other)) + sum(a != b for a, b in zip(one, other, strict=False))
    return count


if __name__ == "__main__":
    if sys.argv[1] == "settle":
        settle()
    print(json.dumps({"make": make, "worlds": worlds}[sys.argv[1]](int(sys.argv[2]))))
