"""Where the real medical data is: beside the checkout, under its own licences, never copied into it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def shared_data() -> Path | None:
    """$GOLDROUNDS_SHARED_DATA or ../shared/data, where it holds the instructions; else None."""
    named = os.environ.get("GOLDROUNDS_SHARED_DATA")
    directory = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return directory if (directory / "instructions.jsonl.gz").exists() else None


def require_shared_data() -> Path:
    """The folder, or a skip that says what is missing."""
    directory = shared_data()
    if directory is None:
        pytest.skip("the shared medical data is absent; set GOLDROUNDS_SHARED_DATA to its folder")
    return directory
