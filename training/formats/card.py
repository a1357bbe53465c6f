"""The dataset card: what a reader of the files must know, in the format of the Hugging Face hub. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CONFIGS = ("preferences", "trl_reward", "prompts")


def card(manifest: Mapping[str, Any], *, project_name: str) -> str:
    """`README.md` of a snapshot; `manifest` needs everything but `files` and `sha256`."""
    counts = manifest["counts"]
    configs = "\n".join(f"- config_name: {name}\n  data_files: {name}.parquet" for name in _CONFIGS)
    return f"""---
language:
- en
task_categories:
- text-generation
tags:
- medical
- reward-model
- preference
- rubric
configs:
{configs}
---

# {project_name}, snapshot {manifest["number"]}

{counts["items"]} items and {counts["pairs"]["total"]} criterion-level pairs, made by GoldRounds from rubrics and
judgements that physicians corrected and approved. Not medical advice; not for clinical use. A model trained on
these rows may still be wrong.

## Files

| file | a line is |
|---|---|
| `items.jsonl` | an instruction with its rubric, its responses and the verdicts on them |
| `preferences.jsonl`, `.parquet` | one criterion and two responses, of which `chosen` satisfies it |
| `trl_reward.jsonl`, `.parquet` | the same as message lists, the criterion in the last user turn |
| `prompts.jsonl`, `.parquet` | a prompt and the criteria for a reward function (GRPO) |
| `manifest.json`, `manifest.sig` | hashes, counts, sources; an Ed25519 signature over it |

Where reviewers saw images, lab tables or vital signs beside an instruction, `attachments` in `items.jsonl` names their
kind and SHA-256; what they show is in none of these files.

Each row says its `split`: {_splits(counts)}. Near-duplicate instructions share a cluster, and a cluster lies in one
split. Held-out instructions are in `test` only.

A verdict says whether the statement was *met*; a criterion of polarity `must_not_hold` is *satisfied* when it
wasn't. In `preferences` the polarity is written `positive` (must hold) or `negative` (must not hold). A pair exists
only where both responses have a verdict on the criterion and differ.

## Origin and strength

{_table(counts["pairs"]["by_strength"], "strength", "pairs")}

`gold`: reviewed here by physicians, who appear by pseudonym only. Anything else was imported with its own label.

## Dimensions

{_table(counts["pairs"]["by_dimension"], "dimension", "pairs")}

## Sources and licences

{_sources(manifest["sources"])}

Some rows carry a `canary`: keep it with every row derived from them, and don't put those rows on public pages.
"""


def _splits(counts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{split} ({counts['splits'][split]['items']} items, {counts['splits'][split]['pairs']} pairs)"
        for split in counts["splits"]
    )


def _table(counts: Mapping[str, int], name: str, unit: str) -> str:
    rows = "\n".join(f"| {key} | {value} |" for key, value in sorted(counts.items()))
    return f"| {name} | {unit} |\n|---|---|\n{rows}"


def _sources(sources: list[dict[str, Any]]) -> str:
    rows = "\n".join(
        f"| {row['source'] or '(not stated)'} | {row['licence'] or '(not stated)'} | {row['items']} |"
        for row in sources
    )
    return f"| source | licence | items |\n|---|---|---|\n{rows}"
