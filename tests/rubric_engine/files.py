"""Hostile and plain files for import tests, made on the spot."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

GOOD = [{"id": f"q{number}", "instruction": f"Question number {number}?"} for number in range(50)]


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def parquet(columns: dict[str, list[Any]]) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


@dataclass(frozen=True)
class Hostile:
    """A file that must be refused: what it is called, what it holds, what the refusal must say, and where."""

    name: str
    content: Callable[[], bytes]
    says: str
    line: int | None = None
    suffix: str = ".jsonl"
    kind: str = ""

    @property
    def filename(self) -> str:
        return f"{self.name.replace(' ', '-')}{self.suffix}"


def _after_good(*tail: bytes) -> Callable[[], bytes]:
    return lambda: jsonl(*GOOD) + b"".join(tail)


def _criterion(**changes: Any) -> dict[str, Any]:
    return {"id": "c1", "dimension": "safety", "text": "Warns.", "polarity": "positive"} | changes


def _rubric(**changes: Any) -> dict[str, Any]:
    whole = {
        "id": "r1",
        "instruction": "What now?",
        "criteria": [_criterion()],
        "responses": [{"id": "a", "text": "Wait."}],
        "labels": [{"response": "a", "criterion": "c1", "met": False}],
    }
    return whole | changes


def _in_rubrics(name: str, says: str, **changes: Any) -> Hostile:
    good = _rubric(id="r0")
    return Hostile(name, lambda: jsonl(good, _rubric(**changes)), says, 2, kind="rubrics")


HOSTILE: list[Hostile] = [
    Hostile("empty", lambda: b"", "empty", 0),
    Hostile("only blank lines", lambda: b"\n\n  \n", "no rows", 0),
    Hostile("half of a row", _after_good(b'{"id": "q50", "instr'), "cut off", 51),
    Hostile("not JSON", _after_good(b"id;instruction\n"), "no valid JSON", 51),
    Hostile(
        "a list", lambda: b"[" + b",".join(jsonl(row).strip() for row in GOOD) + b"]\n", "a JSON array", 1
    ),
    Hostile("pretty printed", lambda: json.dumps(GOOD, indent=1).encode(), "one object a line", 1),
    Hostile("NaN", _after_good(b'{"instruction": "x", "n": NaN}\n'), "NaN is no JSON number", 51),
    Hostile(
        "an enormous number", _after_good(b'{"instruction": "x", "n": ' + b"9" * 9999 + b"}\n"), "JSON", 51
    ),
    Hostile(
        "deep JSON", _after_good(b'{"instruction": "x", "d": ' + b"[" * 60 + b"]" * 60 + b"}\n"), "deeper", 51
    ),
    Hostile("bottomless JSON", _after_good(b'{"instruction": ' + b"[" * 900_000 + b"\n"), "deeper", 51),
    Hostile("deep objects", _after_good(b'{"a":' * 40 + b"1" + b"}" * 40 + b"\n"), "deeper", 51),
    Hostile("NUL", _after_good(b'{"id": "q50", "instruction": "a\\u0000b"}\n'), "NUL", 51),
    Hostile("NUL in a key", _after_good(b'{"instruction": "x", "a\\u0000b": 1}\n'), "NUL", 51),
    Hostile("NUL byte", _after_good(b'{"instruction": "a\x00b"}\n'), "JSON", 51),
    Hostile("half a surrogate", _after_good(b'{"instruction": "a\\ud800b"}\n'), "surrogate", 51),
    Hostile("Latin 1", _after_good('{"instruction": "Fièvre ?"}\n'.encode("latin-1")), "not UTF-8", 51),
    Hostile("UTF-16", lambda: jsonl(*GOOD).decode().encode("utf-16"), "UTF-16", 1),
    Hostile(
        "a line of 5 MB", _after_good(b'{"instruction": "' + b"a" * 5_000_000 + b'"}\n'), "longer than", 51
    ),
    Hostile("100,000 keys", lambda: jsonl(dict.fromkeys(map(str, range(100_000)), "")), "100,000 fields", 1),
    Hostile("a zip", lambda: b"PK\x03\x04" + b"\x00" * 100, "ZIP", 0),
    Hostile(
        "a bomb of one line",
        lambda: gzip.compress(b'{"instruction": "' + b"a" * 30_000_000),
        "longer than",
        1,
        ".jsonl.gz",
    ),
    Hostile(
        "a bomb of lines",
        lambda: gzip.compress(jsonl({"instruction": "a" * 2_000}) * 15_000),
        "times its size",
        None,
        ".jsonl.gz",
    ),
    Hostile(
        "a bomb of blank lines", lambda: gzip.compress(b"\n" * 30_000_000), "blank lines", None, ".jsonl.gz"
    ),
    Hostile("half a gzip", lambda: gzip.compress(jsonl(*GOOD))[:-20], "ends early", None, ".jsonl.gz"),
    Hostile("damaged gzip", lambda: b"\x1f\x8b\x08" + b"\x07" * 200, "", 1, ".jsonl.gz"),
    Hostile(
        "short CSV row", lambda: b"id,instruction\nq1,one\nq2\n", "1 cells, but the header has 2", 3, ".csv"
    ),
    Hostile("long CSV row", lambda: b"id,instruction\nq1,one\nq2,two,three\n", "3 cells", 3, ".csv"),
    Hostile(
        "open quotation", lambda: b'id,instruction\nq1,one\nq2,"two\nq3,three\n', "quotation mark", 3, ".csv"
    ),
    Hostile(
        "100,000 columns",
        lambda: b",".join(b"c%d" % n for n in range(100_000)) + b"\n",
        "100,000 columns",
        1,
        ".csv",
    ),
    Hostile("a column twice", lambda: b"id,instruction,id\n1,a,2\n", "there twice", 1, ".csv"),
    Hostile("a nameless column", lambda: b"id,instruction,\n1,a,2\n", "empty", 1, ".csv"),
    Hostile("NUL in CSV", lambda: b"id,instruction\nq1,one\nq2,t\x00wo\n", "NUL", 3, ".csv"),
    Hostile(
        "CSV in Latin 1", lambda: "id,instruction\nq1,Fièvre\n".encode("latin-1"), "not UTF-8", 2, ".csv"
    ),
    Hostile("half a Parquet", lambda: parquet({"instruction": ["a", "b"]})[:-30], "Parquet", 0, ".parquet"),
    Hostile("no Parquet", lambda: b"PAR1" + b"\xff" * 500 + b"PAR1", "Parquet", 0, ".parquet"),
    Hostile("NUL in Parquet", lambda: parquet({"instruction": ["a", "b\x00c"]}), "NUL", 2, ".parquet"),
    Hostile(
        "10,000 Parquet columns",
        lambda: parquet({f"c{n}": [1] for n in range(10_000)}),
        "10,000 columns",
        0,
        ".parquet",
    ),
    Hostile("no known columns", lambda: jsonl({"a": 1}), "fit no kind", 1),
    Hostile(
        "an empty instruction", _after_good(b'{"id": "q50", "instruction": "  "}\n'), "missing or empty", 51
    ),
    Hostile(
        "a list as text", _after_good(b'{"id": "q50", "instruction": ["x"]}\n'), "a list where a text", 51
    ),
    Hostile(
        "an address that runs",
        _after_good(jsonl({"instruction": "x", "licence_url": "javascript:alert(1)"})),
        "web address",
        51,
    ),
    Hostile(
        "a long specialty",
        _after_good(jsonl({"instruction": "x", "specialty": "s" * 121})),
        "at most 120",
        51,
    ),
    Hostile("difficulty 11", _after_good(jsonl({"instruction": "x", "difficulty": 11})), "0 to 10", 51),
    Hostile(
        "one id, two texts", _after_good(jsonl({"id": "q7", "instruction": "Other."})), "other content", 51
    ),
    Hostile(
        "a wrong role",
        _after_good(jsonl({"instruction": "x", "messages": [{"role": "root", "content": "y"}]})),
        "role",
        51,
    ),
    Hostile(
        "unknown instruction",
        lambda: jsonl({"instruction_id": "nobody", "text": "x"}),
        "not in this project",
        1,
    ),
    Hostile(
        "unknown rubric",
        lambda: jsonl({"rubric_id": "r", "criterion": "c", "response": "a", "met": True}),
        "import it first",
        1,
    ),
    Hostile(
        "a pair of one text",
        lambda: jsonl({"instruction": "x", "chosen": "a", "rejected": "a"}),
        "different",
        1,
    ),
    _in_rubrics("no criteria", "at least one criterion", criteria=[]),
    _in_rubrics("polarity guessed from a sign", "polarity", criteria=[_criterion(polarity=None, points=-5)]),
    _in_rubrics("unknown dimension", "dimension", criteria=[_criterion(dimension="style")]),
    _in_rubrics("weight 9", "1 to 5", criteria=[_criterion(weight=9)]),
    _in_rubrics("a criterion twice", "there twice", criteria=[_criterion(), _criterion()]),
    _in_rubrics(
        "a label of nobody",
        "none of this row's responses",
        labels=[{"response": "z", "criterion": "c1", "met": True}],
    ),
    _in_rubrics(
        "satisfied against met",
        "contradicts",
        labels=[{"response": "a", "criterion": "c1", "met": False, "satisfied": True}],
    ),
    _in_rubrics(
        "met is a word",
        "neither true nor false",
        labels=[{"response": "a", "criterion": "c1", "met": "maybe"}],
    ),
]


def write(directory: Path, name: str, content: bytes) -> Path:
    path = directory / name
    path.write_bytes(content)
    return path
