"""The REST API as a script of a user's sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2


class Refused(AssertionError):
    """The server answered with an error that the journey did not expect."""


class Client:
    """One person's token on one project."""

    def __init__(self, url: str, project: str, token: str) -> None:
        self.base = f"/api/v1/projects/{project}"
        self.http = httpx2.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=120, trust_env=False
        )

    def get(self, path: str) -> Any:
        return self._answer(self.http.get(f"{self.base}{path}"))

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._answer(self.http.post(f"{self.base}{path}", json=body or {}))

    def upload(self, path: Path, *, kind: str) -> Any:
        with path.open("rb") as file:
            answer = self.http.post(
                f"{self.base}/imports", data={"kind": kind}, files={"file": (path.name, file)}
            )
        return self._answer(answer)

    def download(self, path: str, to: Path) -> Path:
        with self.http.stream("GET", f"{self.base}{path}") as answer, to.open("wb") as file:
            if answer.status_code != 200:
                raise Refused(f"GET {path}: {answer.status_code}")
            for chunk in answer.iter_bytes():
                file.write(chunk)
        return to

    def _answer(self, answer: httpx2.Response) -> Any:
        if answer.status_code >= 400:
            raise Refused(
                f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:600]}"
            )
        return answer.json() if answer.content else None


def wait_for(
    look: Callable[[], dict[str, Any]], *, done: set[str], failed: set[str], within_s: float, what: str
) -> dict[str, Any]:
    """Poll until the state is one of `done`. Raises Refused on a failed state or after `within_s`."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        found = look()
        if found["state"] in done:
            return found
        if found["state"] in failed:
            raise Refused(f"{what}: {found}")
        time.sleep(0.5)
    raise Refused(f"{what}: not done within {within_s:.0f} s: {look()}")
