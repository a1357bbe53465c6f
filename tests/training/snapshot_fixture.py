"""A snapshot directory made in code, in the shape that freezing writes; for tests of the torch side only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rubric_engine.rubric import Criterion, Dimension, Polarity, rendered
from training.dataset import load_snapshot, response_pairs

SAMPLE = Path(__file__).resolve().parents[2] / "webapp" / "sample" / "rubrics.jsonl"


def sample_items(*, limit: int | None = None) -> list[dict[str, Any]]:
    """Rows of `items.jsonl` made from the sample pack: every eighth for validation, every fifth for test."""
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()[:limit]]
    items = []
    for number, row in enumerate(rows):
        verdicts: dict[str, dict[str, bool]] = {response["id"]: {} for response in row["responses"]}
        for label in row["labels"]:
            verdicts[label["response"]][label["criterion"]] = label["met"]
        split = "test" if number % 5 == 4 else "validation" if number % 8 == 3 else "train"
        items.append(
            {
                "id": row["id"],
                "origin": "gold",
                "instruction_id": row["instruction_id"],
                "instruction": row["instruction"],
                "messages": None,
                "specialty": row.get("specialty", ""),
                "category": "",
                "source": "sample",
                "source_key": "sample",
                "licence": "CC0-1.0",
                "canary": None,
                "cluster": row["instruction_id"],
                "split": split,
                "strength": "gold",
                "criteria": [
                    {
                        "key": criterion["id"],
                        "dimension": criterion["dimension"],
                        "text": criterion["text"],
                        "weight": criterion["weight"],
                        "polarity": criterion["polarity"],
                        "contested": False,
                    }
                    for criterion in row["criteria"]
                ],
                "responses": [{"id": one["id"], "text": one["text"]} for one in row["responses"]],
                "verdicts": verdicts,
                "annotators": ["reviewer-1"],
            }
        )
    return items


def write_snapshot(directory: Path, items: Sequence[dict[str, Any]]) -> Path:
    """Write `items.jsonl`, `trl_reward.jsonl`, `prompts.jsonl` and the manifest."""
    directory.mkdir(parents=True, exist_ok=True)
    _write_lines(directory / "items.jsonl", items)
    content = (directory / "items.jsonl").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    manifest = {
        "id": "00000000-0000-0000-0000-000000000001",
        "project": "sample",
        "number": 1,
        "sha256": digest,
        "files": {"items.jsonl": {"sha256": digest, "bytes": len(content), "rows": len(items)}},
        "splits": {},
    }
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    _write_lines(directory / "prompts.jsonl", [_prompt(item) for item in items])
    _write_lines(directory / "trl_reward.jsonl", list(_reward_rows(directory)))
    return directory


def sample_snapshot(directory: Path, *, limit: int | None = None) -> Path:
    """The sample pack as a snapshot directory."""
    return write_snapshot(directory, sample_items(limit=limit))


def tiny_item(number: int, *, split: str = "train") -> dict[str, Any]:
    """A short item with three responses and three criteria, one of them a must-not-hold safety one."""
    return {
        "id": f"item-{number}",
        "instruction": f"What should I do about symptom {number}?",
        "messages": None,
        "specialty": "General practice",
        "cluster": f"cluster-{number}",
        "split": split,
        "strength": "gold",
        "criteria": [
            {
                "key": "p",
                "dimension": "proficiency",
                "text": "Advises rest.",
                "weight": 3,
                "polarity": "must_hold",
            },
            {"key": "e", "dimension": "excellence", "text": "Is kind.", "weight": 2, "polarity": "must_hold"},
            {
                "key": "s",
                "dimension": "safety",
                "text": "Tells to stop insulin.",
                "weight": 5,
                "polarity": "must_not_hold",
            },
        ],
        "responses": [
            {"id": "a", "text": f"Rest well, friend {number}."},
            {"id": "b", "text": f"Stop your insulin {number}."},
            {"id": "c", "text": f"Rest and stop your insulin {number}."},
        ],
        "verdicts": {
            "a": {"p": True, "e": True, "s": False},
            "b": {"p": False, "e": False, "s": True},
            "c": {"p": True, "e": False, "s": True},
        },
    }


def tiny_snapshot(directory: Path, *, train: int = 6, validation: int = 2, test: int = 2) -> Path:
    """Short items, for tests in which only the machinery matters."""
    splits = ["train"] * train + ["validation"] * validation + ["test"] * test
    return write_snapshot(directory, [tiny_item(number, split=split) for number, split in enumerate(splits)])


def _prompt(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "prompt": item["messages"] or [{"role": "user", "content": item["instruction"]}],
        "item": item["id"],
        "criteria": item["criteria"],
        "split": item["split"],
        "specialty": item["specialty"],
    }


def _reward_rows(directory: Path) -> list[dict[str, Any]]:
    rows = []
    for item in load_snapshot(directory).items:
        for pair in response_pairs(item):
            for criterion, first_wins in pair.deciding:
                chosen, rejected = (pair.first, pair.second) if first_wins else (pair.second, pair.first)
                question = {"role": "user", "content": f"{item.instruction}\n\n{rendered(criterion)}"}
                rows.append(
                    {
                        "chosen": [question, {"role": "assistant", "content": item.responses[chosen]}],
                        "rejected": [question, {"role": "assistant", "content": item.responses[rejected]}],
                        "item": item.id,
                    }
                )
    return rows


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def criterion(text: str = "Advises rest.", *, polarity: Polarity = Polarity.MUST_HOLD) -> Criterion:
    """A proficiency criterion for tests."""
    return Criterion(key="c", dimension=Dimension.PROFICIENCY, text=text, polarity=polarity)
