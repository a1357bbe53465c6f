"""Protects lab tables and vital signs: what is out of range is marked, and what isn't a table is refused with its place."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubric_engine.attachments.faults import AttachmentRefused
from rubric_engine.attachments.lines import rows_of
from rubric_engine.attachments.tables import MAX_COLUMNS, MAX_ROWS, measured

POTASSIUM = {"name": "Potassium", "value": 6.1, "unit": "mmol/L", "low": 3.5, "high": 5.1}


def marks(*rows: dict[str, Any], **more: Any) -> list[list[str]]:
    content = measured({"rows": list(rows), **more}, "rows")
    return [[cell["mark"] for cell in row["cells"]] for row in content["rows"]]


def test_a_value_is_marked_by_its_reference_range() -> None:
    assert marks(POTASSIUM) == [["high"]]
    assert marks({**POTASSIUM, "value": "2,9"}) == [["low"]]
    assert marks({**POTASSIUM, "value": 3.5}, {**POTASSIUM, "value": "5.1"}) == [[""], [""]]
    assert marks({"name": "CRP", "value": 80, "high": 5}, {"name": "GFR", "value": 31, "low": 60}) == [
        ["high"],
        ["low"],
    ]


def test_the_range_is_written_out() -> None:
    content = measured(
        {"rows": [POTASSIUM, {"name": "CRP", "value": 1, "high": 5}, {"name": "X", "value": 1}]}, "rows"
    )
    assert [row["reference"] for row in content["rows"]] == ["3.5–5.1", "≤ 5", ""]


def test_where_no_number_is_there_the_laboratory_s_own_flag_counts() -> None:
    assert marks({**POTASSIUM, "value": "haemolysed", "flag": "abnormal"}) == [["abnormal"]]
    assert marks({"name": "Troponin", "value": "<3", "flag": "normal"}) == [[""]]
    assert marks({"name": "Blood pressure", "value": "84/50", "flag": "low"}) == [["low"]]


def test_a_series_becomes_columns_in_the_order_of_the_times() -> None:
    content = measured(
        {
            "signs": [
                {
                    "name": "Heart rate",
                    "high": 100,
                    "series": [{"at": "8:00", "value": 88}, {"at": "9:00", "value": 124}],
                },
                {"name": "SpO2", "unit": "%", "low": 94, "series": [{"at": "9:00", "value": 91}]},
                {"name": "Weight", "value": 70},
            ]
        },
        "signs",
    )
    assert content["columns"] == ["8:00", "9:00"]
    assert [[cell["value"] for cell in row["cells"]] for row in content["rows"]] == [
        ["88", "124"],
        ["", "91"],
        ["70", ""],
    ]
    assert [[cell["mark"] for cell in row["cells"]] for row in content["rows"]] == [
        ["", "high"],
        ["", "low"],
        ["", ""],
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "rows"),
        ({"rows": []}, "rows"),
        ({"rows": "x"}, "rows"),
        ({"rows": [1]}, "rows"),
        ({"rows": [{"value": 1}]}, "rows[0].name"),
        ({"rows": [{"name": "A"}]}, "rows[0].value"),
        ({"rows": [{"name": "A", "value": {}}]}, "rows[0].value"),
        ({"rows": [{"name": "A", "value": True}]}, "rows[0].value"),
        ({"rows": [{"name": "A" * 121, "value": 1}]}, "rows[0].name"),
        ({"rows": [{"name": "A", "value": "\0"}]}, "rows[0].value"),
        ({"rows": [{"name": "\ud800", "value": 1}]}, "rows[0].name"),
        ({"rows": [{**POTASSIUM, "low": "few"}]}, "rows[0].low"),
        ({"rows": [{**POTASSIUM, "low": math.inf}]}, "rows[0].low"),
        ({"rows": [{**POTASSIUM, "low": 9}]}, "rows[0].low"),
        ({"rows": [{**POTASSIUM, "flag": "odd"}]}, "rows[0].flag"),
        ({"rows": [{"name": "A", "values": [1, 2]}]}, "rows[0].values"),
        ({"columns": ["a", "b"], "rows": [{"name": "A", "values": [1]}]}, "rows[0].values"),
        ({"rows": [{"name": "A", "series": [1]}]}, "rows[0].series[0]"),
        ({"rows": [{"name": "A", "series": [{"value": 1}]}]}, "rows[0].series[0].at"),
        ({"rows": [{"name": "A", "series": [{"at": "1", "value": 1}] * 2}]}, "rows[0].series[1].at"),
        ({"rows": [POTASSIUM] * (MAX_ROWS + 1)}, "rows"),
        (
            {"rows": [{"name": "A", "series": [{"at": n, "value": 1} for n in range(MAX_COLUMNS + 1)]}]},
            "rows[0].series",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(given: dict[str, Any], field: str) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        measured(given, "rows")
    assert refused.value.field == field


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "value", "values", "series", "at", "low", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(json_values, json_values)
def test_anything_is_either_read_or_refused(rows: Any, columns: Any) -> None:
    try:
        content = measured({"rows": rows, "columns": columns}, "rows")
    except AttachmentRefused:
        return
    width = max(1, len(content["columns"]))
    assert all(len(row["cells"]) == width and row["name"] for row in content["rows"])


def test_lines_are_read_as_typed_or_pasted() -> None:
    typed = rows_of(
        "Potassium; 6.1; mmol/L; 3.5; 5.1\n\nHeart rate; 08:00 = 118 | 09:00 = 124; /min; 60; 100\n"
    )
    pasted = rows_of("Potassium\t6.1\tmmol/L\t3.5\t5.1\nSodium\t140\n")
    assert (
        typed[0]
        == pasted[0]
        == {"name": "Potassium", "value": "6.1", "unit": "mmol/L", "low": "3.5", "high": "5.1"}
    )
    assert typed[1]["series"] == [{"at": "08:00", "value": "118"}, {"at": "09:00", "value": "124"}]
    assert [row["name"] for row in measured({"rows": typed}, "rows")["rows"]] == ["Potassium", "Heart rate"]


@pytest.mark.parametrize("text", ["a;b;c;d;e;f", "a; 1 = 2 | 3"])
def test_a_line_that_can_not_be_read_is_named(text: str) -> None:
    with pytest.raises(AttachmentRefused, match="Line 2"):
        rows_of(f"Sodium; 140\n{text}")
