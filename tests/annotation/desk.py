"""A reviewer's desk for tests: the review API through Django's test client, as the screen calls it.

`do` also settles what the decision made due, as the poller does two seconds later.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from annotation.document import SETTLING
from annotation.models import Round
from annotation.settling import settle_due
from webapp.accounts.models import User

API = "/api/v1/review"


@dataclass
class Desk:
    """One person at one window. `item` is what `claim` or `open` brought last."""

    user: User
    client: Client = field(default_factory=Client)
    item: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client.force_login(self.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def get(self, path: str) -> Any:
        return self.client.get(f"{API}/{path}")

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.post(f"{API}/{path}", body or {}, content_type="application/json", headers=headers)

    def rail(self, round: Round) -> list[dict[str, Any]]:
        return self.get(f"rounds/{round.pk}/items").json()["items"]

    def claim(self, round: Round) -> bool:
        response = self.post(f"rounds/{round.pk}/claim")
        assert response.status_code in {200, 204}, response.content
        self.item = response.json() if response.status_code == 200 else {}
        return bool(self.item)

    def open(self, assignment_id: str) -> dict[str, Any]:
        self.item = self.get(f"items/{assignment_id}").json()
        self.item |= self.post(f"items/{assignment_id}/lease").json()
        return self.item

    def send(
        self,
        kind: str,
        payload: dict[str, Any] | None = None,
        *,
        operation_id: str = "",
        revision: int | None = None,
        fence: int | None = None,
    ) -> Any:
        """Send an operation as it is; the desk's revision stays."""
        body = {
            "operation_id": operation_id or str(uuid.uuid4()),
            "kind": kind,
            "payload": payload or {},
            "fence": self.item["fence"] if fence is None else fence,
            "active_ms": 100,
        }
        revision = self.item["revision"] if revision is None else revision
        return self.post(f"items/{self.item['id']}/operations", body, **{"If-Match": f'"{revision}"'})

    def do(self, kind: str, **payload: Any) -> dict[str, Any]:
        """Send an operation that must succeed."""
        response = self.send(kind, payload)
        assert response.status_code == 200, response.content
        self.item |= response.json()
        if kind in SETTLING:
            settle_due()
        return response.json()

    def judge_all(self, *, met: bool = True) -> None:
        for criterion in self.item["draft"]["criteria"]:
            for response in self.item["responses"]:
                self.do("set_verdict", key=criterion["key"], response=response["key"], met=met)

    def accept_all(self, round: Round) -> int:
        """Accept every item that is left, just as drafted. Returns how many."""
        accepted = 0
        while self.claim(round):
            self.judge_all()
            self.do("accept")
            accepted += 1
        return accepted
