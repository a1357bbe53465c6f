"""Protects `make run`: one instance to a home, refusals that say what to do, restarts of what dies, a clean stop, and a
start after kill -9 of everything."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.embedded.instance import STARTED, Instance, environment, free_port, status
from webapp.embedded import preflight, processes, services, supervisor
from webapp.embedded.errors import EmbeddedError
from webapp.embedded.paths import REPOSITORY


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home = tmp_path_factory.mktemp("run")
    started = Instance(home, free_port())
    try:
        started.wait_until(STARTED)
        yield started
    finally:
        started.stop()
        services.stop(home)


def _run_once(home: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "webapp.embedded.run"],
        cwd=REPOSITORY,
        env=environment(home, port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_the_first_start_serves_a_page_and_names_address_and_sign_in(instance: Instance) -> None:
    assert status(instance.port) == 200
    assert f"http://localhost:{instance.port}/" in instance.said()
    assert "password" in instance.said()


@pytest.mark.slow
def test_a_second_instance_on_the_same_home_is_refused_and_told_where_the_first_one_is(
    instance: Instance,
) -> None:
    second = _run_once(instance.home, free_port())
    assert second.returncode == 1
    assert f"already runs on {instance.home}, at http://localhost:{instance.port}/" in second.stderr
    assert "GOLDROUNDS_HOME=" in second.stderr
    assert status(instance.port) == 200


@pytest.mark.slow
def test_a_web_server_that_is_killed_starts_again(instance: Instance) -> None:
    pid = processes.recorded_pid(instance.home, "web")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    instance.wait_until("web ended with code -9")
    deadline = time.monotonic() + 60
    while status(instance.port) != 200 or processes.recorded_pid(instance.home, "web") == pid:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
def test_after_kill_9_of_everything_a_second_start_works_and_sigterm_leaves_nothing_behind(
    instance: Instance,
) -> None:
    instance.kill_everything()
    again = Instance(instance.home, instance.port)
    try:
        again.wait_until(f"GoldRounds is at http://localhost:{instance.port}/")
        assert status(instance.port) == 200
    finally:
        again.stop()
    assert again.process.returncode == 0, again.said()
    assert again.everything() == []


@pytest.mark.slow
def test_a_start_after_kill_9_of_the_launcher_alone_replaces_what_it_left(tmp_path: Path) -> None:
    port = free_port()
    left = supervisor.Child("web", [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"])
    preflight.check_home(tmp_path)
    supervisor.Supervisor(tmp_path).start(left)
    deadline = time.monotonic() + 20
    while status(port) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(EmbeddedError, match=f"Port {port} is in use"):
        preflight.check_port(port)
    supervisor.stop_all(tmp_path)
    preflight.check_port(port)


def test_a_port_in_use_is_named_with_its_user_and_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind((preflight.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EmbeddedError, match=rf"Port {port} is in use.*make run PORT={port + 1}"):
            preflight.check_port(port)


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(EmbeddedError, match="PORT=70000 is no port"):
        preflight.check_port(70000)


def test_a_home_on_a_full_disk_is_refused_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "LEAST_FREE", 2**62)
    with pytest.raises(EmbeddedError, match=r"has .* MB left.*GOLDROUNDS_HOME="):
        preflight.check_home(tmp_path)


def test_a_home_that_can_not_be_written_is_refused_with_a_way_out(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", encoding="utf-8")
    with pytest.raises(EmbeddedError, match=r"can't be written.*GOLDROUNDS_HOME="):
        preflight.check_home(in_the_way / "home")


def test_a_wrong_setting_ends_the_start_with_its_name(tmp_path: Path) -> None:
    wrong = {**environment(tmp_path, 8000), "PORT": "eight thousand"}
    done = subprocess.run(
        [sys.executable, "-m", "webapp.embedded.run"],
        cwd=REPOSITORY,
        env=wrong,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "PORT='eight thousand'" in done.stderr


def test_a_process_is_recognised_by_time_of_creation_so_that_a_reused_id_is_a_stranger(
    tmp_path: Path,
) -> None:
    preflight.check_home(tmp_path)
    processes.remember(tmp_path, "web", psutil.Process())
    assert processes.find_remembered(tmp_path, "web") == psutil.Process()
    record = processes.record_path(tmp_path, "web")
    record.write_text(f'{{"pid": {os.getpid()}, "create_time": 1.0}}', encoding="utf-8")
    assert processes.find_remembered(tmp_path, "web") is None


def test_stopping_leaves_what_has_a_session_of_its_own(tmp_path: Path) -> None:
    """A training outlives a worker that is started again."""
    preflight.check_home(tmp_path)
    training = (
        "import subprocess, time; subprocess.Popen(['sleep', '60'], start_new_session=True); time.sleep(60)"
    )
    worker = processes.spawn(tmp_path, "worker-train", [sys.executable, "-c", training])
    deadline = time.monotonic() + 10
    while not worker.children():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    sleeper = worker.children()[0]
    try:
        supervisor.stop_all(tmp_path)
        assert not processes.is_alive(worker)
        assert processes.is_alive(sleeper)
        assert processes.launched_from(tmp_path, apart_from=[]) == [sleeper]
    finally:
        sleeper.kill()
