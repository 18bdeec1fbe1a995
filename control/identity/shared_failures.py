"""Failures counted in Redis, for all control processes alike.

Each count is one key that expires, named by a digest: an address that was guessed at is not to be read there. There are never
more than failures within the time after which they are forgotten, which bcrypt's threads bound. A Redis that does not answer in
time is as good as none: then each process counts for itself.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PREFIX: Final = "headrace:throttle:"
TIMEOUT_S: Final = 0.5
KNOWN_S: Final = 90 * 86400
"""How long an address that a person signed in from is remembered."""

NOW: Final = """
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
ADD: Final = (
    NOW
    + """
    local answer = {}
    for number, key in ipairs(KEYS) do
        local failures = redis.call('HINCRBY', key, 'failures', 1)
        local excess, longest, wait = failures - ARGV[2 * number], tonumber(ARGV[2 * number + 1]), 0
        if excess >= 0 then wait = math.min(1000 * 2 ^ math.min(excess, 16), longest) end
        redis.call('HSET', key, 'until', string.format('%.0f', now + wait))
        redis.call('PEXPIRE', key, wait + ARGV[1])
        table.insert(answer, failures)
        table.insert(answer, wait)
    end
    return answer
"""
)
READ: Final = (
    NOW
    + """
    local answer = {}
    for _, key in ipairs(KEYS) do
        local entry = redis.call('HMGET', key, 'failures', 'until')
        table.insert(answer, tonumber(entry[1] or 0))
        table.insert(answer, math.max(0, tonumber(entry[2] or 0) - now))
    end
    return answer
"""
)


Count = tuple[int, float]
"""Failures in a row, and the seconds that the next try must wait."""


class SharedFailures:
    """Methods answer None, and change nothing, when Redis does not answer."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.add_script = redis.register_script(ADD)
        self.read_script = redis.register_script(READ)

    async def read(self, keys: Sequence[str]) -> list[Count] | None:
        """What each key counts."""
        return _counts(await self._within_time(self.read_script(keys=[named(it) for it in keys])))

    async def add(self, keys: Sequence[str], bounds: Sequence[tuple[int, float]], forget_after_s: float) -> list[Count] | None:
        """Count a failure of each key; from the last free one on each doubles the wait, from 1 s to the longest (`bounds`)."""
        arguments = [round(forget_after_s * 1000)]
        for free, longest_wait_s in bounds:
            arguments += [free, round(longest_wait_s * 1000)]
        return _counts(await self._within_time(self.add_script(keys=[named(it) for it in keys], args=arguments)))

    async def forget(self, *keys: str) -> None:
        """Start anew."""
        await self._within_time(self.redis.delete(*map(named, keys)))

    async def remember(self, key: str) -> None:
        """Know a person's address."""
        await self._within_time(self.redis.set(named(key), 1, ex=KNOWN_S))

    async def knows(self, key: str) -> bool | None:
        """Whether the person's address is remembered."""
        answer = await self._within_time(self.redis.exists(named(key)))
        return None if answer is None else bool(answer)

    async def _within_time(self, call: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await call
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("failed logins are counted by this process alone: %s", type(error).__name__)
            return None


def _counts(answer: list[int] | None) -> list[Count] | None:
    if answer is None:
        return None
    return [(failures, wait_ms / 1000) for failures, wait_ms in zip(answer[::2], answer[1::2], strict=True)]


def named(key: str) -> str:
    """What Redis calls a count."""
    return PREFIX + hashlib.sha256(key.encode()).hexdigest()
