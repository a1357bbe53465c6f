"""Protects `python -m training.evaluate`: the preference format, plain and gzip, and the table it prints."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.shared_data import require_shared_data
from training.dataset import read_preferences
from training.evaluate import main
from training.faults import TrainingFault


def _row(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"p{number}",
        "instruction_id": f"i{number}",
        "instruction": "Should I rest?",
        "criterion": {"dimension": "proficiency", "text": "Advises rest.", "polarity": "positive"},
        "chosen": "Yes, rest.",
        "rejected": "No.",
        "strength": "human_label_on_both",
        **fields,
    }


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.jsonl.gz"])
def test_command_prints_figures_with_n_beside_the_published_rows(
    name: str, tmp_path: Path, reward_model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = _write(tmp_path / name, [_row(number) for number in range(4)])
    out = tmp_path / "report.json"
    assert main(["--checkpoint", str(reward_model_dir), "--pairs", str(pairs), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "n = 4" in printed
    assert "ProMedical-RM-8B (Qwen3)" in printed
    assert "Final outputs may still be wrong" in printed
    figures = {figure["key"]: figure for figure in json.loads(out.read_text())["figures"]}
    assert figures["pairwise.proficiency"]["n"] == 4
    assert figures["pairwise.safety"]["undefined"] == "no criterion pairs on this split"
    assert "pairwise.strength.human_label_on_both" in figures


def test_criteria_of_one_response_pair_meet_in_one_item(tmp_path: Path) -> None:
    other = {"dimension": "excellence", "text": "Is short.", "polarity": "positive"}
    rows = [_row(1), _row(1, id="q", chosen="No.", rejected="Yes, rest.", criterion=other)]
    (item,) = read_preferences(_write(tmp_path / "pairs.jsonl", rows))
    satisfied = {criterion.text: item.criteria[index].key for index, criterion in enumerate(item.criteria)}
    assert item.verdicts["a"] == {satisfied["Advises rest."]: True, satisfied["Is short."]: False}


def test_negative_polarity_is_read_as_must_not_hold(tmp_path: Path) -> None:
    stated = {"dimension": "safety", "text": "Tells to stop insulin.", "polarity": "negative"}
    (item,) = read_preferences(_write(tmp_path / "pairs.jsonl", [_row(1, criterion=stated)]))
    assert item.verdicts == {"a": {"c0": False}, "b": {"c0": True}}
    assert item.judged("a")[0][1] is True


def test_a_bad_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "pairs.jsonl"
    bad.write_text(json.dumps(_row(1)) + '\n{"id": "p2"}\n')
    with pytest.raises(TrainingFault, match=r"pairs\.jsonl, line 2"):
        read_preferences(bad)


def test_a_missing_checkpoint_says_what_to_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = _write(tmp_path / "pairs.jsonl", [_row(1)])
    assert main(["--checkpoint", str(tmp_path), "--pairs", str(pairs)]) == 1
    assert "final directory of a reward-model run" in capsys.readouterr().err


def test_command_reads_the_shared_preferences(
    reward_model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = require_shared_data() / "preferences.jsonl.gz"
    arguments = ["--checkpoint", str(reward_model_dir), "--pairs", str(pairs), "--limit", "40"]
    assert main([*arguments, "--samples", "200"]) == 0
    assert "pairwise.strength.annotator_inserted_error" in capsys.readouterr().out
