"""`manage.py verify_snapshot DIR`: is a snapshot directory what its manifest says, and signed by us?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from training import integrity


class Command(BaseCommand):
    help = "Check a snapshot directory against its manifest and its signature."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument(
            "--public-key", default="", help="Trust this key (base64) instead of this installation's."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        directory: Path = options["directory"]
        key = options["public_key"] or integrity.public_text(
            integrity.signing_key(Path(settings.ENV.home) / "secrets")
        )
        if faults := integrity.verify(directory, public_key=key):
            raise CommandError("\n".join([f"{directory} is not what it says:", *faults]))
        self.stdout.write(self.style.SUCCESS(f"{directory} is what its manifest says, signed by {key}."))
