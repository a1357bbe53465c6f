"""What every page's frame shows: the project, the person's role, what they may open. Built only when a page asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from webapp.accounts.models import Membership, Project
from webapp.screens.navigation import Group, groups

THEMES = ("light", "dark")


@dataclass
class Frame:
    theme: str
    project: Project | None = None
    role: str = ""
    home: str = "/"
    groups: list[Group] = field(default_factory=list)
    others: list[Project] = field(default_factory=list)
    initials: str = ""


def frame(request: HttpRequest) -> dict[str, Any]:
    return {"frame": SimpleLazyObject(lambda: _build(request))}


def _build(request: HttpRequest) -> Frame:
    theme = request.COOKIES.get("theme", "")
    built = Frame(theme=theme if theme in THEMES else "")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return built
    built.initials = initials(user.shown_name)
    memberships = list(Membership.objects.select_related("project").filter(user=user).order_by("project__name"))
    current = getattr(request, "membership", None)
    if current is not None:
        built.project, built.role = current.project, current.get_role_display()
        built.home = f"/p/{current.project.slug}/"
        built.groups = groups(current, request.path)
    built.others = [member.project for member in memberships if member.project != built.project]
    return built


def initials(name: str) -> str:
    """Two letters for the round mark: of first and last word, or of the only one."""
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]).upper()
