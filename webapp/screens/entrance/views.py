"""The start page sends everybody to where their work is; the sample sign-ins work on loopback only."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.middleware import from_loopback
from webapp.accounts.models import Membership, User
from webapp.screens.context import home_of, initials

SAMPLE_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    memberships = list(Membership.objects.select_related("project").filter(user=request.user.pk).order_by("pk"))
    if not memberships:
        return render(request, "entrance/no_project.html")
    return redirect(home_of(memberships[0]))


class SignIn(LoginView):  # type: ignore[misc]
    """allauth's sign-in with the sample people beside it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"sample_people": _sample_people(self.request)}


def _sample_people(request: HttpRequest) -> list[Membership]:
    if not (settings.ENV.embedded and from_loopback(request)):
        return []
    people = Membership.objects.select_related("user").filter(user__sample=True, user__is_active=True)
    found: dict[int, Membership] = {}
    for membership in people.exclude(role="api_client").order_by("role", "pk"):
        membership.initials = initials(membership.user.shown_name)  # type: ignore[attr-defined]
        found.setdefault(membership.user_id, membership)
    return list(found.values())


@require_POST
def sample_sign_in(request: HttpRequest, username: str) -> HttpResponse:
    """Sign in as one of the sample people, without a password, from this machine only."""
    if not (settings.ENV.embedded and from_loopback(request)):
        raise Http404
    user = get_object_or_404(User, username=username, sample=True, is_active=True)
    login(request, user, backend=SAMPLE_BACKEND)
    return redirect("start")
