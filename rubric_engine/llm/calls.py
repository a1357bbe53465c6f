"""What a call to an endpoint is, and how it can fail. Light to import: the client's library is not."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


class EndpointFault(RuntimeError):
    """The endpoint gave no answer. `outcome` names the fault; the message says what to do."""

    def __init__(self, outcome: str, message: str, *, retry_after: float | None = None) -> None:
        self.outcome, self.retry_after = outcome, retry_after
        super().__init__(message)


class EndpointBusy(EndpointFault):
    """It may answer later."""


class EndpointRefused(EndpointFault):
    """It won't answer this way, whatever is asked: the address, the key or the model is wrong."""


@dataclass(frozen=True)
class EndpointConfig:
    base_url: str
    model: str
    api_key: str = ""
    timeout_s: float = 120.0
    connect_timeout_s: float = 10.0
    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    usd_per_million_in: float = 0.0
    usd_per_million_out: float = 0.0


@dataclass(slots=True)
class Call:
    """One attempt, as it is recorded in LlmCall."""

    model: str
    prompt_version: str
    prompt_sha256: str
    attempt: int
    outcome: str
    error: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_ms: float = 0.0
    cost_usd: Decimal | None = None
