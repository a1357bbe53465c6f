"""Protects the embedded services: data outlive kill -9 of everything, a stranger's process id is no rival, secrets and
sockets are private, and nothing ever runs as root or without fsync."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from webapp.embedded import binaries, paths, postgres, processes, services, valkey


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    services.stop(tmp_path)


def _kill_everything(home: Path) -> None:
    servers = [server for server in (postgres.running(home), valkey.running(home)) if server is not None]
    processes.send(processes.with_descendants(servers), signal.SIGKILL)
    for server in servers:
        psutil.wait_procs([server], timeout=5)


def test_data_outlive_kill_9_of_every_server(home: Path) -> None:
    with services.embedded_services(home):
        with psycopg.connect(paths.postgres_url(home)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT '[1,2,3]'::vector AS v")
        redis.Redis.from_url(paths.valkey_url(home)).set("kept", "yes")
        redis.Redis.from_url(paths.valkey_url(home)).execute_command("WAITAOF", 1, 0, 2000)
        _kill_everything(home)
        assert postgres.running(home) is None
        services.start(home)
        with psycopg.connect(paths.postgres_url(home)) as connection:
            assert connection.execute("SELECT v::text FROM kept").fetchone() == ("[1,2,3]",)
        assert redis.Redis.from_url(paths.valkey_url(home)).get("kept") == b"yes"


def test_a_second_start_finds_the_servers_that_a_killed_launcher_left(home: Path) -> None:
    assert services.start(home)
    before = [postgres.running(home), valkey.running(home)]
    assert not services.start(home)
    assert [postgres.running(home), valkey.running(home)] == before


def test_starting_at_once_from_several_threads_makes_one_server_each(home: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(lambda _: services.start(home), range(4)))
    assert started.count(True) == 1
    with psycopg.connect(paths.postgres_url(home)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_pid_file_that_names_a_stranger_does_not_keep_postgresql_from_starting(home: Path) -> None:
    with services.embedded_services(home):
        _kill_everything(home)
        pid_file = paths.postgres_data(home) / "postmaster.pid"
        lines = pid_file.read_text(encoding="utf-8").splitlines(keepends=True)
        pid_file.write_text(f"{os.getppid()}\n" + "".join(lines[1:]), encoding="utf-8")
        processes.forget(home, postgres.NAME)
        services.start(home)
        assert postgres.accepts_connections(home)


def test_an_interrupted_first_start_leaves_nothing_half_made(home: Path) -> None:
    half_made = home / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n", encoding="ascii")
    with services.embedded_services(home):
        assert not half_made.exists()


def test_the_application_role_is_no_superuser_and_the_server_syncs_and_does_not_listen_on_tcp(
    home: Path,
) -> None:
    with services.embedded_services(home), psycopg.connect(paths.postgres_url(home)) as connection:
        names = ("is_superuser", "fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "jit")
        found = {name: connection.execute(f"SHOW {name}").fetchone() for name in names}
    assert found == {
        "is_superuser": ("off",),
        "fsync": ("on",),
        "synchronous_commit": ("on",),
        "full_page_writes": ("on",),
        "listen_addresses": ("",),
        "jit": ("off",),
    }


def test_a_wrong_password_is_refused_on_the_socket(home: Path) -> None:
    with services.embedded_services(home):
        wrong = paths.postgres_url(home).replace(paths.postgres_password(home), "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_as_root_postgresql_runs_in_a_user_namespace_or_as_nobody(home: Path) -> None:
    with services.embedded_services(home):
        server = postgres.running(home)
        assert server is not None
        inside = Path(f"/proc/{server.pid}/uid_map").read_text(encoding="ascii").split()[0]
        assert binaries.NOBODY in (int(inside), server.uids().real)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_where_namespaces_are_forbidden_setpriv_serves_and_files_change_hands(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with services.embedded_services(home):
        pass
    way = ("setpriv", f"--reuid={binaries.NOBODY}", f"--regid={binaries.NOBODY}", "--clear-groups")
    capability = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    monkeypatch.setattr(postgres, "unprivileged_prefix", lambda: (*way, *capability))
    monkeypatch.setattr(postgres, "postgres_owner", lambda: binaries.NOBODY)
    with services.embedded_services(home):
        server = postgres.running(home)
        assert server is not None
        assert server.uids().real == binaries.NOBODY
        with psycopg.connect(paths.postgres_url(home)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_long_home_gets_a_short_directory_for_its_sockets(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    try:
        with services.embedded_services(home), psycopg.connect(paths.postgres_url(home)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert len(str(paths.valkey_socket(home))) < paths.LONGEST_SOCKET_PATH
        assert stat.S_IMODE(paths.run_dir(home).stat().st_mode) & 0o007 == 0
    finally:
        (paths.run_dir(home) / "valkey.sock").unlink(missing_ok=True)
        paths.run_dir(home).rmdir()


def test_racing_processes_read_the_same_secret_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def read(_: int) -> str:
        start.wait()
        return paths.secret_key(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read, range(8)))) == 1
    directory = tmp_path / "secrets"
    assert [path.name for path in directory.iterdir()] == ["secret_key"]
    assert stat.S_IMODE((directory / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
