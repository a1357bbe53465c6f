"""Protects GRPO runs through TRL: events, resuming, the adapter, and that a demonstration is called one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training.runs import kinds, last, make_context, write_config
from training import train
from training.checkpoints import is_complete, newest_complete
from training.configs import GrpoConfig, from_preset
from training.dataset import load_snapshot
from training.events import read_events
from training.faults import Cancelled, TrainingFault
from training.grpo import GrpoRun
from training.policy import fitted_prompt, load_policy


def _config(snapshot_dir: Path, reward_model_dir: Path, **fields: Any) -> GrpoConfig:
    config = from_preset(
        "smoke-grpo",
        snapshot_dir=str(snapshot_dir),
        reward_model_dir=str(reward_model_dir),
        **{"max_prompt_length": 96, **fields},
    )
    assert isinstance(config, GrpoConfig)
    return config


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, snapshot_dir: Path, reward_model_dir: Path) -> Path:
    """The embedded policy's run, through the trainer's own entry."""
    run_dir = write_config(
        tmp_path_factory.mktemp("grpo"),
        "smoke-grpo",
        snapshot_dir=str(snapshot_dir),
        reward_model_dir=str(reward_model_dir),
        max_prompt_length=96,
    )
    assert train.main([str(run_dir)]) == 0
    return run_dir


def _policy_weights(run_dir: Path) -> dict[str, torch.Tensor]:
    return load_file(run_dir / "final" / "model.safetensors")


def test_a_run_streams_the_tiers_and_ends_with_a_report(finished: Path) -> None:
    metric = last(finished, "metric")["data"]
    wanted = {
        "reward",
        "kl",
        "s1",
        "s2",
        "s3",
        "zero_variance_groups",
        "completion_length",
        "repetition",
        "loss",
    }
    assert wanted <= metric.keys()
    assert last(finished, "progress")["data"] == {"step": 4, "total_steps": 4}
    assert kinds(finished)[-2:] == ["evaluation", "succeeded"]
    assert is_complete(finished / "final")


def test_a_demonstration_is_called_one(finished: Path) -> None:
    report = json.loads((finished / "report.json").read_text())
    card = json.loads((finished / "final" / "run_card.json").read_text())
    assert "random weights" in report["demonstration"]
    assert "random weights" in report["table"]
    assert "random weights" in card["demonstration"]
    keys = {figure["key"] for figure in report["figures"]}
    assert {"policy.gain.reward", "policy.trained.length", "policy.initial.repetition"} <= keys


def test_a_policy_can_be_measured_by_an_evaluation_run(
    tmp_path: Path, finished: Path, snapshot_dir: Path, reward_model_dir: Path
) -> None:
    run_dir = write_config(
        tmp_path,
        "evaluation-policy",
        snapshot_dir=str(snapshot_dir),
        checkpoint_dir=str(finished / "final"),
        reward_model_dir=str(reward_model_dir),
    )
    assert train.main([str(run_dir)]) == 0
    report = json.loads((run_dir / "report.json").read_text())
    assert report["kind"] == "policy"
    assert report["warning"].startswith("Final outputs may still be wrong")


def test_a_stopped_run_resumes_to_the_same_policy(
    tmp_path: Path, finished: Path, snapshot_dir: Path, reward_model_dir: Path
) -> None:
    stopped = make_context(tmp_path / "stopped")
    run = GrpoRun(_config(snapshot_dir, reward_model_dir), stopped)
    trainer = run._trainer()
    run._trainer = lambda: trainer  # type: ignore[method-assign]
    plain_emit = stopped.events.emit

    def emit(kind: Any, step: int | None = None, /, **data: Any) -> None:
        plain_emit(kind, step, **data)
        if kind == "progress" and step == 1:
            (tmp_path / "stopped" / "CANCEL").touch()

    stopped.events.emit = emit  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        run.run()
    checkpoint = newest_complete(tmp_path / "stopped")
    assert checkpoint is not None
    steps_done = int(checkpoint.name.removeprefix("step-"))
    assert 0 < steps_done < 4

    resumed = make_context(tmp_path / "resumed")
    GrpoRun(_config(snapshot_dir, reward_model_dir, resume_from=str(checkpoint)), resumed).run()
    first = next(event for event in read_events(tmp_path / "resumed") if event["kind"] == "metric")
    assert first["step"] == steps_done + 1
    whole, again = _policy_weights(finished), _policy_weights(tmp_path / "resumed")
    assert all(torch.allclose(whole[name], again[name], atol=1e-5) for name in whole)


@pytest.mark.parametrize("form", ["scalar", "lexicographic"])
def test_a_local_qwen3_policy_trains_with_an_adapter(
    tmp_path: Path, snapshot_dir: Path, reward_model_dir: Path, qwen_dir: Path, form: str
) -> None:
    config = _config(
        snapshot_dir,
        reward_model_dir,
        base_model=str(qwen_dir),
        warm_up_steps=0,
        lora_rank=2,
        max_steps=1,
        form=form,
        tiers="verdicts",
    )
    final = GrpoRun(config, make_context(tmp_path)).run()
    assert not any("lora" in name for name in load_file(final / "model.safetensors"))
    load_policy(final, dtype=torch.float32)


def test_a_prompt_that_does_not_fit_is_cut_in_its_middle(snapshot_dir: Path, qwen_dir: Path) -> None:
    _, tokenizer = load_policy(qwen_dir, dtype=torch.float32)
    item = load_snapshot(snapshot_dir).items[0]
    messages, cut = fitted_prompt(item, tokenizer, limit=45)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert cut
    assert len(tokenizer(text)["input_ids"]) <= 45
    assert messages[0]["content"].startswith("What")


def test_a_directory_without_a_reward_model_is_refused(tmp_path: Path, snapshot_dir: Path) -> None:
    with pytest.raises(TrainingFault, match="no finished reward model"):
        GrpoRun(_config(snapshot_dir, tmp_path), make_context(tmp_path / "run"))
