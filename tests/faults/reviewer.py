"""A reviewer's window as the harnesses need it: it sends the same operation until it is answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

API = "/api/v1/review"
PATIENCE_S = 180.0
AGAIN_S = 0.1


@dataclass(frozen=True)
class Acknowledged:
    """What the server said that it has kept."""

    operation_id: str
    assignment: str
    revision: int
    weight: int


@dataclass
class Window:
    """One reviewer, one item, one connection. Faults of the transport and 5xx are tried again, as the screen does."""

    url: str
    token: str
    item: dict[str, Any] = field(default_factory=dict)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    retries: int = 0
    stale: int = 0
    refused: list[str] = field(default_factory=list)
    _connection: http.client.HTTPConnection | None = None

    def claim(self, round_id: str) -> None:
        self.item = self.until_answered("POST", f"/rounds/{round_id}/claim", {})[1]

    def save(self, *, stop: threading.Event | None = None) -> None:
        """Change one weight; remembered as acknowledged when the server says so."""
        key = self.item["document"]["criteria"][0]["key"]
        weight = len(self.acknowledged) % 4 + 1
        operation = str(uuid.uuid4())
        body = self.operation(operation, "set_weight", {"key": key, "weight": weight})
        status, answer = self.until_answered(
            "POST", self.path, body, if_match=self.item["revision"], stop=stop
        )
        if status == 200:
            self.item["revision"] = answer["revision"]
            self.acknowledged.append(Acknowledged(operation, self.item["id"], answer["revision"], weight))
        elif status == 412:
            self.stale += 1
            self.item["revision"] = answer["revision"]
        elif status:
            self.refused.append(f"{status} {answer}")

    def operation(self, operation_id: str, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        return {
            "operation_id": operation_id,
            "kind": kind,
            "payload": payload,
            "fence": self.item["fence"],
            "active_ms": 5,
        }

    @property
    def path(self) -> str:
        return f"/items/{self.item['id']}/operations"

    def until_answered(
        self,
        method: str,
        path: str,
        body: dict[str, Any],
        *,
        if_match: int | None = None,
        stop: threading.Event | None = None,
    ) -> tuple[int, Any]:
        """Send until the product itself has answered; (0, None) where `stop` came first."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            status, answer = self.send_once(method, path, body, if_match=if_match)
            if 0 < status < 500:
                return status, answer
            if stop is not None and stop.is_set():
                return 0, None
            self.retries += 1
            time.sleep(AGAIN_S)
        raise TimeoutError(f"{method} {path}: no answer within {PATIENCE_S:.0f} s")

    def send_once(
        self, method: str, path: str, body: dict[str, Any], *, if_match: int | None = None
    ) -> tuple[int, Any]:
        """Returns (0, None) where the transport failed."""
        try:
            connection = self.connection()
            connection.request(method, API + path, json.dumps(body), self.headers(if_match))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return 0, None
        return response.status, json.loads(content) if content and response.status < 500 else None

    def headers(self, if_match: int | None) -> dict[str, str]:
        known = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **known}

    def connection(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = self.new_connection()
        return self._connection

    def new_connection(self) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        return http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=30)

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
