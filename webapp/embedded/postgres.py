"""The embedded PostgreSQL: made at the first start, on a Unix socket only, never run as root, never without fsync."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from webapp.embedded import processes
from webapp.embedded.binaries import postgres_bin, postgres_owner, unprivileged_prefix
from webapp.embedded.errors import EmbeddedError
from webapp.embedded.paths import (
    DATABASE,
    USER,
    postgres_data,
    postgres_password,
    postgres_superuser_password,
    private_directory,
    run_dir,
)

NAME = "postgres"
SUPERUSER = "postgres"
START_SECONDS = 120.0  # recovery after a crash included
RETRY_SECONDS = 0.5
STOP_SECONDS = 60.0

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "jit": "off",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}

# A trusted extension can be created by a database's owner; in template1 every later database has it at once.
CREATE_ROLE = r"""
SELECT 'CREATE ROLE {user} LOGIN CREATEDB' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}') \gexec
ALTER ROLE {user} PASSWORD '{password}';
GRANT pg_monitor TO {user};
CREATE EXTENSION IF NOT EXISTS vector;
SELECT 'CREATE DATABASE {database} OWNER {user}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \gexec
"""


def is_new(home: Path) -> bool:
    return not (postgres_data(home) / "PG_VERSION").exists()


def start(home: Path) -> psutil.Process:
    """Start the server, or find the one that already runs on this home; then make role and database if absent.

    Raises EmbeddedError with the end of the server's log.
    """
    _prepare_directories(home)
    if is_new(home):
        _create_cluster(home)
    _check_version(home)
    process = running(home)
    if process is None or not _accepts_connections_soon(home, process):
        process = _start_with_retries(home)
    _create_database(home)
    return process


def stop(home: Path) -> None:
    """A fast shutdown: open transactions are rolled back, nothing is left to recover."""
    process = running(home)
    if process is not None:
        members = processes.with_descendants([process])
        processes.send([process], signal.SIGINT)
        if processes.wait_for_end([process], STOP_SECONDS):
            processes.send(members, signal.SIGKILL)
            processes.wait_for_end(members, 5)
    processes.forget(home, NAME)


def running(home: Path) -> psutil.Process | None:
    """The server of this home: the one that we remember, or the one that its own pid file names."""
    remembered = processes.find_remembered(home, NAME)
    if remembered is not None:
        return remembered
    named = _named_in_pid_file(home)
    return named if named is not None and _is_our_server(named, home) else None


def accepts_connections(home: Path) -> bool:
    probe = [
        str(postgres_bin() / "pg_isready"),
        "-q",
        "-t",
        "2",
        "-h",
        str(run_dir(home)),
        "-U",
        USER,
        "-d",
        DATABASE,
    ]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def psql(home: Path, sql: str, database: str = "postgres") -> str:
    """Run `sql` as the cluster's superuser. Raises EmbeddedError with psql's complaint."""
    command = [str(postgres_bin() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
    command += ["-h", str(run_dir(home)), "-U", SUPERUSER, "-d", database]
    environment = {**os.environ, "PGPASSWORD": postgres_superuser_password(home)}
    done = subprocess.run(command, input=sql, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EmbeddedError(f"PostgreSQL refused its setup: {done.stderr.strip()}")
    return done.stdout.strip()


def _prepare_directories(home: Path) -> None:
    sockets = private_directory(run_dir(home))
    private_directory(home / "run")
    owner = postgres_owner()
    if owner is not None:
        os.chown(sockets, os.getuid(), owner)
        sockets.chmod(0o770)
    if not is_new(home):
        _give_to(postgres_data(home), os.getuid() if owner is None else owner)


def _give_to(directory: Path, owner: int) -> None:
    """Root only: another way around the ban on root may have been used when the files were made."""
    if os.geteuid() != 0 or directory.stat().st_uid == owner:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)


def _create_cluster(home: Path) -> None:
    """initdb beside the final place, then a rename: an interrupted first start leaves nothing half made."""
    draft = postgres_data(home).with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    private_directory(draft)
    if (owner := postgres_owner()) is not None:
        os.chown(draft, owner, owner)
    postgres_superuser_password(home)
    command = [
        *unprivileged_prefix(),
        str(postgres_bin() / "initdb"),
        "-D",
        str(draft),
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
    ]
    command += ["--locale-provider=builtin", "--locale=C.UTF-8", "--auth=scram-sha-256"]
    command += [f"--pwfile={home / 'secrets' / 'postgres_superuser'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise EmbeddedError(
            f"PostgreSQL's data directory could not be made in {draft}:\n{done.stderr.strip()}"
        )
    draft.rename(postgres_data(home))


def _check_version(home: Path) -> None:
    """Raises EmbeddedError where another major version of PostgreSQL made the data."""
    made_by = (postgres_data(home) / "PG_VERSION").read_text(encoding="ascii").strip()
    told = subprocess.run(
        [str(postgres_bin() / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    ours = told.stdout.split()[-1].split(".")[0]
    if made_by != ours:
        raise EmbeddedError(
            f"{postgres_data(home)} was made by PostgreSQL {made_by}, and PostgreSQL {ours} is installed. "
            "Restore a backup into a new GOLDROUNDS_HOME."
        )


def _start_with_retries(home: Path) -> psutil.Process:
    """Right after a kill -9, old backends still hold the shared memory for a moment: try again until they are gone."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        process = processes.spawn(home, NAME, _command(home), env=_stale_pid_environment(home))
        while processes.is_alive(process) and time.monotonic() < deadline:
            if accepts_connections(home):
                return process
            time.sleep(0.03)
        if time.monotonic() >= deadline:
            processes.stop_trees([process], 10)
            raise EmbeddedError(
                f"PostgreSQL did not start within {START_SECONDS:.0f} s. "
                f"Its log, {processes.log_path(home, NAME)}, ends:\n{processes.log_tail(home, NAME)}"
            )
        process.wait()
        if not _worth_another_try(home):
            raise EmbeddedError(
                f"PostgreSQL did not start. Its log, {processes.log_path(home, NAME)}, ends:\n"
                f"{processes.log_tail(home, NAME)}"
            )
        time.sleep(RETRY_SECONDS)


def _worth_another_try(home: Path) -> bool:
    """Whether the last start failed on remains of the former server, which go away by themselves."""
    end = processes.log_tail(home, NAME, lines=4)
    return "shared memory block" in end or "postmaster.pid" in end


def _command(home: Path) -> list[str]:
    sockets = str(run_dir(home)).replace('"', '""')
    settings = {**SETTINGS, "unix_socket_directories": f'"{sockets}"'}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [
        *unprivileged_prefix(),
        str(postgres_bin() / "postgres"),
        "-D",
        str(postgres_data(home)),
        *options,
    ]


def _stale_pid_environment(home: Path) -> dict[str, str]:
    """Where the pid file names a stranger or a zombie, tell PostgreSQL that this id is no rival.

    It ignores the id in PG_GRANDPARENT_PID, and still refuses to start while the shared memory named in the file is
    in use. Deleting the file would take that protection away.
    """
    named = _named_in_pid_file(home)
    stale = named is not None and not _is_our_server(named, home)
    return {"PG_GRANDPARENT_PID": str(named.pid)} if stale and named is not None else {}


def _named_in_pid_file(home: Path) -> psutil.Process | None:
    try:
        first = (postgres_data(home) / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
        return psutil.Process(abs(int(first)))
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def _is_our_server(process: psutil.Process, home: Path) -> bool:
    try:
        return processes.is_alive(process) and str(postgres_data(home)) in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _accepts_connections_soon(home: Path, process: psutil.Process) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while processes.is_alive(process) and time.monotonic() < deadline:
        if accepts_connections(home):
            return True
        time.sleep(0.05)
    return False


def _create_database(home: Path) -> None:
    names = {"user": USER, "database": DATABASE, "password": postgres_password(home)}
    psql(home, CREATE_ROLE.format(**names), database="template1")
