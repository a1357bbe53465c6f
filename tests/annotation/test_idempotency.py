"""Protects: no write without a revision, no silent overwrite, no operation counted twice, whatever is resent."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from annotation import queue, reviews, rounds
from annotation.document import apply
from annotation.models import Assignment, Operation
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, User

CHANGES = st.tuples(st.sampled_from(["s1", "p1", "p2"]), st.integers(1, 5))
TABS = st.sampled_from([0, 1])
Body = dict[str, Any]


class TwoTabs(RuleBasedStateMachine):
    """Two windows of one reviewer against a model: a list of acknowledged operations, and their fold."""

    begin: Callable[[], tuple[User, Assignment]]

    def __init__(self) -> None:
        super().__init__()
        self.actor, assignment = self.begin()
        self.assignment_id = assignment.pk
        self.fence = queue.renew_lease(actor=self.actor, assignment_id=assignment.pk).fence
        self.document = assignment.document
        self.revision = 0
        self.seen = [0, 0]
        self.acknowledged: list[tuple[uuid.UUID, Body, reviews.Applied]] = []

    def send(
        self, operation_id: uuid.UUID, body: Body, if_match: int | None, fence: int | None = None
    ) -> reviews.Applied:
        return reviews.apply_operation(
            actor=self.actor,
            assignment_id=self.assignment_id,
            operation_id=operation_id,
            kind="set_weight",
            payload=body,
            if_match=if_match,
            fence=self.fence if fence is None else fence,
            active_ms=0,
        )

    @rule(tab=TABS, change=CHANGES)
    def change(self, tab: int, change: tuple[str, int]) -> None:
        operation_id, body = uuid.uuid4(), {"key": change[0], "weight": change[1]}
        if self.seen[tab] != self.revision:
            with pytest.raises(reviews.StaleRevision) as stale:
                self.send(operation_id, body, self.seen[tab])
            assert (stale.value.revision, stale.value.document) == (self.revision, self.document)
            self.seen[tab] = self.revision
        applied = self.send(operation_id, body, self.revision)
        self.revision += 1
        self.document = apply(self.document, "set_weight", body)
        self.seen[tab] = self.revision
        assert applied == reviews.Applied(self.revision, "draft", False)
        self.acknowledged.append((operation_id, body, applied))

    @precondition(lambda self: self.acknowledged)
    @rule(data=st.data(), if_match=st.none() | st.integers(0, 30), fence=st.none() | st.integers(0, 5))
    def send_again(self, data: st.DataObject, if_match: int | None, fence: int | None) -> None:
        operation_id, body, applied = data.draw(st.sampled_from(self.acknowledged))
        assert self.send(operation_id, body, if_match, fence) == applied

    @precondition(lambda self: self.acknowledged)
    @rule(data=st.data())
    def reuse_an_id_for_another_body(self, data: st.DataObject) -> None:
        operation_id, body, _ = data.draw(st.sampled_from(self.acknowledged))
        with pytest.raises(reviews.OperationReused):
            self.send(operation_id, {**body, "weight": body["weight"] % 5 + 1}, self.revision)

    @rule(change=CHANGES)
    def forget_the_revision(self, change: tuple[str, int]) -> None:
        with pytest.raises(reviews.RevisionRequired):
            self.send(uuid.uuid4(), {"key": change[0], "weight": change[1]}, None)

    @rule(change=CHANGES, older=st.integers(1, 3))
    def write_under_an_older_fence(self, change: tuple[str, int], older: int) -> None:
        with pytest.raises(reviews.LeaseLost):
            self.send(
                uuid.uuid4(),
                {"key": change[0], "weight": change[1]},
                self.revision,
                max(self.fence - older, 0),
            )

    @rule()
    def the_lease_runs_out_and_the_other_tab_takes_it(self) -> None:
        Assignment.rows.filter(pk=self.assignment_id).update(lease_until=None)
        self.fence = queue.renew_lease(actor=self.actor, assignment_id=self.assignment_id).fence

    @invariant()
    def the_database_holds_what_was_acknowledged(self) -> None:
        kept = Assignment.rows.get(pk=self.assignment_id)
        assert (kept.revision, kept.document) == (self.revision, self.document)
        operations = list(Operation.rows.filter(assignment=kept).values_list("operation_id", "revision"))
        assert operations == [
            (operation_id, applied.revision) for operation_id, _, applied in self.acknowledged
        ]


def test_two_tabs_retries_and_stale_revisions_agree_with_a_model(
    project: Project, lead: User, ada: User
) -> None:
    numbers = iter(range(1, 10_000))

    def begin(_machine: object = None) -> tuple[User, Assignment]:
        round = cast.make_round(project, lead, items=1, number=next(numbers))
        rounds.open_round(actor=lead, round=round)
        return ada, Assignment.rows.get(item__round=round)

    machine = type("Machine", (TwoTabs,), {"begin": begin})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.django_db(transaction=True)
def test_one_operation_sent_by_many_threads_at_once_counts_once(
    project: Project, lead: User, ada: User
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    for repetition in range(10):
        answers: list[reviews.Applied] = []
        operation_id, gate = uuid.uuid4(), threading.Barrier(5)

        def work(
            revision: int = repetition,
            operation_id: uuid.UUID = operation_id,
            gate: threading.Barrier = gate,
            answers: list[reviews.Applied] = answers,
        ) -> None:
            try:
                gate.wait()
                answers.append(
                    reviews.apply_operation(
                        actor=ada,
                        assignment_id=uuid.UUID(desk.item["id"]),
                        operation_id=operation_id,
                        kind="set_weight",
                        payload={"key": "p1", "weight": revision % 5 + 1},
                        if_match=revision,
                        fence=desk.item["fence"],
                        active_ms=0,
                    )
                )
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [reviews.Applied(repetition + 1, "draft", False)] * 5
    assert Operation.rows.count() == 10


def test_an_operation_id_of_one_item_is_refused_on_another(project: Project, lead: User, ada: User) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=2))
    desk = Desk(ada)
    desk.claim(round)
    same = str(uuid.uuid4())
    assert desk.send("flag", {"reason": "other"}, operation_id=same).status_code == 200
    desk.claim(round)
    assert desk.send("flag", {"reason": "other"}, operation_id=same).status_code == 422


def test_the_http_answers_are_those_of_the_promise(project: Project, lead: User, ada: User) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    body = {
        "operation_id": str(uuid.uuid4()),
        "kind": "set_weight",
        "payload": {"key": "p1", "weight": 2},
        "fence": desk.item["fence"],
    }
    path = f"items/{desk.item['id']}/operations"
    forgotten = desk.post(path, body)
    assert forgotten.status_code == 428
    assert forgotten["Content-Type"] == "application/problem+json"
    first = desk.post(path, body, **{"If-Match": '"0"'})
    assert first.json() == {"revision": 1, "state": "draft", "flagged": False}
    assert first["ETag"] == '"1"'
    assert desk.post(path, body).json() == first.json()
    assert desk.post(path, {**body, "payload": {"key": "p1", "weight": 3}}).status_code == 422
    stale = desk.post(path, {**body, "operation_id": str(uuid.uuid4())}, **{"If-Match": '"0"'})
    assert stale.status_code == 412
    assert stale["ETag"] == '"1"'
    newer = stale.json()
    assert (newer["revision"], newer["state"]) == (1, "draft")
    assert newer["document"]["criteria"][2]["weight"] == 2
    refused = desk.send("accept", revision=1)
    assert refused.status_code == 422
    assert len(refused.json()["missing"]) == 10
    assert desk.get(f"items/{desk.item['id']}")["ETag"] == '"1"'
    assert desk.get(f"items/{desk.item['id']}")["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        {"operation_id": "no uuid"},
        {"kind": 7},
        {"payload": []},
        {"fence": -1},
        {"fence": True},
        {"fence": None},
        {"active_ms": "long"},
        {"active_ms": 10**12},
    ],
)
def test_a_malformed_request_is_a_400_that_names_the_field(
    project: Project, lead: User, ada: User, body: dict[str, Any]
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    whole = {"operation_id": str(uuid.uuid4()), "kind": "unskip", "payload": {}, "fence": 1, **body}
    response = desk.post(f"items/{desk.item['id']}/operations", whole, **{"If-Match": '"0"'})
    assert response.status_code == 400
    assert "`" in response.json()["title"]


@pytest.mark.parametrize(
    ("raw", "header"),
    [
        (b"[" * 30_000, '"0"'),
        (b"{", '"0"'),
        (b'"x"', '"0"'),
        (b"{}", "*"),
        (b" " * 70_000, '"0"'),
        (b"\xff", '"0"'),
    ],
)
def test_hostile_bodies_are_refused(project: Project, lead: User, ada: User, raw: bytes, header: str) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    response = desk.client.post(
        f"/api/v1/review/items/{desk.item['id']}/operations",
        raw,
        content_type="application/json",
        headers={"If-Match": header},
    )
    assert response.status_code == 400
