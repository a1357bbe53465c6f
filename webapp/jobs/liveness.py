"""Which workers are alive: each leaves a mark in the cache whenever it runs one of beat's nudges."""

from __future__ import annotations

import socket

from django.core.cache import cache
from redis.exceptions import RedisError

QUEUES = ("io", "llm", "train")
ALIVE_FOR_S = 25


def mark_alive(queue: str) -> None:
    cache.set(f"alive:{queue}", socket.gethostname(), ALIVE_FOR_S)


def workers() -> dict[str, str | None]:
    """Queue → host of a worker that ran within the last 25 s, or None. All None where the broker is down."""
    try:
        found = cache.get_many([f"alive:{queue}" for queue in QUEUES])
    except RedisError:
        return dict.fromkeys(QUEUES)
    return {queue: found.get(f"alive:{queue}") for queue in QUEUES}
