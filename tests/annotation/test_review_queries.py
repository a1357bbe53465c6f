"""Protects the speed of the review: the number of queries is pinned and doesn't grow with the round."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from annotation import rounds
from tests import cast
from tests.annotation.desk import Desk
from webapp.accounts.models import Project, User

pytestmark = pytest.mark.django_db(transaction=True)

USER, BEGIN, COMMIT = 1, 1, 1


@pytest.mark.parametrize("items", [2, 12])
def test_a_save_locks_writes_and_commits(
    project: Project, lead: User, ada: User, items: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=items))
    desk = Desk(ada)
    desk.claim(round)
    with django_assert_num_queries(USER + BEGIN + 2 + COMMIT):
        desk.do("set_verdict", key="s1", response="A", met=True)


@pytest.mark.parametrize("items", [2, 12])
def test_the_next_item_is_three_statements(
    project: Project, lead: User, ada: User, items: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=items))
    desk = Desk(ada)
    with django_assert_num_queries(USER + 3):
        desk.claim(round)
    with django_assert_num_queries(USER + 1):
        desk.get(f"items/{desk.item['id']}")


@pytest.mark.parametrize("items", [2, 12])
def test_the_rail_is_two_statements(
    project: Project, lead: User, ada: User, items: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    round = rounds.open_round(actor=lead, round=cast.make_round(project, lead, items=items))
    desk = Desk(ada)
    with django_assert_num_queries(USER + 2):
        assert len(desk.rail(round)) == items


def test_progress_and_accept_cost_the_same_in_a_small_and_a_large_round(
    project: Project, lead: User, ada: User
) -> None:
    counts = set()
    for number, items in ((1, 2), (2, 10)):
        round = rounds.open_round(
            actor=lead, round=cast.make_round(project, lead, items=items, number=number)
        )
        desk = Desk(ada)
        desk.claim(round)
        desk.judge_all()
        with CaptureQueriesContext(connection) as accepted:
            desk.do("accept")
        with CaptureQueriesContext(connection) as counted:
            rounds.progress(round)
        assert len(counted) == 2
        counts.add(len(accepted))
    assert len(counts) == 1
    assert counts.pop() <= 40
