"""Behind the sign-in: the person's language, and two gates: sample accounts stay on this machine, all others have
a second factor."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import activate, get_language
from django.utils.translation import gettext as _

Handler = Callable[[HttpRequest], HttpResponse]

OPEN_PATHS = (
    "/accounts/2fa/",
    "/accounts/reauthenticate/",
    "/accounts/login/",
    "/accounts/logout/",
    "/static/",
    "/health/",
)
"""Where a person without a second factor may go: to set one up, or out."""
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def from_loopback(request: HttpRequest) -> bool:
    """Whether the peer is this machine itself, without a proxy between."""
    if any(header in request.META for header in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def in_their_language(get_response: Handler) -> Handler:
    """The language that a signed-in person chose stands before the browser's, on every machine that they use."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.language and user.language != get_language():
            activate(user.language)
            request.LANGUAGE_CODE = user.language
        return get_response(request)

    return middleware


def sample_sign_ins_on_loopback_only(get_response: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.sample and not from_loopback(request):
            logout(request)
            message = _("Sample sign-ins work on this machine only. Ask an admin for an account of your own.")
            return render(request, "errors/refused.html", {"message": message}, status=403)
        return get_response(request)

    return middleware


def second_factor_required(get_response: Handler) -> Handler:
    """Send a signed-in person without a second factor to set one up; sample accounts skip it (loopback)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        if (
            user.is_authenticated
            and not user.sample
            and not request.path_info.startswith(OPEN_PATHS)
            and not is_mfa_enabled(user)
        ):
            return _to_set_up(request)
        return get_response(request)

    return middleware


def _to_set_up(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        title = _("Set up a second factor first: open /accounts/2fa/ in the browser.")
        return JsonResponse(
            {"status": 403, "title": title}, status=403, content_type="application/problem+json"
        )
    return redirect("mfa_index")
