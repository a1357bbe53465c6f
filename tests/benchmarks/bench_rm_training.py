"""Reward-model training: steps a second on the embedded default, and what packing gains over expanded rows.

The gain is measured on a random Qwen3 at the shape of the performance page (instruction 150, response 500,
seven criteria of 30 tokens), forward, backward and AdamW, interleaved, against expanded rows at their best
micro-batch. Expanded rows are criterion-last, as TRL's RewardTrainer would be given them.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen3Config, Qwen3Model
from transformers.utils import logging as transformers_logging

from tests.benchmarks.figures import figure
from tests.training.runs import make_context
from tests.training.snapshot_fixture import sample_snapshot
from training.configs import RewardModelConfig, from_preset
from training.packing import Segment, lay_out, separate
from training.reward_model import RewardModel
from training.reward_training import RewardTrainer

WARM_UP, STEPS, ROUNDS = 2, 7, 5
INSTRUCTION, RESPONSE, CRITERION, CRITERIA, VOCABULARY = 150, 500, 30, 7, 2048
MICRO_BATCHES = (1, 7, 14)


def run() -> list[dict[str, Any]]:
    """Figures of the embedded default's speed and of packing's gain."""
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    return [_steps_per_second(), _gain()]


def _steps_per_second() -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="goldrounds-bench-"))
    try:
        snapshot = sample_snapshot(home / "snapshot")
        config = from_preset("embedded-rm", snapshot_dir=str(snapshot))
        if not isinstance(config, RewardModelConfig):
            raise TypeError("embedded-rm is a reward-model preset")
        torch.set_num_threads(config.threads)
        trainer = RewardTrainer(config, make_context(home / "run"))
        seconds = [trainer._step(step).seconds for step in range(1, WARM_UP + STEPS + 1)][WARM_UP:]
    finally:
        shutil.rmtree(home)
    return figure("training.rm_steps_per_s", [1 / one for one in seconds], "steps/s")


def _gain() -> dict[str, Any]:
    model = _model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    trees = [_tree(offset) for offset in (0, 1)]
    chains = [chain for tree in trees for chain in separate(tree)]
    ways: dict[str, Callable[[], float]] = {
        "packed": lambda: _timed(model, optimizer, trees, rows=len(trees)),
        **{
            f"expanded {rows}": lambda rows=rows: _timed(model, optimizer, chains, rows=rows)  # type: ignore[misc]
            for rows in MICRO_BATCHES
        },
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(way())
    best = min((name for name in ways if name != "packed"), key=lambda name: sorted(times[name])[ROUNDS // 2])
    gains = [slow / fast for slow, fast in zip(times[best], times["packed"], strict=True)]
    return figure(
        "training.rm_packed_gain",
        gains,
        "x",
        goal=">= 4",
        baseline=f"expanded rows, best micro-batch ({best.removeprefix('expanded ')} rows)",
    )


def _timed(model: RewardModel, optimizer: torch.optim.Optimizer, trees: list[Segment], *, rows: int) -> float:
    """Seconds of one optimizer step over all trees, in micro-batches of `rows`."""
    began = time.perf_counter()
    for start in range(0, len(trees), rows):
        scores = model(model.batch([lay_out(tree) for tree in trees[start : start + rows]]))
        torch.nn.functional.softplus(-scores).sum().backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return time.perf_counter() - began


def _model() -> RewardModel:
    torch.manual_seed(0)
    backbone = Qwen3Model(
        Qwen3Config(
            vocab_size=VOCABULARY,
            hidden_size=256,
            intermediate_size=768,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=64,
            max_position_embeddings=2048,
        )
    )
    return RewardModel(backbone, causal=True, pad_token=0, hidden_size=256)


def _tree(offset: int) -> Segment:
    def tokens(size: int, start: int) -> tuple[int, ...]:
        return tuple((start + 7 * index) % VOCABULARY for index in range(size))

    leaves = tuple(Segment(tokens(CRITERION, 100 * number)) for number in range(CRITERIA))
    return Segment(tokens(INSTRUCTION + RESPONSE, offset), leaves)
