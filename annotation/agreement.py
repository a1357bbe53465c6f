"""How far blind reviewers agree: by dimension, specialty and pair of reviewers, and on imported labels.

Measured on criteria that both reviewers kept under the draft's key; the numbers are `coefficients`'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from annotation.coefficients import Agreement, Estimate, Rated, measure, wilson
from annotation.gold import response_keys
from annotation.models import STANDING, Assignment, AssignmentState, Slot
from rubric_engine.models import ImportedRating
from rubric_engine.rubric import Dimension
from webapp.accounts.models import Project

MOST_GROUPS = 40
MOST_DISPUTED = 50
BLIND = [Slot.FIRST, Slot.SECOND]


@dataclass(frozen=True, slots=True)
class Disputed:
    """A drafted criterion on which two reviewers differ. `verdicts`: (differing, judged by both);
    `weights`: (lower, higher) where they differ; `rejected`: one of the two rejected it."""

    item_id: UUID
    round_number: int
    position: int
    specialty: str
    dimension: str
    text: str
    verdicts: tuple[int, int]
    weights: tuple[int, int] | None
    rejected: bool

    @property
    def severity(self) -> tuple[bool, float, int, bool]:
        """Safety first, then the share of verdicts that differ, then how many, then a rejection by one."""
        differing, judged = self.verdicts
        return (self.dimension == Dimension.SAFETY, differing / (judged or 1), differing, self.rejected)


@dataclass(frozen=True, slots=True)
class ProjectAgreement:
    """Between the two blind reviewers of double items; `by_specialty` and `by_pair` hold verdicts, most items first."""

    items: int
    verdicts: dict[Dimension, Agreement]
    overall: Agreement
    weights: Agreement
    by_specialty: dict[str, Agreement]
    by_pair: dict[str, Agreement]
    imported: Agreement
    imported_by_theme: dict[str, Agreement]
    disputed: list[Disputed]


def of_project(project: Project) -> ProjectAgreement:
    found = _Found()
    for first, second in _double_reviews(project):
        found.take(first, second)
    themes, labels = _imported(project)
    return ProjectAgreement(
        items=found.items,
        verdicts={dimension: measure(found.verdicts[dimension]) for dimension in Dimension},
        overall=measure([rated for dimension in Dimension for rated in found.verdicts[dimension]]),
        weights=measure(found.weights),
        by_specialty=_largest(found.by_specialty),
        by_pair=_largest(found.by_pair),
        imported=measure(labels),
        imported_by_theme=_largest(themes),
        disputed=sorted(found.disputed, key=lambda one: one.severity, reverse=True)[:MOST_DISPUTED],
    )


class _Found:
    """What the double reviews give, one pair of reviews after the other."""

    def __init__(self) -> None:
        self.items = 0
        self.verdicts: dict[Dimension, list[Rated]] = {dimension: [] for dimension in Dimension}
        self.weights: list[Rated] = []
        self.by_specialty: dict[str, list[Rated]] = defaultdict(list)
        self.by_pair: dict[str, list[Rated]] = defaultdict(list)
        self.disputed: list[Disputed] = []

    def take(self, first: Assignment, second: Assignment) -> None:
        self.items += 1
        pair = " · ".join(sorted(one.reviewer.shown_name for one in (first, second) if one.reviewer))
        specialty = first.item.instruction.specialty
        for mine, other in _same_criteria(first, second):
            rated = list(_shared_verdicts(first, second, mine["key"]))
            if mine["rejected"] is None and other["rejected"] is None:
                self.weights.append(Rated(str(first.item_id), mine["weight"], other["weight"]))
                self.verdicts[Dimension(mine["dimension"])].extend(rated)
                self.by_specialty[specialty].extend(rated)
                self.by_pair[pair].extend(rated)
            self._dispute(first, mine, other, rated)

    def _dispute(
        self, first: Assignment, mine: Mapping[str, Any], other: Mapping[str, Any], rated: Sequence[Rated]
    ) -> None:
        rejected = (mine["rejected"] is None) != (other["rejected"] is None)
        if mine["rejected"] is not None and not rejected:
            return
        differing = 0 if rejected else sum(one.first != one.second for one in rated)
        weights = sorted((mine["weight"], other["weight"]))
        reweighed = (weights[0], weights[1]) if weights[0] != weights[1] else None
        if differing or rejected or reweighed:
            self.disputed.append(
                Disputed(
                    item_id=first.item_id,
                    round_number=first.item.round.number,
                    position=first.item.position,
                    specialty=first.item.instruction.specialty,
                    dimension=mine["dimension"],
                    text=mine["text"],
                    verdicts=(differing, 0 if rejected else len(rated)),
                    weights=reweighed,
                    rejected=rejected,
                )
            )


def _largest(groups: Mapping[str, Sequence[Rated]]) -> dict[str, Agreement]:
    """The groups with most judgements, measured."""
    ranked = sorted(groups, key=lambda name: (-len(groups[name]), name))
    return {name: measure(groups[name]) for name in ranked[:MOST_GROUPS] if groups[name]}


def _double_reviews(project: Project) -> Iterator[tuple[Assignment, Assignment]]:
    decided = (
        Assignment.objects.of(project)
        .filter(STANDING, item__double=True, slot__in=BLIND, state=AssignmentState.SUBMITTED)
        .select_related("item__instruction", "item__round", "reviewer")
        .order_by("item_id", "slot")
    )
    waiting: dict[Any, Assignment] = {}
    for assignment in decided.iterator(chunk_size=200):
        first = waiting.pop(assignment.item_id, None)
        if first is None:
            waiting[assignment.item_id] = assignment
        else:
            yield first, assignment


def _same_criteria(first: Assignment, second: Assignment) -> Iterable[tuple[dict[str, Any], dict[str, Any]]]:
    others = {
        criterion["key"]: criterion
        for criterion in second.document["criteria"]
        if criterion["origin"] == "draft"
    }
    return [
        (mine, others[mine["key"]])
        for mine in first.document["criteria"]
        if mine["origin"] == "draft" and mine["key"] in others
    ]


def _shared_verdicts(first: Assignment, second: Assignment, key: str) -> Iterator[Rated]:
    theirs = _met(second, key)
    for response, met in _met(first, key).items():
        if response in theirs:
            yield Rated(str(first.item_id), int(met), int(theirs[response]))


def _met(assignment: Assignment, key: str) -> dict[int, bool]:
    document = assignment.document
    behind = response_keys(assignment.response_order)
    verdicts = document["verdicts"].get(key, {})
    return {
        behind[letter]: verdict["met"]
        for letter, verdict in verdicts.items()
        if letter not in document["unjudged"]
    }


def _imported(project: Project) -> tuple[dict[str, list[Rated]], list[Rated]]:
    """Imported ratings by their criterion's theme, and all; raters are told apart by their order there.

    What was said of one conversation is one cluster.
    """
    themes: dict[str, list[Rated]] = defaultdict(list)
    rows = ImportedRating.objects.of(project).order_by("id")
    for cluster, external_id, labels, extra in rows.values_list("cluster", "external_id", "labels", "extra"):
        said = [int(label["met"]) for label in labels]
        if len(said) >= 2:
            drawn = str(extra.get("prompt_id") or external_id)
            themes[_theme(cluster)].append(Rated(drawn, said[0], said[1], tuple(said[2:])))
    return themes, [rated for group in themes.values() for rated in group]


def _theme(cluster: str) -> str:
    """`cluster:emergency_referrals_context_seeking` → `emergency referrals context seeking`."""
    return cluster.removeprefix("cluster:").replace("_", " ").strip()


__all__ = [
    "Agreement",
    "Disputed",
    "Estimate",
    "ProjectAgreement",
    "Rated",
    "measure",
    "of_project",
    "wilson",
]
