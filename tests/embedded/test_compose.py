"""Protects the production compose file: what the compose schema does not see, and what the issue asks of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from webapp.embedded.paths import REPOSITORY

QUEUES = {"worker-io": "io", "worker-llm": "llm", "worker-train": "train"}
OWN = ("web", "beat", *QUEUES)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_every_service_of_production_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "redis", "migrate", *OWN}


def test_every_dependency_names_a_service_that_can_meet_its_condition(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other, wanted in service.get("depends_on", {}).items():
            assert other in services, f"{name} depends on {other}, which is no service"
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in services[other], (
                    f"{name} waits for {other}, which has no health check"
                )


def test_every_named_volume_is_defined_and_every_defined_one_is_used(compose: dict[str, Any]) -> None:
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith((".", "/"))}
    assert named == set(compose["volumes"])


def test_every_secret_is_defined_by_file_and_none_stands_in_the_environment(compose: dict[str, Any]) -> None:
    services = compose["services"].values()
    assert {secret for service in services for secret in service.get("secrets", [])} == set(
        compose["secrets"]
    )
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())
    for service in services:
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY|DATABASE_URL", variable):
                assert variable.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_every_service_that_stays_has_a_health_check_and_restarts(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name != "migrate":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_each_worker_serves_its_own_queue_and_only_training_has_the_gpu(compose: dict[str, Any]) -> None:
    for name, queue in QUEUES.items():
        command = compose["services"][name]["command"]
        assert command[command.index("-Q") + 1] == queue
    with_gpu = {name for name, service in compose["services"].items() if "deploy" in service}
    assert with_gpu == {"worker-train"}


def test_web_and_trainer_share_the_files_but_only_loopback_reaches_the_web(compose: dict[str, Any]) -> None:
    for name in OWN:
        assert "files:/var/lib/goldrounds/files" in compose["services"][name]["volumes"]
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_the_file_is_plain_compose_without_a_top_level_name(compose: dict[str, Any]) -> None:
    assert {key for key in compose if not key.startswith("x-")} == {"services", "volumes", "secrets"}


def test_every_variable_of_the_compose_file_is_explained_in_the_example() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    for variable in set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text)):
        assert re.search(rf"^#?{variable}=", example, re.MULTILINE), variable


def test_every_variable_that_the_settings_read_is_explained_in_the_example() -> None:
    source = (REPOSITORY / "webapp" / "settings" / "env.py").read_text(encoding="utf-8")
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    internal = {"GOLDROUNDS_PROCESS"}  # set by whoever starts a process
    for variable in set(re.findall(r'_(?:read|flag|integer|list|number)\("([A-Z_]+)"', source)) - internal:
        assert re.search(rf"^#?{variable}=", example, re.MULTILINE), variable
