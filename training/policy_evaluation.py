"""Measuring a policy: the reward of its answers to held-out prompts, beside the policy it started from.

Both answer the same prompts with the same seed and are scored by the same frozen reward model. Length and
repetition stand beside the reward: a rise on gibberish is reward hacking and must be seen as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rubric_engine.rubric import Dimension
from training import bootstrap
from training.base_models import device_for
from training.dataset import Item
from training.policy import fitted_prompt, load_policy
from training.report import policy_report
from training.rewards import HierarchicalReward, Tiers, repetition
from training.run_context import WARNING

_BATCH = 16


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn."""

    max_prompt_length: int
    max_completion_length: int
    temperature: float
    answers_per_prompt: int
    seed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one policy, scored."""

    item: Item
    text: str
    tokens: int
    tiers: Tiers


def with_whole_rubrics(items: Sequence[Item]) -> list[Item]:
    """Items whose criteria hold proficiency and safety, one for each instruction: what a reward exists for."""
    kept: dict[str, Item] = {}
    for item in items:
        if item.rubric.of(Dimension.PROFICIENCY) and item.rubric.of(Dimension.SAFETY):
            kept.setdefault(item.instruction, item)
    return list(kept.values())


def answers(
    policy_dir: Path, items: Sequence[Item], reward: HierarchicalReward, sampling: Sampling
) -> list[Answer]:
    """Draw and score answers to held-out items."""
    texts = generate(policy_dir, items, sampling)
    repeated = [item for item in items for _ in range(sampling.answers_per_prompt)]
    scored = reward.score(repeated, [text for text, _ in texts])
    return [
        Answer(item, text, tokens, one)
        for item, (text, tokens), one in zip(repeated, texts, scored, strict=True)
    ]


@torch.no_grad()
def generate(policy_dir: Path, items: Sequence[Item], sampling: Sampling) -> list[tuple[str, int]]:
    """(text, tokens) of `answers_per_prompt` answers to each item, in order."""
    model, tokenizer = load_policy(
        policy_dir, dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32
    )
    model.eval().to(device_for("float32"))
    torch.manual_seed(sampling.seed)
    prompts = []
    for item in items:
        messages, _ = fitted_prompt(item, tokenizer, limit=sampling.max_prompt_length)
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        prompts += [text] * sampling.answers_per_prompt
    drawn: list[tuple[str, int]] = []
    for start in range(0, len(prompts), _BATCH):
        batch = tokenizer(
            prompts[start : start + _BATCH], return_tensors="pt", padding=True, add_special_tokens=False
        ).to(model.device)
        output = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            do_sample=True,
            temperature=sampling.temperature,
            top_k=0,
            max_new_tokens=sampling.max_completion_length,
            pad_token_id=tokenizer.pad_token_id,
        )[:, batch["input_ids"].shape[1] :]
        for row in output:
            tokens = int((row != tokenizer.pad_token_id).sum())
            drawn.append((str(tokenizer.decode(row, skip_special_tokens=True)), tokens))
    return drawn


def compare(
    trained: Sequence[Answer], initial: Sequence[Answer], *, reward: HierarchicalReward, samples: int
) -> list[dict[str, Any]]:
    """Figures of both policies and the difference in reward, paired by prompt."""
    figures: list[dict[str, Any]] = []

    def add(key: str, rows: Sequence[tuple[str, float]]) -> None:
        figure = bootstrap.mean(rows, samples=samples, nothing="no held-out prompts with a whole rubric")
        figures.append({"key": key, "unit": "mean", **figure.as_dict()})

    for name, drawn in (("trained", trained), ("initial", initial)):
        add(f"policy.{name}.reward", [(one.item.cluster, reward.value(one.tiers)) for one in drawn])
        for tier in ("s1", "s2", "s3"):
            add(
                f"policy.{name}.{tier}",
                [(one.item.cluster, float(getattr(one.tiers, tier))) for one in drawn],
            )
        add(f"policy.{name}.length", [(one.item.cluster, float(one.tokens)) for one in drawn])
        add(f"policy.{name}.repetition", [(one.item.cluster, repetition(one.text)) for one in drawn])
    paired = zip(trained, initial, strict=True)
    add(
        "policy.gain.reward",
        [
            (mine.item.cluster, reward.value(mine.tiers) - reward.value(theirs.tiers))
            for mine, theirs in paired
        ],
    )
    return figures


def measured(
    trained_dir: Path,
    initial_dir: Path,
    items: Sequence[Item],
    *,
    reward: HierarchicalReward,
    sampling: Sampling,
    samples: int,
    name: str,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """The report of a policy beside the one it started from."""
    trained = answers(trained_dir, items, reward, sampling)
    initial = answers(initial_dir, items, reward, sampling)
    figures = compare(trained, initial, reward=reward, samples=samples)
    examples = [
        {"instruction": mine.item.instruction, "trained": mine.text, "initial": theirs.text}
        for mine, theirs in list(zip(trained, initial, strict=True))[:3]
    ]
    second = "No second reward model was named: a rise may be reward hacking; read the examples."
    report = policy_report(
        name=name,
        figures=figures,
        facts={**facts, "examples": examples, "second_reward_model": second, "warning": WARNING},
    )
    notes = [note for note in (facts.get("demonstration"), second) if note]
    return {**report, "notes": [*notes, *report["notes"]], "table": "\n".join([report["table"], *notes])}
