"""`manage.py run_jobs --queue io`: run due jobs until none has come for a while."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.jobs.runner import IDLE_EXIT_S, run_until_idle


class Command(BaseCommand):
    help = "Run due jobs of one queue until none has come for a while."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", choices=["io", "llm"], required=True)
        parser.add_argument("--idle-exit", type=float, default=IDLE_EXIT_S, help="seconds without work")

    def handle(self, *args: Any, **options: Any) -> None:
        run_until_idle(options["queue"], idle_exit_s=options["idle_exit"])
