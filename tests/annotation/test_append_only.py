"""Protects history: operations, late writes and gold's verdicts can be added to, never changed or deleted."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from annotation import gold, rounds
from annotation.models import Assignment, Gold
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, User

TABLES = ["annotation_operation", "annotation_lateoperation", "annotation_goldverdict"]
PUBLISHED = ["rubric_engine_rubricversion", "rubric_engine_criterion", "audit_event"]


@pytest.fixture
def history(project: Project, lead: User, ada: User) -> None:
    """One decided item with a late write beside it."""
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=1))
    desk = Desk(ada)
    desk.claim(round)
    assert desk.send("flag", {"reason": "other"}, fence=9).status_code == 409
    desk.judge_all()
    desk.do("accept")


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("statement", ["UPDATE {} SET project_id = project_id", "DELETE FROM {}"])
@pytest.mark.parametrize("table", TABLES + PUBLISHED)
def test_history_is_never_changed_not_even_by_sql(table: str, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  (names of this module)
        assert cursor.fetchone()[0] > 0
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute(statement.format(table))


@pytest.mark.usefixtures("history")
def test_an_item_has_one_live_gold_at_most(project: Project) -> None:
    live = gold.of_project(project).get()
    rubric = cast.make_rubric(live.item.instruction)
    with pytest.raises(DatabaseError, match="one_live_gold_per_item"), transaction.atomic():
        Gold.rows.create(
            project=project,
            item=live.item,
            rubric=rubric,
            assignment=live.assignment,
            strict=True,
            minor=True,
        )


@pytest.mark.usefixtures("history")
def test_a_slot_and_a_reviewer_come_once_to_an_item(project: Project, ben: User) -> None:
    assignment = Assignment.rows.get()
    for slot, reviewer in ((0, ben), (1, assignment.reviewer)):
        with pytest.raises(DatabaseError, match="one_"), transaction.atomic():
            Assignment.rows.create(
                project=project, item=assignment.item, slot=slot, reviewer=reviewer, position=9
            )
