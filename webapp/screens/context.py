"""What every page's frame shows: the project, the person's role, what they may open, which workers live.

Built only when a page asks for it, so that fragments and JSON pay nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from webapp.accounts.middleware import from_loopback
from webapp.accounts.models import Membership, Project, Role, User
from webapp.accounts.permissions import Permission, allowed
from webapp.screens.navigation import Group, groups
from webapp.screens.workers import Workers, look

THEMES = ("light", "dark")


@dataclass
class Frame:
    theme: str = ""
    project: Project | None = None
    role: str = ""
    home: str = "/"
    groups: list[Group] = field(default_factory=list)
    others: list[Project] = field(default_factory=list)
    initials: str = ""
    workers: Workers | None = None
    may_search: bool = False


def frame(request: HttpRequest) -> dict[str, Any]:
    return {
        "frame": SimpleLazyObject(lambda: _build(request)),
        "sample_people": SimpleLazyObject(lambda: sample_people(request)),
    }


def _build(request: HttpRequest) -> Frame:
    theme = request.COOKIES.get("theme", "")
    built = Frame(theme=theme if theme in THEMES else "")
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return built
    built.initials = initials(user.shown_name)
    match = request.resolver_match
    slug = match.kwargs.get("project") if match else None
    for membership in (
        Membership.objects.select_related("project").filter(user=user).order_by("project__name")
    ):
        if membership.project.slug == slug:
            _enter(built, membership, request.path)
        else:
            built.others.append(membership.project)
    return built


def _enter(built: Frame, membership: Membership, path: str) -> None:
    built.project, built.role = membership.project, membership.get_role_display()
    built.home = home_of(membership)
    built.groups = groups(membership, path)
    built.may_search = allowed(Role(membership.role), Permission.SEE_INSTRUCTIONS)
    if allowed(Role(membership.role), Permission.SEE_DASHBOARD):
        built.workers = look()


@dataclass(frozen=True)
class SamplePerson:
    username: str
    name: str
    initials: str
    role: str


def sample_people(request: HttpRequest) -> list[SamplePerson]:
    """Who can be signed in as without a password: on the embedded instance, from this machine, nowhere else."""
    if not (settings.ENV.embedded and from_loopback(request)):
        return []
    members = Membership.objects.select_related("user").filter(user__sample=True, user__is_active=True)
    found: dict[int, SamplePerson] = {}
    for member in members.exclude(role=Role.API_CLIENT).order_by("pk"):
        name = member.user.shown_name
        person = SamplePerson(member.user.username, name, initials(name), member.get_role_display())
        found.setdefault(member.user_id, person)
    return list(found.values())


def home_of(membership: Membership) -> str:
    """Where a member begins: the dashboard, or the own queue, or what an API client may see."""
    role, root = Role(membership.role), f"/p/{membership.project.slug}/"
    if allowed(role, Permission.SEE_DASHBOARD):
        return root
    return root + ("queue/" if allowed(role, Permission.REVIEW) else "snapshots/")


def initials(name: str) -> str:
    """Two letters for the round mark: of first and last word, or of the only one; titles are left out."""
    words = [word for word in name.split() if word[0].isalnum() and not word.endswith(".")]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()
