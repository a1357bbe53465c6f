"""Random models of a few thousand weights, with real tokenizers, saved as local directories for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

Family = Literal["qwen3", "llama"]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL: dict[str, list[str]] = {
    "qwen3": ["<|im_start|>", "<|im_end|>", "<|endoftext|>"],
    "llama": ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
}
_SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 1024,
}


def tiny_causal(directory: Path, family: Family = "qwen3", *, sliding: bool = False) -> Path:
    """A causal model of the family with a byte-level tokenizer that has the family's special tokens."""
    tokenizer = byte_tokenizer(family)
    torch.manual_seed(0)
    if family == "qwen3":
        extra: dict[str, Any] = (
            {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 0} if sliding else {}
        )
        Qwen3ForCausalLM(
            Qwen3Config(vocab_size=len(tokenizer), head_dim=8, **_SHAPE, **extra)
        ).save_pretrained(directory)
    else:
        LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **_SHAPE)).save_pretrained(directory)
    tokenizer.save_pretrained(str(directory))
    return directory


def tiny_encoder(directory: Path) -> Path:
    """A BERT of two layers that reads letters."""
    directory.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(33, 127)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = BertTokenizer(vocab=vocabulary)
    torch.manual_seed(0)
    BertModel(
        BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=256,
        )
    ).save_pretrained(directory)
    tokenizer.save_pretrained(str(directory))
    return directory


def byte_tokenizer(family: Family) -> PreTrainedTokenizerFast:
    """Every byte is a token; beside them the family's special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(
        models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL[family])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>" if family == "qwen3" else "<|eot_id|>",
        pad_token="<|endoftext|>" if family == "qwen3" else "<|eot_id|>",
        chat_template=CHAT_TEMPLATE if family == "qwen3" else None,
    )
