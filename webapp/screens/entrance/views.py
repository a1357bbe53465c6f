"""The start page sends everybody to where their work is; the sample sign-ins work on loopback only."""

from __future__ import annotations

import contextlib

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from webapp.accounts.languages import LanguageUnknown, choose
from webapp.accounts.middleware import from_loopback
from webapp.accounts.models import Membership, User
from webapp.screens.context import home_of

SAMPLE_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_safe
@login_required
def start(request: HttpRequest) -> HttpResponse:
    memberships = list(
        Membership.objects.select_related("project").filter(user=request.user.pk).order_by("pk")
    )
    if not memberships:
        return render(request, "entrance/no_project.html")
    return redirect(home_of(memberships[0]))


@require_POST
def sample_sign_in(request: HttpRequest, username: str) -> HttpResponse:
    """Sign in as one of the sample people, without a password, from this machine only."""
    if not (settings.ENV.embedded and from_loopback(request)):
        raise Http404
    if request.user.is_authenticated:
        raise PermissionDenied(_("You are signed in already. Sign out first."))
    user = get_object_or_404(User, username=username, sample=True, is_active=True)
    login(request, user, backend=SAMPLE_BACKEND)
    return redirect("start")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language: in this browser, and to a signed-in person wherever they are."""
    if isinstance(request.user, User):
        with contextlib.suppress(LanguageUnknown):
            choose(actor=request.user, language=request.POST.get("language", ""))
    response: HttpResponse = set_language(request)
    return response
