"""How people come in: by an admin's invitation only, with ten tries in a quarter of an hour."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


def tried_account(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str:
    """The account that a try is counted against: the one user name that allauth compares, however it is written."""
    return str((credentials or {}).get("username") or "").lower()


class InvitedOnly(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Without the host of the address: a guesser writes any port into it and would be counted anew."""
        return f"account:{tried_account(request, credentials)}"
