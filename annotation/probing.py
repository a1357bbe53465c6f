"""Which items of a round measure the reviewing itself: dealt by seed when it opens, and told to no reviewer.

Three kinds, no item of two: judged before the draft is shown, drafts with a seeded error, and items that come
to the same reviewer a second time. The first two leave the denominator of the pass rates (rulings, 14).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

from annotation import planting
from annotation.models import Assignment, Probe, ProbeKind, Round, RoundItem

BLIND_FIRST_SHARE = 0.05
SEEDED_SHARE = 0.03
REPEAT_SHARE = 0.03
UNCOUNTED = (ProbeKind.BLIND_FIRST, ProbeKind.SEEDED)
"""Kinds that leave the pass rates."""


def place(round: Round, items: Sequence[RoundItem]) -> dict[Any, Probe]:
    """Choose and write a round's probes; by item. Their dice are their own, so that shares don't move the slots."""
    dice = random.Random(f"{round.seed}:{round.number}:probes")  # noqa: S311  (reproducible, guards nothing)
    rest = dice.sample(items, k=len(items))
    probes: dict[Any, Probe] = {}
    for kind, share in (
        (ProbeKind.SEEDED, round.seeded_share),
        (ProbeKind.BLIND_FIRST, round.blind_first_share),
        (ProbeKind.REPEAT, round.repeat_share),
    ):
        wanted = math.floor(len(items) * share + 0.5)
        chosen, rest = rest[:wanted], rest[wanted:]
        for item in chosen:
            if probe := _probe(item, kind, dice):
                probes[item.pk] = probe
    Probe.rows.bulk_create(probes.values())
    return probes


def _probe(item: RoundItem, kind: ProbeKind, dice: random.Random) -> Probe | None:
    planted = None
    if kind == ProbeKind.SEEDED:
        assert item.draft is not None
        planted = planting.plant([criterion.value() for criterion in item.draft.criteria.all()], dice)
        if planted is None:
            return None
    return Probe(project_id=item.project_id, item=item, kind=kind, planted=planted)


def planted_in(item: RoundItem) -> planting.Planted | None:
    return Probe.rows.filter(item=item).values_list("planted", flat=True).first()


def unplant(item: RoundItem, assignments: Iterable[Assignment]) -> None:
    """Take a seeded error out of what was decided, before it is compared or becomes gold. Nothing is saved."""
    if planted := planted_in(item):
        for assignment in assignments:
            assignment.document = planting.reverted(assignment.document, planted)
