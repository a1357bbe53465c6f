"""Protects the lease: no item is held twice, a lost lease is fenced off, an expired one keeps its draft."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from annotation import queue, rounds
from annotation.models import Assignment, LateOperation, Round, RoundItem, RoundState, Slot
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, Role, User

THREADS, ITEMS, REPETITIONS = 8, 200, 8
Claim = Callable[[], UUID | None]


def big_round(project: Project, lead: User, reviewer: User | None, slot: Slot = Slot.FIRST) -> Round:
    round = Round.rows.create(project=project, number=1, size=ITEMS, state=RoundState.OPEN, created_by=lead)
    instructions = [cast.make_instruction(project, f"item-{number}", responses=0) for number in range(ITEMS)]
    items = RoundItem.rows.bulk_create(
        RoundItem(project=project, round=round, position=position, instruction=instruction)
        for position, instruction in enumerate(instructions, start=1)
    )
    Assignment.rows.bulk_create(
        Assignment(project=project, item=item, slot=slot, reviewer=reviewer, position=item.position)
        for item in items
    )
    return round


def doubles_among_threads(claim_of: Callable[[int], Claim], repetitions: int) -> tuple[int, int]:
    """All threads claim until nothing is left, again and again. Returns (claims, claims of a held item)."""
    claims = doubles = 0
    for _ in range(repetitions):
        Assignment.rows.update(lease_until=None)
        held: Counter[UUID] = Counter()
        gate = threading.Barrier(THREADS)

        def work(claim: Claim, held: Counter[UUID] = held, gate: threading.Barrier = gate) -> None:
            mine = []
            try:
                gate.wait()
                while (claimed := claim()) is not None:
                    mine.append(claimed)
            finally:
                connection.close()
            held.update(mine)

        threads = [threading.Thread(target=work, args=(claim_of(number),)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        claims += held.total()
        doubles += held.total() - len(held)
        assert len(held) == ITEMS
    return claims, doubles


@pytest.mark.django_db(transaction=True)
def test_no_item_is_held_twice_by_eight_windows_of_one_reviewer(
    project: Project, lead: User, ada: User
) -> None:
    round = big_round(project, lead, ada)
    claims, doubles = doubles_among_threads(
        lambda _number: lambda: queue.next_assignment(actor=ada, round=round, role=Role.PHYSICIAN),
        REPETITIONS,
    )
    assert (claims, doubles) == (ITEMS * REPETITIONS, 0)


@pytest.mark.django_db(transaction=True)
def test_no_shared_slot_is_held_twice_by_eight_adjudicators(project: Project, lead: User) -> None:
    people = [cast.make_user(f"judge-{number}", project, Role.ADJUDICATOR) for number in range(THREADS)]
    round = big_round(project, lead, None, Slot.ADJUDICATOR)

    def claim_of(number: int) -> Claim:
        def claim() -> UUID | None:
            return queue.next_assignment(actor=people[number], round=round, role=Role.ADJUDICATOR)

        return claim

    held: list[UUID] = []
    threads = [
        threading.Thread(target=lambda number=number: held.extend(_all(claim_of(number))))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == len(set(held)) == ITEMS
    owners = Counter(Assignment.rows.values_list("reviewer__username", flat=True))
    assert owners.total() == ITEMS
    assert None not in owners


def _all(claim: Claim) -> list[UUID]:
    mine = []
    try:
        while (claimed := claim()) is not None:
            mine.append(claimed)
    finally:
        connection.close()
    return mine


@pytest.mark.django_db(transaction=True)
def test_the_harness_catches_a_planted_double(project: Project, lead: User, ada: User) -> None:
    """Reading first and writing later, without a lock, is what a careless claim would do."""
    big_round(project, lead, ada)

    def careless() -> UUID | None:
        free = (
            Assignment.rows.filter(lease_until=None).order_by("position").values_list("pk", flat=True).first()
        )
        if free is not None:
            time.sleep(0.001)
            Assignment.rows.filter(pk=free).update(lease_until=timezone.now() + queue.LEASE)
        return free

    _, doubles = doubles_among_threads(lambda _number: careless, 1)
    assert doubles > 0


def test_a_lease_lasts_at_least_thirty_minutes_and_each_write_renews_it(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    assert timedelta(minutes=30) <= queue.LEASE
    Assignment.rows.update(lease_until=timezone.now() + timedelta(minutes=1))
    desk.do("flag", reason="missing context", text="")
    until = Assignment.rows.get().lease_until
    assert until is not None
    assert until > timezone.now() + timedelta(minutes=30)


def test_an_expired_lease_returns_its_item_with_its_draft_and_fences_the_old_window_off(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    old, new = Desk(ada), Desk(ada)
    old.claim(round)
    old.do("set_weight", key="p1", weight=1)
    assert not new.claim(round)
    Assignment.rows.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert new.claim(round)
    assert new.item["revision"] == 1
    assert new.item["document"]["criteria"][2]["weight"] == 1
    assert new.item["fence"] == old.item["fence"] + 1

    late = old.send("set_weight", {"key": "p1", "weight": 2}, operation_id="0" * 32)
    assert late.status_code == 409
    assert old.send("set_weight", {"key": "p1", "weight": 2}, operation_id="0" * 32).status_code == 409
    kept = LateOperation.objects.of(project).get()
    assert kept.body == {"kind": "set_weight", "payload": {"key": "p1", "weight": 2}, "if_match": 1}
    assert Assignment.rows.get().revision == 1
    new.do("set_weight", key="p1", weight=3)


def test_a_window_that_comes_back_after_expiry_goes_on_where_nobody_took_over(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    Assignment.rows.update(lease_until=timezone.now() - timedelta(hours=2))
    desk.do("set_weight", key="p1", weight=2)


def test_a_lease_is_renewed_under_its_fence_and_refused_under_another(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    path = f"items/{desk.item['id']}/lease"
    assert desk.post(path).json()["fence"] == desk.item["fence"]
    assert desk.post(path, {"fence": desk.item["fence"]}).status_code == 200
    assert desk.post(path, {"fence": desk.item["fence"] + 1}).status_code == 409


def test_a_write_without_any_lease_is_late(project: Project, lead: User, ada: User) -> None:
    rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.item = desk.get(f"items/{Assignment.rows.get().pk}").json()
    assert desk.item["fence"] == 0
    assert desk.send("set_weight", {"key": "p1", "weight": 2}).status_code == 409
