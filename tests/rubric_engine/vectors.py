"""Embeddings without torch for tests: words hashed into buckets, so that texts with common words are near."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import pytest

from rubric_engine import embeddings

WIDTH = 96


def vector(text: str) -> np.ndarray:
    made = np.full(WIDTH, 1e-3, dtype=np.float32)
    for word in re.findall(r"\w{3,}", text.lower()):
        made[int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16) % WIDTH] += 1
    return made / np.linalg.norm(made)


class BagOfWords:
    """Takes the place of the sentence-transformers model; counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], **_: object) -> np.ndarray:
        self.asked += texts
        return np.stack([vector(text) for text in texts])


def use_bag_of_words(monkeypatch: pytest.MonkeyPatch) -> BagOfWords:
    model = BagOfWords()
    monkeypatch.setattr(embeddings, "_model", lambda: model)
    monkeypatch.setattr(embeddings, "model_name", lambda: "bag-of-words")
    return model
