"""Two gates behind the sign-in: sample accounts stay on this machine, all others have a second factor."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

Handler = Callable[[HttpRequest], HttpResponse]

OPEN_PATHS = ("/accounts/", "/static/", "/health/")


def from_loopback(request: HttpRequest) -> bool:
    """Whether the peer is this machine itself, without a proxy between."""
    if "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


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
            and not request.path.startswith(OPEN_PATHS)
            and not is_mfa_enabled(user)
        ):
            return redirect("mfa_activate_totp")
        return get_response(request)

    return middleware
