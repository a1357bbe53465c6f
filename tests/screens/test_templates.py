"""Protects the strict content security policy: no template carries an inline style, handler or script of its own."""

from __future__ import annotations

import re

import pytest

from webapp.embedded.paths import REPOSITORY

TEMPLATES = sorted((REPOSITORY / "webapp" / "templates").rglob("*.html"))


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: str(path.relative_to(REPOSITORY / "webapp" / "templates"))
)
def test_a_template_carries_no_inline_code(path: object) -> None:
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert not re.search(r"\sstyle=", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"<style|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script\b[^>]*>", text) if "application/json" not in tag)
