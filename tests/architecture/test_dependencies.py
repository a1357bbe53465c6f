"""Protects the lock: hashes on every line, no address, no torch, and a written reason for each direct dependency."""

from __future__ import annotations

import re

import pytest

from webapp.embedded.paths import REPOSITORY

REQUIREMENTS = REPOSITORY / "requirements"
NAMES = ("web", "train", "dev")


def _direct(name: str) -> list[str]:
    lines = (REQUIREMENTS / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return [found[0] for line in lines if (found := re.match(r"[a-z0-9][a-z0-9._-]*", line))]


@pytest.mark.parametrize("name", NAMES)
def test_every_locked_package_has_a_version_and_a_hash(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_lock_file_holds_an_address_or_a_path(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    assert re.findall(r"https?://|file:|--index-url|--find-links|\s/", text) == []


@pytest.mark.parametrize("name", NAMES)
def test_torch_and_what_it_brings_stay_out_of_the_hashed_files(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    assert re.findall(r"^(?:torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==", text, re.MULTILINE) == []


def test_the_web_side_installs_without_torch_and_its_friends() -> None:
    text = (REQUIREMENTS / "web.txt").read_text(encoding="utf-8")
    assert (
        re.findall(r"^(?:transformers|trl|peft|accelerate|sentence-transformers)==", text, re.MULTILINE) == []
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_direct_dependency_has_its_reason_written_down(name: str) -> None:
    page = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert [package for package in _direct(name) if not re.search(rf"[|,] {package}\b", page)] == []


def test_the_image_installs_the_torch_that_make_installs() -> None:
    pattern = r"torch==([0-9.]+)"
    in_script = re.findall(pattern, (REQUIREMENTS / "install.sh").read_text(encoding="utf-8"))
    in_image = re.findall(pattern, (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    assert set(in_script) == set(in_image) != set()
