"""How the gateway talks to Redis: every call is bounded, fails at once when Redis is away, and is repeated by its caller."""

import asyncio
import random
from collections.abc import Generator
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TIMEOUT_S: Final = 1.0
FIRST_DELAY_S: Final = 0.05
LONGEST_DELAY_S: Final = 2.0


def connect(url: str) -> Redis:
    """A client of `url` that connects when first used."""
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),  # the library's own default waits three seconds before it tells us
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        max_connections=16,
        protocol=2,
    )


def backoff(first_s: float = FIRST_DELAY_S, longest_s: float = LONGEST_DELAY_S) -> Generator[float]:
    """Seconds to wait before each next try: doubling up to `longest_s`, jittered so that workers do not come back in step."""
    delay_s = first_s
    while True:
        yield delay_s * random.uniform(0.5, 1.0)  # noqa: S311
        delay_s = min(delay_s * 2, longest_s)


def is_told_to_end() -> bool:
    """Whether the running task was cancelled, even if that was swallowed on the way.

    redis-py can swallow it: closing a connection may fail while the cancellation passes through, and Python 3.11's
    `asyncio.wait_for`, with which it sends, returns its result if that comes at the same moment.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
