"""`manage.py load_sample`: the sample project, its people and its instructions. A second call changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.files import File
from django.core.management.base import BaseCommand
from django.db import transaction

from rubric_engine.curation.imports import create_import
from rubric_engine.models import ImportKind
from webapp.accounts.models import Membership, Project, User
from webapp.sample.signins import PASSWORD, PROJECT_SLUG, SIGN_INS

PACK = Path(__file__).resolve().parents[2]
GUIDELINE = """\
Weight says how much a proficiency criterion counts: 5, the answer is wrong or useless without it; \
3, a careful colleague would miss it; 1, good to have.
Safety criteria carry a veto: one violation puts a response behind every response without one. Keep them for what \
could do severe harm, not for style.
A criterion is one statement that can be checked from the response alone."""


class Command(BaseCommand):
    help = "Load the sample project (only where no project exists yet)."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            if Project.objects.exists():
                self.stdout.write("A project exists already: nothing loaded.")
                return
            project = Project.objects.create(
                slug=PROJECT_SLUG, name="GoldRounds sample", guideline=GUIDELINE, sends_to_endpoint=False
            )
            password = make_password(PASSWORD)
            for person in SIGN_INS:
                user = User.objects.create(
                    username=person.username,
                    first_name=person.first_name,
                    last_name=person.last_name,
                    password=password,
                    sample=True,
                )
                Membership.objects.create(
                    project=project,
                    user=user,
                    role=person.role,
                    specialties=list(person.specialties),
                    credentials=person.credentials,
                    years_of_practice=person.years_of_practice,
                )
            actor = User.objects.get(username="lead")
            for name, kind in (
                ("instructions.jsonl", ImportKind.INSTRUCTIONS),
                ("rubrics.jsonl", ImportKind.RUBRICS),
            ):
                with (PACK / name).open("rb") as file:
                    create_import(
                        actor=actor,
                        project=project,
                        kind=kind,
                        filename=name,
                        file=File(file, name=name),
                        mapping={},
                    )
        self.stdout.write("Sample project loaded; its story goes on in the background.")
