"""The web server with a planted leak: an accept settles its item before it is answered, as it once did."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from webapp.wsgi import application

settling = import_module("annotation.settling")  # its models need the setup that webapp.wsgi does
_honest = settling.ask


def _leaking(**asked: Any) -> None:
    _honest(**asked)
    settling._settle(asked["item_id"])


settling.ask = _leaking  # type: ignore[attr-defined]
__all__ = ["application"]
