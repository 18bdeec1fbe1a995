"""Workers that share the limits of keys, and clients that take all they can get."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from contracts.errors import TooMany
from contracts.routes import Key, KeyLimits
from gateway.limits.fleet import Fleet
from gateway.limits.limiter import KeyLimiter
from gateway.limits.limiters import KeyLimiters
from gateway.redis_client import connect
from tests.gateway.waiting import until

PAUSE_S = 0.002


def key(limits: KeyLimits) -> Key:
    return Key("abcdefghijkl", uuid4(), uuid4(), uuid4(), b"", ("infer",), limits=limits)


class RunningLimiters:
    """One worker's limiters with their task; `kill` ends it as a crash would."""

    def __init__(self, url: str, fleet: Fleet | None = None) -> None:
        self.redis = connect(url)
        self.limiters = KeyLimiters(self.redis, uuid4().hex, fleet or Fleet())
        self.task = asyncio.create_task(self.limiters.run())

    def limiter(self, key: Key) -> KeyLimiter:
        limiter = self.limiters.limiter_for(key)
        assert limiter is not None
        return limiter

    async def kill(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await self.redis.aclose()


@asynccontextmanager
async def running(url: str, workers: int) -> AsyncGenerator[list[RunningLimiters]]:
    """So many workers that know of each other."""
    fleet = [RunningLimiters(url) for _ in range(workers)]
    try:
        await until(lambda: all(it.limiters.fleet.live == workers for it in fleet), "the workers to know of each other")
        yield fleet
    finally:
        for it in fleet:
            await it.kill()


class Client:
    """Asks one worker again and again; `got` counts the requests that got in."""

    def __init__(self, limiter: KeyLimiter, rows: int = 0) -> None:
        self._limiter, self._rows = limiter, rows
        self.got = 0

    async def hammer(self, end: float) -> int:
        """Until that moment of the monotonic clock; `got` at the end."""
        while time.monotonic() < end:
            self.got += admitted(self._limiter, self._rows)
            await asyncio.sleep(PAUSE_S)
        return self.got


def admitted(limiter: KeyLimiter, rows: int = 0) -> bool:
    """Whether one request, that is over at once, gets in."""
    try:
        limiter.admit()
    except TooMany:
        return False
    try:
        if rows:
            limiter.take_rows(rows)
    except TooMany:
        return False
    finally:
        limiter.leave()
    return True
