"""Which code a run was made with: CODE_VERSION, or what git says of the checkout."""

from __future__ import annotations

import subprocess
from functools import cache

from django.conf import settings

from webapp.embedded.paths import REPOSITORY


@cache
def code_version() -> str:
    """`CODE_VERSION` where it is set (images have no git), else `git describe`; "unknown" where neither is."""
    if settings.ENV.code_version:
        return str(settings.ENV.code_version)[:64]
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--tags"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return said.stdout.strip()[:64]
