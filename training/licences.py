"""Which licences let a text be passed on: the default of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable

REDISTRIBUTABLE = frozenset(
    {
        "apache-2.0",
        "bsd-2-clause",
        "bsd-3-clause",
        "cc-by-2.0",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "mit",
        "odc-by-1.0",
        "pddl-1.0",
        "public-domain",
        "unlicense",
    }
)
"""SPDX names, lower case. Non-commercial and no-derivatives licences are left out on purpose (ours)."""


def permits_redistribution(licence: str) -> bool:
    """Whether a licence is known to let derived data be passed on. An unknown or empty one does not."""
    return "-".join(licence.casefold().split()) in REDISTRIBUTABLE


def redistributable(licences: Iterable[str]) -> list[str]:
    """Those that permit it, sorted, spelled as given."""
    return sorted(licence for licence in licences if permits_redistribution(licence))
