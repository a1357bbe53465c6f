"""One question to an OpenAI-compatible endpoint: patient with busy ones, quick to give up on wrong ones.

Retried: 429 (as long as Retry-After says, within a cap), 5xx, timeouts, a broken line, a body that is no answer.
Not retried: other 4xx. Redirects are not followed: an admin named the address. Every attempt is recorded.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx2
import openai
from pydantic import BaseModel, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from rubric_engine.llm.calls import Call, EndpointBusy, EndpointConfig, EndpointFault, EndpointRefused
from rubric_engine.llm.prompts import Messages, sha256_of

NO_KEY = "none"
MILLION = 1_000_000
LONGEST_BODY = 4 * 1024 * 1024


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Body(BaseModel):
    choices: list[_Choice]
    usage: _Usage | None = None


@dataclass(frozen=True)
class Answer:
    content: str
    finish_reason: str
    refusal: str
    call: Call


@dataclass
class Endpoint:
    """A client, safe to share between threads."""

    config: EndpointConfig
    sleep: Callable[[float], None] = time.sleep
    _client: openai.OpenAI = field(init=False)

    def __post_init__(self) -> None:
        self._client = openai.OpenAI(
            base_url=self.config.base_url,
            api_key=self.config.api_key or NO_KEY,
            timeout=openai.Timeout(self.config.timeout_s, connect=self.config.connect_timeout_s),
            max_retries=0,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )

    def close(self) -> None:
        self._client.close()

    def ask(
        self,
        messages: Messages,
        *,
        response_format: Mapping[str, Any],
        version: str,
        seed: int,
        calls: list[Call],
    ) -> Answer:
        """One answer. Every attempt is appended to `calls`.

        Raises:
            EndpointBusy: after the last attempt.
            EndpointRefused: at once, where trying again can't help.
        """
        backoff = wait_exponential_jitter(initial=self.config.first_wait_s, max=self.config.longest_wait_s)
        retrying = Retrying(
            retry=retry_if_exception_type(EndpointBusy),
            stop=stop_after_attempt(self.config.attempts),
            wait=lambda state: self._wait(state, backoff(state)),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(self._attempt, messages, response_format, version, seed, calls)

    def _wait(self, state: RetryCallState, backoff: float) -> float:
        fault = state.outcome.exception() if state.outcome else None
        asked = fault.retry_after if isinstance(fault, EndpointBusy) else None
        return min(asked if asked is not None else backoff, self.config.longest_wait_s)

    def _attempt(
        self,
        messages: Messages,
        response_format: Mapping[str, Any],
        version: str,
        seed: int,
        calls: list[Call],
    ) -> Answer:
        call = Call(
            model=self.config.model,
            prompt_version=version,
            prompt_sha256=sha256_of(messages),
            attempt=len(calls) + 1,
            outcome="answered",
        )
        calls.append(call)
        began = time.monotonic()
        try:
            return self._answer(self._send(messages, response_format, seed), call)
        except EndpointFault as fault:
            call.outcome, call.error = fault.outcome, str(fault)
            raise
        finally:
            call.latency_ms = (time.monotonic() - began) * 1000

    def _send(self, messages: Messages, response_format: Mapping[str, Any], seed: int) -> str:
        where = self.config.base_url
        try:
            with self._client.chat.completions.with_streaming_response.create(  # type: ignore[call-overload]
                model=self.config.model,
                messages=messages,
                response_format=response_format,
                seed=seed,
            ) as response:
                return self._body(response.iter_bytes(), time.monotonic() + self.config.timeout_s)
        except (openai.APITimeoutError, httpx2.TimeoutException) as fault:
            raise EndpointBusy(
                "timeout", f"{where} did not answer within {self.config.timeout_s:g} s."
            ) from fault
        except (openai.APIConnectionError, httpx2.TransportError) as fault:
            reason = f"{where} can't be reached ({fault.__cause__ or fault}). Check LLM_BASE_URL, and that it runs."
            raise EndpointBusy("unreachable", reason) from fault
        except openai.APIStatusError as fault:
            raise self._status_fault(fault) from fault

    def _body(self, chunks: Iterator[bytes], deadline: float) -> str:
        """The whole body, within the time and size that one answer may take: the client's timeout is one read's."""
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > LONGEST_BODY:
                raise EndpointBusy(
                    "malformed_body", f"{self.config.base_url} answered over {LONGEST_BODY:,} bytes."
                )
            if time.monotonic() > deadline:
                raise EndpointBusy(
                    "timeout", f"{self.config.base_url} took over {self.config.timeout_s:g} s."
                )
        return body.decode("utf-8", "replace")

    def _status_fault(self, fault: openai.APIStatusError) -> EndpointFault:
        status, said = fault.status_code, " ".join(fault.message.split())[:300]
        where = f"{self.config.base_url} answered {status}"
        if status == 429:
            return EndpointBusy("rate_limited", f"{where}: {said}", retry_after=_seconds(fault))
        if status >= 500 or status == 408:
            return EndpointBusy("server_error", f"{where}: {said}", retry_after=_seconds(fault))
        if status in (401, 403):
            return EndpointRefused("refused_key", f"{where}: check LLM_API_KEY. {said}")
        if status == 404:
            return EndpointRefused("not_found", f"{where}: check LLM_BASE_URL and LLM_MODEL. {said}")
        if 300 <= status < 400:
            return EndpointRefused(
                "redirect", f"{where}: redirects are not followed; put the final LLM_BASE_URL."
            )
        return EndpointFault("bad_request", f"{where}: {said}")

    def _answer(self, body: str, call: Call) -> Answer:
        try:
            parsed = _Body.model_validate(json.loads(body))
        except (ValueError, ValidationError, RecursionError) as fault:
            reason = f"{self.config.base_url} answered something that is no chat completion: {body[:120]!r}"
            raise EndpointBusy("malformed_body", reason) from fault
        if not parsed.choices:
            raise EndpointBusy("malformed_body", f"{self.config.base_url} answered without a choice.")
        if parsed.usage:
            call.prompt_tokens, call.completion_tokens = (
                parsed.usage.prompt_tokens,
                parsed.usage.completion_tokens,
            )
            call.cost_usd = self._cost(parsed.usage)
        choice = parsed.choices[0]
        return Answer(
            choice.message.content or "", choice.finish_reason or "", choice.message.refusal or "", call
        )

    def _cost(self, usage: _Usage) -> Decimal | None:
        if not (self.config.usd_per_million_in or self.config.usd_per_million_out):
            return None
        paid_in = (usage.prompt_tokens or 0) * Decimal(str(self.config.usd_per_million_in))
        paid_out = (usage.completion_tokens or 0) * Decimal(str(self.config.usd_per_million_out))
        return ((paid_in + paid_out) / MILLION).quantize(Decimal("0.000001"))


def _seconds(fault: openai.APIStatusError) -> float | None:
    value = fault.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        return None
