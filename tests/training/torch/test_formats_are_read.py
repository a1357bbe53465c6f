"""Protects the promise that others read our files as they are: `datasets` and TRL's RewardTrainer."""

from __future__ import annotations

from pathlib import Path

from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl.trainer.reward_config import RewardConfig
from trl.trainer.reward_trainer import RewardTrainer


def test_datasets_reads_the_reward_rows(snapshot_dir: Path, tmp_path: Path) -> None:
    rows = load_dataset("json", data_files=str(snapshot_dir / "trl_reward.jsonl"), cache_dir=str(tmp_path))[
        "train"
    ]
    assert {"chosen", "rejected"} <= set(rows.column_names)
    assert "margin" not in rows.column_names
    assert rows[0]["chosen"][0]["role"] == "user"
    assert rows[0]["chosen"][1] != rows[0]["rejected"][1]


def test_trl_reward_trainer_takes_the_rows_as_they_are(
    snapshot_dir: Path, qwen_dir: Path, tmp_path: Path
) -> None:
    rows = load_dataset("json", data_files=str(snapshot_dir / "trl_reward.jsonl"), cache_dir=str(tmp_path))[
        "train"
    ]
    model = AutoModelForSequenceClassification.from_pretrained(qwen_dir, num_labels=1, dtype="float32")
    tokenizer = AutoTokenizer.from_pretrained(qwen_dir)
    model.config.pad_token_id = tokenizer.pad_token_id
    trainer = RewardTrainer(
        model=model,
        args=RewardConfig(
            output_dir=str(tmp_path / "out"),
            max_steps=2,
            per_device_train_batch_size=2,
            bf16=False,
            gradient_checkpointing=False,
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=rows,
        processing_class=tokenizer,
    )
    assert trainer.train_dataset.num_rows == len(rows)  # type: ignore[union-attr]
    assert trainer.train().training_loss > 0
