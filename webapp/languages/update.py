"""`make messages`: bring the catalogues up to date with the sources, and compile them.

New messages come in untranslated and are named; what no source asks for any more goes out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from webapp.embedded.paths import REPOSITORY
from webapp.languages import catalog
from webapp.languages.extraction import messages

LOCALE = REPOSITORY / "webapp" / "locale"
DOMAIN = "django"


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def update(path: Path) -> list[str]:
    """Rewrite one catalogue and its compiled form. Returns what is still missing."""
    wanted = messages(REPOSITORY)
    known = catalog.read(path)
    known.translations = {
        message: known.translations.get(message, [""] * (known.plurals if message.plural else 1))
        for message in wanted
    }
    catalog.write(known, path, wanted)
    path.with_suffix(".mo").write_bytes(catalog.compiled(known))
    return catalog.faults(known, wanted)


def main() -> int:
    missing = 0
    for path in catalogues():
        found = update(path)
        missing += len(found)
        print(f"{path.parent.parent.name}: {len(found)} to do")
        print("\n".join(f"  {fault}" for fault in found))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
