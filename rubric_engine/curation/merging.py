"""From staged rows to ours, set by set, in the import's transaction.

Each step first asks for contradictions, then inserts what is new: rows that are there already, the same,
are known and left alone. Identity is the id of the file; equality is the text's SHA-256.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from rubric_engine.curation import sql
from rubric_engine.curation.faults import MOST_REFUSALS, ImportRefused, Refusal


class Merge:
    """One import's merge. `written` counts the new rows of every table of ours."""

    def __init__(self, cursor: CursorWrapper, *, project_id: int, import_id: UUID) -> None:
        self._cursor = cursor
        self._values: dict[str, Any] = {"project": project_id, "import": import_id, "most": MOST_REFUSALS}
        self.written: dict[str, int] = {}

    def run(self) -> None:
        """Raises ImportRefused where a row contradicts another of the file or one that is there."""
        self._require_none(sql.INSTRUCTION_CONTRADICTIONS)
        self._write("instruction", sql.INSERT_INSTRUCTIONS)
        self._execute(sql.COMPLETE_INSTRUCTIONS)
        self._write("attachment", sql.INSERT_ATTACHMENTS)
        self._require_none(sql.UNKNOWN_INSTRUCTIONS)
        self._execute(sql.RESOLVE_RESPONSES)
        self._require_none(sql.RESPONSE_CONTRADICTIONS)
        self._write("response", sql.INSERT_RESPONSES)
        self._require_none(sql.RUBRIC_CONTRADICTIONS)
        self._execute(sql.CHOOSE_NEW_RUBRICS)
        self._write("rubric", sql.INSERT_RUBRICS)
        self._write("criterion", sql.INSERT_CRITERIA)
        self._execute(sql.RESOLVE_VERDICTS)
        self._require_none(sql.VERDICT_CONTRADICTIONS)
        self._write("verdict", sql.INSERT_VERDICTS)
        self._require_none(sql.PREFERENCE_CONTRADICTIONS)
        self._write("preference", sql.INSERT_PREFERENCES)
        self._require_none(sql.RATING_CONTRADICTIONS)
        self._write("rating", sql.INSERT_RATINGS)

    def _execute(self, statement: str) -> int:
        self._cursor.execute(statement, self._values)
        return int(self._cursor.rowcount)

    def _write(self, table: str, statement: str) -> None:
        self.written[table] = self._execute(statement)

    def _require_none(self, question: str) -> None:
        self._cursor.execute(f"{question} ORDER BY 1, 2 LIMIT %(most)s", self._values)
        if found := [Refusal(line, field, reason) for line, field, reason in self._cursor.fetchall()]:
            raise ImportRefused(found)
