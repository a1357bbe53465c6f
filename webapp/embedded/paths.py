"""Where the embedded services keep their data, their sockets and their secrets, and the addresses that follow."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parents[2]
POSTGRES_SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # bytes; sun_path holds 104 on macOS and 108 on Linux, its final zero included
USER = DATABASE = "goldrounds"


class UnsafeDirectory(Exception):
    """A directory for sockets or secrets exists and belongs to somebody else."""


def home() -> Path:
    """The directory of everything that this installation keeps: $GOLDROUNDS_HOME, or .goldrounds beside the code."""
    chosen = os.environ.get("GOLDROUNDS_HOME", "").strip()
    return Path(chosen).expanduser().resolve() if chosen else REPOSITORY / ".goldrounds"


def private_directory(path: Path) -> Path:
    """Make `path` with mode 0700 if it is absent. Raises UnsafeDirectory where another user made it first."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UnsafeDirectory(
            f"{path} is not a directory of this user. Remove it, or set GOLDROUNDS_HOME elsewhere."
        )
    return path


def run_dir(home: Path) -> Path:
    """The directory of sockets: $home/run, or a short one below /tmp where a socket's path would get too long."""
    near = home / "run"
    if len(os.fsencode(near / POSTGRES_SOCKET)) <= LONGEST_SOCKET_PATH:
        return near
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path("/tmp") / f"goldrounds-{os.getuid()}-{name}"


def postgres_data(home: Path) -> Path:
    return home / "postgres"


def valkey_data(home: Path) -> Path:
    return home / "valkey"


def logs_dir(home: Path) -> Path:
    return home / "logs"


def valkey_socket(home: Path) -> Path:
    return run_dir(home) / "valkey.sock"


def postgres_password(home: Path) -> str:
    return _secret(home, "postgres")


def postgres_superuser_password(home: Path) -> str:
    """Of the cluster's superuser, whom only the launcher uses: the application's role owns one database, no more."""
    return _secret(home, "postgres_superuser")


def secret_key(home: Path) -> str:
    """Django's SECRET_KEY of this installation, made at the first call; every racing process gets the same one."""
    return _secret(home, "secret_key")


def postgres_url(home: Path) -> str:
    """A libpq URL whose host is the socket's directory, percent-encoded, as psycopg and dj-database-url take it."""
    host = quote(str(run_dir(home)), safe="")
    return f"postgresql://{USER}:{postgres_password(home)}@{host}/{DATABASE}"


def valkey_url(home: Path) -> str:
    """The Valkey socket as redis-py spells it."""
    return f"unix://{quote(str(valkey_socket(home)))}?db=0"


def celery_broker_url(home: Path) -> str:
    """The Valkey socket as kombu and Celery spell it."""
    return f"redis+socket://{quote(str(valkey_socket(home)))}?virtual_host=0"


def _secret(home: Path, name: str) -> str:
    """Read secrets/`name`, made first if absent. A hard link publishes it: whole, once, whoever else tries."""
    path = private_directory(home / "secrets") / name
    if not path.exists():
        draft = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass  # another process published its own meanwhile: that one counts
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
