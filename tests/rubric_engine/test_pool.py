"""Protects the few-shot pool: only gold enters, a version is frozen, a retired exemplar shapes nothing more."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from rubric_engine import exemplars
from rubric_engine.exemplars import ExemplarRefused
from rubric_engine.models import Draft, DraftExemplar, Exemplar, Instruction, PoolMember, RubricKind
from rubric_engine.rubric import Dimension, InvalidRubric, Polarity
from tests import cast
from tests.rubric_engine.vectors import use_bag_of_words
from webapp.accounts.models import Project, User
from webapp.audit.models import Event


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    use_bag_of_words(monkeypatch)


def gold(project: Project, owner: User | None, name: str = "", **fields: Any) -> Exemplar:
    rubric = cast.make_rubric(cast.make_instruction(project, name, **fields), kind=RubricKind.CORRECTED)
    return exemplars.admit(actor=owner, gold_rubric=rubric, owner=owner)


def test_gold_is_admitted_once(project: Project, ada: User) -> None:
    first = gold(project, ada)
    assert exemplars.admit(actor=ada, gold_rubric=first.rubric, owner=ada) == first
    assert Event.objects.of(project).filter(action="exemplar.admitted").count() == 1


@pytest.mark.parametrize("kind", [RubricKind.DRAFTED, RubricKind.SOURCE])
def test_what_nobody_reviewed_is_not_admitted(project: Project, ada: User, kind: RubricKind) -> None:
    rubric = cast.make_rubric(cast.make_instruction(project), kind=kind)
    with pytest.raises(ExemplarRefused):
        exemplars.admit(actor=ada, gold_rubric=rubric, owner=ada)


def test_a_bench_item_never_enters_the_pool(project: Project, ada: User) -> None:
    with pytest.raises(ExemplarRefused, match="bench"):
        gold(project, ada, held_out=True)


def test_a_rubric_without_safety_is_not_admitted(project: Project, ada: User) -> None:
    only = [("p1", Dimension.PROFICIENCY, "Names it.", 3, Polarity.MUST_HOLD)]
    rubric = cast.make_rubric(cast.make_instruction(project), kind=RubricKind.CORRECTED, criteria=only)
    with pytest.raises(InvalidRubric):
        exemplars.admit(actor=ada, gold_rubric=rubric, owner=ada)


def test_a_version_holds_what_was_gold_when_it_was_frozen(project: Project, ada: User, lead: User) -> None:
    first = gold(project, ada)
    version = exemplars.freeze_pool(actor=lead, project=project)
    gold(project, ada)
    assert [member.exemplar for member in version.members.all()] == [first]
    assert exemplars.freeze_pool(actor=lead, project=project).number == 2


def test_a_frozen_version_never_changes(project: Project, ada: User, lead: User) -> None:
    gold(project, ada)
    exemplars.freeze_pool(actor=lead, project=project)
    with pytest.raises(DatabaseError), transaction.atomic():
        PoolMember.objects.all().delete()


def test_an_empty_pool_is_not_frozen(project: Project, lead: User) -> None:
    with pytest.raises(ExemplarRefused, match="empty"):
        exemplars.freeze_pool(actor=lead, project=project)


def test_one_version_is_active_and_an_earlier_one_rolls_back(project: Project, ada: User, lead: User) -> None:
    gold(project, ada)
    first = exemplars.freeze_pool(actor=lead, project=project)
    second = exemplars.freeze_pool(actor=lead, project=project)
    assert exemplars.active_pool(project) is None
    exemplars.activate_pool(actor=lead, pool_version=second)
    exemplars.activate_pool(actor=lead, pool_version=first)
    assert exemplars.active_pool(project) == first


def test_a_physician_can_neither_freeze_nor_activate_nor_retire(
    project: Project, ada: User, lead: User
) -> None:
    exemplar = gold(project, ada)
    version = exemplars.freeze_pool(actor=lead, project=project)
    with pytest.raises(PermissionDenied):
        exemplars.freeze_pool(actor=ada, project=project)
    with pytest.raises(PermissionDenied):
        exemplars.activate_pool(actor=ada, pool_version=version)
    with pytest.raises(PermissionDenied):
        exemplars.retire(actor=ada, exemplar=exemplar, reason="no")


def test_retiring_lists_the_drafts_it_shaped(project: Project, ada: User, lead: User) -> None:
    exemplar = gold(project, ada)
    shaped = cast.make_rubric(cast.make_instruction(project))
    DraftExemplar.objects.create(
        draft=Draft.rows.get(rubric=shaped), exemplar=exemplar, rank=0, similarity=0.5
    )
    assert exemplars.retire(actor=lead, exemplar=exemplar, reason="Outdated guideline.") == [shaped]
    assert exemplars.retire(actor=lead, exemplar=exemplar, reason="Again.") == [shaped]
    exemplar.refresh_from_db()
    assert exemplar.retired_reason == "Outdated guideline."
    with pytest.raises(ExemplarRefused, match="Say why"):
        exemplars.retire(actor=lead, exemplar=exemplar, reason=" ")


def _select(
    project: Project, lead: User, instruction: Instruction, k: int = 3
) -> list[tuple[Exemplar, float]]:
    version = exemplars.freeze_pool(actor=lead, project=project)
    return exemplars.select(project=project, pool_version=version, instruction=instruction, k=k, seed=1)


def test_the_nearest_come_first_and_none_of_the_same_cluster(project: Project, ada: User, lead: User) -> None:
    near = gold(project, ada, "near", text="Chest pain and sildenafil, spray again?")
    gold(project, ada, "far", text="Nappy rash of an infant.")
    same = gold(project, ada, "same", text="Chest pain and sildenafil: spray again now?")
    asked = cast.make_instruction(project, "asked", text="Chest pain after sildenafil, spray?")
    Instruction.rows.filter(pk=same.rubric.instruction_id).update(cluster=asked.cluster)
    found = _select(project, lead, asked)
    assert found[0][0] == near
    assert same not in [exemplar for exemplar, _ in found]
    assert found[0][1] > found[1][1]


def test_a_retired_exemplar_shapes_nothing_though_its_version_holds_it(
    project: Project, ada: User, lead: User
) -> None:
    exemplar = gold(project, ada)
    gold(project, ada)
    version = exemplars.freeze_pool(actor=lead, project=project)
    exemplars.retire(actor=lead, exemplar=exemplar, reason="Wrong dose.")
    asked = cast.make_instruction(project)
    found = exemplars.select(project=project, pool_version=version, instruction=asked, k=5, seed=1)
    assert exemplar not in [one for one, _ in found]
    assert len(found) == 1


def test_one_reviewers_share_is_limited_once_five_own_gold(project: Project, lead: User, ada: User) -> None:
    for number in range(8):
        gold(project, ada, f"a{number}")
    asked = cast.make_instruction(project)
    assert len(_select(project, lead, asked, k=5)) == 5
    for name in ("b", "c", "d", "e"):
        gold(project, cast.make_user(name), name)
    owners = [exemplar.owner_id for exemplar, _ in _select(project, lead, asked, k=5)]
    assert len(owners) == len(set(owners)) == 5


def test_without_a_version_nothing_is_selected(project: Project) -> None:
    asked = cast.make_instruction(project)
    assert exemplars.select(project=project, pool_version=None, instruction=asked, k=5, seed=1) == []
