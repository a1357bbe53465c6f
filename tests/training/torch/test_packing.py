"""Protects the identity that the training stands on: a packed row scores as its criteria would apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoModel

from tests.training.tiny_models import tiny_causal, tiny_encoder
from training.base_models import load_backbone, without_dropout
from training.faults import TrainingFault
from training.packing import Segment, collate, lay_out, separate
from training.reward_model import RewardModel, packed_and_separate

TOKENS = st.lists(st.integers(0, 180), min_size=1, max_size=9).map(tuple)
LEAVES = st.lists(TOKENS, min_size=1, max_size=4).map(lambda many: tuple(Segment(one) for one in many))
RESPONSES = st.builds(Segment, TOKENS, LEAVES)
PAIR_TREES = st.builds(Segment, TOKENS, st.lists(RESPONSES, min_size=2, max_size=2).map(tuple))
ROWS = st.lists(st.one_of(RESPONSES, PAIR_TREES), min_size=1, max_size=3)
MANY = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _model(path: Path, *, causal: bool = True) -> RewardModel:
    torch.manual_seed(1)
    backbone = load_backbone(path, dtype=torch.float32)
    return RewardModel(backbone, causal=causal, pad_token=0, hidden_size=32)


@pytest.fixture(scope="module", params=["qwen3", "llama"])
def causal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RewardModel, Any]:
    path = tiny_causal(tmp_path_factory.mktemp(request.param), request.param)
    plain = AutoModel.from_pretrained(path, dtype=torch.float32)
    without_dropout(plain)
    return _model(path), plain


def _flat(chain: Segment) -> list[int]:
    return [*chain.tokens, *(token for child in chain.children for token in _flat(child))]


def _plain_scores(model: RewardModel, plain: Any, rows: list[Segment]) -> torch.Tensor:
    """Each root-to-leaf sequence alone through an untouched transformers model, without any mask of ours."""
    chains = [_flat(chain) for row in rows for chain in separate(row)]
    hidden = [plain(input_ids=torch.tensor([chain])).last_hidden_state[0, -1] for chain in chains]
    scores: torch.Tensor = model.head(torch.stack(hidden)).squeeze(-1)
    return scores


@MANY
@given(rows=ROWS)
def test_packed_scores_equal_plain_separate_sequences(
    causal: tuple[RewardModel, Any], rows: list[Segment]
) -> None:
    model, plain = causal
    with torch.no_grad():
        packed = model(model.batch([lay_out(row) for row in rows]))
        apart = _plain_scores(model, plain, rows)
    assert torch.allclose(packed, apart, atol=1e-4, rtol=0)


def test_packed_gradients_equal_those_of_separate_sequences(causal: tuple[RewardModel, Any]) -> None:
    model, _ = causal
    leaves = tuple(Segment(tuple(range(start, start + 5))) for start in (30, 50, 70))
    rows = [Segment(tuple(range(20)), leaves), Segment(tuple(range(100, 107)), leaves[:2])]
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0, -1.0])

    def gradients(trees: list[Segment]) -> torch.Tensor:
        model.zero_grad()
        (model(model.batch([lay_out(tree) for tree in trees])) * weights).sum().backward()
        found = [parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]
        return torch.cat(found)

    packed, apart = gradients(rows), gradients([chain for row in rows for chain in separate(row)])
    assert float((packed - apart).norm() / apart.norm()) < 1e-4


@MANY
@given(rows=st.lists(RESPONSES, min_size=1, max_size=3))
def test_encoder_criteria_see_the_prefix_and_themselves_only(
    encoder: RewardModel, rows: list[Segment]
) -> None:
    packed, apart = packed_and_separate(encoder, rows)
    assert torch.allclose(packed, apart, atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> RewardModel:
    return _model(tiny_encoder(tmp_path_factory.mktemp("bert")), causal=False)


def test_mask_is_the_compressed_form_for_a_causal_tree() -> None:
    batch = collate([lay_out(Segment((1, 2), (Segment((3,)), Segment((4, 5)))))], pad_token=0, causal=True)
    expected = [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [1, 1, 0, 1, 1]]
    assert batch.visible[0, 0].int().tolist() == expected
    assert batch.positions[0].tolist() == [0, 1, 2, 2, 3]
    assert batch.leaf_last.tolist() == [2, 4]


def test_padding_sees_itself_and_nobody_sees_padding() -> None:
    rows = [lay_out(Segment((1,), (Segment((2,)),))), lay_out(Segment((1, 2, 3), (Segment((4,)),)))]
    visible = collate(rows, pad_token=0, causal=False).visible[0, 0]
    assert visible[2:].int().tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    assert not visible[:2, 2:].any()


def test_positions_that_do_not_restart_change_the_scores(causal: tuple[RewardModel, Any]) -> None:
    model, _ = causal
    row = lay_out(Segment(tuple(range(10)), (Segment((20, 21)), Segment((30, 31)))))
    right = model(model.batch([row]))
    row.positions = list(range(len(row.tokens)))
    assert not torch.allclose(right, model(model.batch([row])), atol=1e-4)


def test_sliding_window_models_are_refused(tmp_path: Path) -> None:
    path = tiny_causal(tmp_path, sliding=True)
    with pytest.raises(TrainingFault, match="sliding-window"):
        load_backbone(path, dtype=torch.float32)
