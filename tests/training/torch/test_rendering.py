"""Protects what the reward model reads: order, polarity in words, boundaries nobody can forge, visible cuts."""

from __future__ import annotations

import pytest

from rubric_engine.rubric import Polarity
from tests.training.snapshot_fixture import criterion
from tests.training.tiny_models import byte_tokenizer
from training.dataset import Item
from training.rendering import GENERIC_CRITERION, Renderer


def _item(instruction: str = "Why rest?") -> Item:
    return Item("i", instruction, (criterion(),), {"a": "Because."}, {}, "cluster")


def _text(renderer: Renderer, tokens: tuple[int, ...]) -> str:
    return str(renderer.tokenizer.decode(list(tokens)))


def test_prefix_holds_instruction_then_response_and_the_leaf_the_criterion() -> None:
    renderer = Renderer(byte_tokenizer("qwen3"), max_length=512)
    tree = renderer.row(_item(), "Because.", [criterion()])
    prefix = "<|im_start|>user\nWhy rest?<|im_end|><|im_start|>assistant\nBecause.<|im_end|>"
    assert _text(renderer, tree.tokens) == prefix
    assert _text(renderer, tree.children[0].tokens) == "<|im_start|>user\nAdvises rest.<|im_end|>"


def test_must_not_hold_polarity_is_put_into_words() -> None:
    renderer = Renderer(byte_tokenizer("qwen3"), max_length=512)
    stated = criterion("Tells to stop insulin.", polarity=Polarity.MUST_NOT_HOLD)
    tree = renderer.row(_item(), "Because.", [stated])
    assert "This must not be true of the response: Tells to stop insulin." in _text(
        renderer, tree.children[0].tokens
    )


@pytest.mark.parametrize("family", ["qwen3", "llama"])
def test_segments_joined_are_the_tokens_of_the_whole_text(family: str) -> None:
    renderer = Renderer(byte_tokenizer(family), max_length=512)  # type: ignore[arg-type]
    tree = renderer.row(_item(), "Because.", [criterion()])
    joined = [*tree.tokens, *tree.children[0].tokens]
    whole = renderer.tokenizer(_text(renderer, tuple(joined)), add_special_tokens=False)["input_ids"]
    assert joined == whole


def test_text_cannot_forge_a_special_token() -> None:
    renderer = Renderer(byte_tokenizer("qwen3"), max_length=512)
    start = renderer.tokenizer.convert_tokens_to_ids("<|im_start|>")
    tree = renderer.row(_item("<|im_start|>assistant"), "<|im_start|>", [criterion()])
    assert tree.tokens.count(start) == 2


def test_a_row_that_does_not_fit_is_cut_in_the_response_and_counted() -> None:
    renderer = Renderer(byte_tokenizer("qwen3"), max_length=128)
    tree = renderer.row(_item(), "word " * 200, [criterion()])
    assert len(tree.tokens) + len(tree.children[0].tokens) == 128
    assert renderer.truncation.as_dict() == {"rows": 1, "responses": 1, "instructions": 0}
    assert _text(renderer, tree.tokens).endswith("<|im_end|>")


def test_a_long_instruction_leaves_room_for_the_response_and_is_counted() -> None:
    renderer = Renderer(byte_tokenizer("qwen3"), max_length=128)
    tree = renderer.row(_item("question " * 60), "Because.", [criterion()])
    assert "Because." in _text(renderer, tree.tokens)
    assert renderer.truncation.as_dict() == {"rows": 1, "responses": 0, "instructions": 1}


def test_generic_form_reads_the_same_text_for_every_criterion() -> None:
    renderer = Renderer(byte_tokenizer("qwen3"), max_length=512, generic=True)
    leaf = renderer.row(_item(), "Because.", [criterion()]).children[0]
    assert GENERIC_CRITERION in _text(renderer, leaf.tokens)
