"""The gate of every project screen: signed in, a member of the project, allowed by the permission table.

A project of others answers 404, so that nobody learns that it exists; a missing permission answers 403.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from webapp.accounts.models import Membership, Project, Role, User
from webapp.accounts.permissions import Permission, allowed


class ScreenRequest(HttpRequest):
    """A request that passed `project_screen`."""

    user: User
    htmx: HtmxDetails
    membership: Membership

    @property
    def project(self) -> Project:
        return self.membership.project


def may(request: ScreenRequest, permission: Permission) -> bool:
    """Whether the person may; for showing a button, never instead of the domain's own check."""
    return allowed(Role(request.membership.role), permission)


def project_screen(*permissions: Permission) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., Any]]:
    """Decorate `view(request, ...)` of an address below `p/<slug:project>/`: any one of `permissions` opens it.

    The view gets a `ScreenRequest` and the address's other parts; the project is `request.membership.project`.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
        @login_required
        @wraps(view)
        def gate(request: Any, project: str, **parts: Any) -> HttpResponseBase:
            membership = (
                Membership.objects.select_related("project").filter(user=request.user, project__slug=project).first()
            )
            if membership is None or not request.user.is_active:
                raise Http404(_("There is no such project, or you aren't a member of it."))
            if not any(allowed(Role(membership.role), permission) for permission in permissions):
                raise PermissionDenied(
                    _("Your role in this project (%(role)s) doesn't open this page.")
                    % {"role": membership.get_role_display()}
                )
            request.membership = membership
            return view(request, **parts)

        return gate

    return decorate


def home_of(membership: Membership) -> str:
    """Where a member begins: the dashboard, or the own queue, or what an API client may see."""
    role = Role(membership.role)
    slug = membership.project.slug
    if allowed(role, Permission.SEE_DASHBOARD):
        return f"/p/{slug}/"
    if allowed(role, Permission.REVIEW):
        return f"/p/{slug}/queue/"
    return f"/p/{slug}/snapshots/"
