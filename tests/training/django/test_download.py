"""Downloads: who may, in ranges, with entity tags, in flat memory; and the real libraries read what comes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.cast import make_token, make_user
from tests.training.django.conftest import MakeGold, add_instruction, add_preference, frozen
from training import integrity
from training.models import Snapshot
from training.snapshots import directory_of
from webapp.accounts.models import Project, Role, User
from webapp.audit.models import Event


@pytest.fixture
def snapshot(clinic: Project, boss: User, make_gold: MakeGold) -> Snapshot:
    for number in range(8):
        make_gold(f"q{number}")
    add_preference(add_instruction(clinic, "imported"), "p1", polarity="must_not_hold")
    return frozen(clinic, boss)


@pytest.fixture
def machine(clinic: Project) -> dict[str, str]:
    """Headers of an API client."""
    user = make_user("machine", clinic, Role.API_CLIENT)
    return {"Authorization": f"Bearer {make_token(user, clinic)}"}


def address(snapshot: Snapshot, name: str = "") -> str:
    base = f"/api/v1/projects/{snapshot.project.slug}/snapshots/{snapshot.pk}"
    return f"{base}/files/{name}" if name else base


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_every_file_comes_whole_and_as_it_lies_on_the_disk(
    client: Client, snapshot: Snapshot, machine: dict[str, str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    listed = client.get(address(snapshot), headers=machine).json()
    assert listed["sha256"] == snapshot.sha256
    for name in [*listed["files"], "manifest.json", "manifest.sig"]:
        response = client.get(address(snapshot, name), headers={**machine, "Accept": "text/plain"})
        assert response.status_code == 200
        content = body(response)
        assert response["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert response["Content-Length"] == str(len(content))
        (copy / name).write_bytes(content)
    assert integrity.verify(copy) == []


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=5-", 206, slice(5, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-99999999", 206, slice(0, None)),
        ("bytes=99999999-", 416, None),
        ("bytes=-0", 416, None),
        ("lines=1-2", 200, slice(0, None)),
        ("bytes=0-1,3-4", 200, slice(0, None)),
    ],
)
def test_ranges(
    client: Client, snapshot: Snapshot, machine: dict[str, str], asked: str, status: int, part: slice | None
) -> None:
    whole = (directory_of(snapshot.pk) / "items.jsonl").read_bytes()
    response = client.get(address(snapshot, "items.jsonl"), headers={**machine, "Range": asked})
    assert response.status_code == status
    if part is None:
        assert response["Content-Range"] == f"bytes */{len(whole)}"
    else:
        assert body(response) == whole[part]


def test_what_the_client_has_is_not_sent_again_and_an_outdated_range_is_sent_whole(
    client: Client, snapshot: Snapshot, machine: dict[str, str]
) -> None:
    url = address(snapshot, "items.jsonl")
    etag = client.get(url, headers=machine)["ETag"]
    assert client.get(url, headers={**machine, "If-None-Match": etag}).status_code == 304
    outdated = {**machine, "Range": "bytes=0-3", "If-Range": '"another"'}
    assert client.get(url, headers=outdated).status_code == 200


def test_a_download_is_audited_with_who_and_which_file(
    client: Client, clinic: Project, snapshot: Snapshot, machine: dict[str, str]
) -> None:
    client.get(address(snapshot, "trl_reward.jsonl"), headers=machine)
    event = Event.objects.of(clinic).get(action="snapshot.downloaded")
    assert event.actor is not None
    assert (event.actor.username, event.new) == ("machine", {"file": "trl_reward.jsonl", "range": ""})


def test_without_a_token_nothing_comes(client: Client, snapshot: Snapshot) -> None:
    assert client.get(address(snapshot, "items.jsonl")).status_code == 401
    bad = {"Authorization": "Bearer gr_wrong"}
    assert client.get(address(snapshot, "items.jsonl"), headers=bad).status_code == 401


def test_a_physicians_token_is_refused_and_a_strangers_finds_nothing(
    client: Client, clinic: Project, doctor: User, outsider: User, snapshot: Snapshot
) -> None:
    own = {"Authorization": f"Bearer {make_token(doctor, clinic)}"}
    assert client.get(address(snapshot, "items.jsonl"), headers=own).status_code == 403
    elsewhere = Project.objects.get(slug="elsewhere")
    foreign = {"Authorization": f"Bearer {make_token(outsider, elsewhere)}"}
    assert client.get(address(snapshot, "items.jsonl"), headers=foreign).status_code == 404
    assert client.get(address(snapshot), headers=foreign).status_code == 404


@pytest.mark.parametrize("name", ["nothing.txt", "..%2f..%2fsecrets%2fpostgres", "%2e%2e"])
def test_only_files_of_the_manifest_can_be_named(
    client: Client, snapshot: Snapshot, machine: dict[str, str], name: str
) -> None:
    assert client.get(address(snapshot, name), headers=machine).status_code == 404


def test_a_snapshot_is_asked_for_over_rest(
    client: Client, clinic: Project, boss: User, make_gold: MakeGold, machine: dict[str, str]
) -> None:
    url = f"/api/v1/projects/{clinic.slug}/snapshots"
    token = {"Authorization": f"Bearer {make_token(boss, clinic)}"}
    nothing = client.post(url, {}, content_type="application/json", headers=token)
    assert (nothing.status_code, "no gold yet" in nothing.json()["title"]) == (422, True)
    make_gold("q1")
    made = client.post(url, {"name": "First"}, content_type="application/json", headers=token)
    assert (made.status_code, made.json()["state"]) == (201, "building")
    assert client.post(url, {}, content_type="application/json", headers=machine).status_code == 403
    assert [one["number"] for one in client.get(url, headers=machine).json()] == [1]


@pytest.mark.slow
def test_datasets_and_trl_read_the_files_as_they_are(snapshot: Snapshot, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    trl = pytest.importorskip("trl")
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    directory = directory_of(snapshot.pk)
    rows = {}
    for name in ("preferences", "trl_reward", "prompts"):
        lines = datasets.load_dataset(
            "json",
            data_files=str(directory / f"{name}.jsonl"),
            split="train",
            cache_dir=str(tmp_path / "cache"),
        )
        table = datasets.load_dataset(str(directory), name, split="train", cache_dir=str(tmp_path / "cache"))
        assert lines.num_rows == table.num_rows == snapshot.manifest["files"][f"{name}.jsonl"]["rows"]
        assert lines[0] == table[0]
        rows[name] = table
    assert "margin" not in rows["trl_reward"].column_names

    vocabulary = {
        word: number for number, word in enumerate(["<pad>", "<eos>", "<unk>", "criterion", "answer"])
    }
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} <eos> {% endfor %}"
    config = transformers.Qwen3Config(
        vocab_size=8,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        num_labels=1,
        pad_token_id=0,
    )
    trainer = trl.RewardTrainer(
        model=transformers.Qwen3ForSequenceClassification(config),
        args=trl.RewardConfig(
            output_dir=str(tmp_path / "trl"),
            max_steps=1,
            per_device_train_batch_size=2,
            bf16=False,
            gradient_checkpointing=False,
            report_to=[],
            use_cpu=True,
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=rows["trl_reward"],
        processing_class=tokenizer,
    )
    assert trainer.train().global_step == 1
