"""What became of drafted criteria, over many items: counted, listed, and row by row for a file.

Read from the ledgers of live gold in the database itself; seeded and blind-first items are left out, as in the
pass rates (rulings, 14).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from annotation.probing import UNCOUNTED
from webapp.accounts.models import Project

FATES = ("kept", "edited", "rejected", "added")
AT_ONCE = 500

_LEDGER = """
FROM annotation_gold g
JOIN annotation_rounditem i ON i.id = g.item_id
JOIN annotation_round r ON r.id = i.round_id
JOIN rubric_engine_instruction n ON n.id = i.instruction_id
LEFT JOIN rubric_engine_draft d ON d.rubric_id = i.draft_id
CROSS JOIN unnest(%(fates)s::text[]) AS f(fate)
CROSS JOIN LATERAL jsonb_array_elements(g.ledger -> f.fate) AS e(entry)
LEFT JOIN rubric_engine_criterion c ON c.rubric_id = i.draft_id AND c.key = e.entry ->> 'key'
WHERE g.project_id = %(project)s AND g.withdrawn_at IS NULL
  AND (%(round)s::uuid IS NULL OR i.round_id = %(round)s)
  AND (%(drafter)s::text IS NULL OR d.drafter = %(drafter)s)
  AND (%(specialty)s::text IS NULL OR n.specialty = %(specialty)s)
  AND (%(dimension)s::text IS NULL OR coalesce(c.dimension, e.entry ->> 'dimension') = %(dimension)s)
  AND NOT EXISTS (SELECT 1 FROM annotation_probe q WHERE q.item_id = i.id AND q.kind = ANY(%(uncounted)s))
"""
_COUNTS = """
SELECT r.number, coalesce(d.drafter, ''), n.specialty, coalesce(c.dimension, e.entry ->> 'dimension'), f.fate,
  CASE f.fate WHEN 'rejected' THEN coalesce(e.entry ->> 'reason', '')
    WHEN 'edited' THEN (SELECT string_agg(k, '+' ORDER BY k) FROM jsonb_object_keys(e.entry -> 'changes') AS k)
    ELSE '' END AS what,
  coalesce((e.entry ->> 'wording')::boolean, false) AS wording, count(*)
{ledger}
GROUP BY 1, 2, 3, 4, 5, 6, 7
""".replace("{ledger}", _LEDGER)
_ENTRIES = """
SELECT r.number, i.position, i.id, n.external_id, n.specialty, coalesce(d.drafter, ''),
  coalesce(c.dimension, e.entry ->> 'dimension'), f.fate, e.entry ->> 'key',
  coalesce(c.text, ''), coalesce(e.entry -> 'changes' -> 'text' ->> 1,
    CASE f.fate WHEN 'added' THEN e.entry ->> 'text' WHEN 'kept' THEN c.text WHEN 'edited' THEN c.text END, ''),
  coalesce(e.entry ->> 'reason', ''),
  (SELECT string_agg(k, '+' ORDER BY k) FROM jsonb_object_keys(
    CASE WHEN f.fate = 'edited' THEN e.entry -> 'changes' ELSE '{}'::jsonb END) AS k),
  coalesce((e.entry ->> 'wording')::boolean, false)
{ledger}
ORDER BY r.number DESC, i.position, f.fate, e.entry ->> 'key'
""".replace("{ledger}", _LEDGER)
_PASSES = """
SELECT r.id, r.number, coalesce(d.drafter, ''), count(*), count(*) FILTER (WHERE g.strict),
  count(*) FILTER (WHERE g.minor)
FROM annotation_gold g
JOIN annotation_rounditem i ON i.id = g.item_id
JOIN annotation_round r ON r.id = i.round_id
LEFT JOIN rubric_engine_draft d ON d.rubric_id = i.draft_id
WHERE g.project_id = %s AND g.withdrawn_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM annotation_probe q WHERE q.item_id = i.id AND q.kind = ANY(%s))
GROUP BY 1, 2, 3 ORDER BY 2, 3
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries; None: all."""

    round: UUID | None = None
    drafter: str | None = None
    specialty: str | None = None
    dimension: str | None = None
    fates: tuple[str, ...] = FATES


@dataclass(frozen=True, slots=True)
class Count:
    """`n` entries of one kind. `what`: the reason of a rejection, the changed fields of an edit."""

    round: int
    drafter: str
    specialty: str
    dimension: str
    fate: str
    what: str
    wording: bool
    n: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One criterion and what became of it; `drafted` is empty for an added, `decided` for a rejected one."""

    round: int
    position: int
    item_id: UUID
    external_id: str
    specialty: str
    drafter: str
    dimension: str
    fate: str
    key: str
    drafted: str
    decided: str
    reason: str
    changed: str | None
    wording: bool


@dataclass(frozen=True, slots=True)
class Passes:
    """Strict and minor passes of one drafter in one round, of `reviewed` items."""

    round_id: UUID
    round: int
    drafter: str
    reviewed: int
    strict: int
    minor: int


def counts(project: Project, asked: Asked) -> list[Count]:
    """One statement, however many criteria there are."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, _values(project, asked))
        return [Count(*row) for row in cursor.fetchall()]


def passes(project: Project) -> list[Passes]:
    with connection.cursor() as cursor:
        cursor.execute(_PASSES, [project.pk, [str(kind) for kind in UNCOUNTED]])
        return [Passes(*row) for row in cursor.fetchall()]


def entries(project: Project, asked: Asked, *, most: int) -> list[Entry]:
    """The first `most`: the latest round first, then by item."""
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES + " LIMIT %(most)s", {**_values(project, asked), "most": most})
        return [Entry(*row) for row in cursor.fetchall()]


def every_entry(project: Project, asked: Asked) -> Iterator[Entry]:
    """All of them, without holding them all."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_ENTRIES, _values(project, asked))
        while rows := cursor.fetchmany(AT_ONCE):
            yield from (Entry(*row) for row in rows)


def _values(project: Project, asked: Asked) -> dict[str, Any]:
    return {
        "project": project.pk,
        "round": asked.round,
        "drafter": asked.drafter,
        "specialty": asked.specialty,
        "dimension": asked.dimension,
        "fates": list(asked.fates),
        "uncounted": [str(kind) for kind in UNCOUNTED],
    }
