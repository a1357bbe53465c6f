"""`manage.py create_project SLUG --person robin:admin --person ada:physician`: a project and its people.

Prints one JSON object a person with a one-time password and an API token, both shown here only. People who
exist already are added to the project and keep their password.
"""

from __future__ import annotations

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_slug
from django.db import transaction

from webapp.accounts.models import ApiToken, Membership, Project, Role, User
from webapp.audit.log import record


class Command(BaseCommand):
    help = "Create a project and its people; prints their passwords and tokens once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--person",
            action="append",
            default=[],
            metavar="USERNAME:ROLE",
            help=f"repeat for each; roles: {', '.join(Role.values)}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug, people = options["slug"], [_person(text) for text in options["person"]]
        try:
            validate_slug(slug)
        except ValidationError as error:
            raise CommandError(f"{slug!r}: a slug has letters, digits and hyphens only.") from error
        with transaction.atomic():
            if Project.objects.filter(slug=slug).exists():
                raise CommandError(f"There is a project {slug!r} already; add people on its People screen.")
            project = Project.objects.create(slug=slug, name=options["name"] or slug)
            record(project=project, actor=None, action="project.created", subject=project, new={"slug": slug})
            lines = [_add(project, username, role) for username, role in people]
        for line in lines:
            self.stdout.write(json.dumps(line))


def _person(text: str) -> tuple[str, Role]:
    username, _, role = text.partition(":")
    if not username or role not in Role.values:
        raise CommandError(f"--person {text!r}: write USERNAME:ROLE with one of {', '.join(Role.values)}.")
    return username, Role(role)


def _add(project: Project, username: str, role: Role) -> dict[str, str | None]:
    user = User.objects.filter(username=username).first()
    password = None
    if user is None:
        password = secrets.token_urlsafe(12)
        user = User.objects.create_user(username, password=password)
    member = Membership.objects.create(project=project, user=user, role=role)
    record(project=project, actor=None, action="member.added", subject=member, new={"role": role})
    _, token = ApiToken.issue(project=project, user=user, name="made with the project")
    return {"username": username, "role": role, "password": password, "token": token}
