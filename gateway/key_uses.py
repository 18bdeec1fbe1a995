"""From where keys are used, and whether with an old secret: collected beside the calls, told to Redis now and then.

A connection is asked about once in a while, not at every request: it keeps the caller's `token`, which is another one after each
report. So a call on a connection that was noted costs one comparison.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.key_uses import KEPT_S, MOST_ADDRESSES, NOTED_EVERY_S, addresses_key, old_secrets_key, secret_field
from gateway.redis_client import is_told_to_end
from gateway.routing import Caller

logger = logging.getLogger(__name__)

Noted = dict[tuple[bytes, str], int]
"""By a key's id and what is noted of it: the second of the epoch in which that was so last."""
MOST_NOTED: Final = 10_000
"""Keys and addresses between two reports; what comes beyond is not noted."""
AT_ONCE: Final = 500
"""Told in one round trip."""


class KeyUses:
    """What one worker has noted since its last report."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._callers: set[Caller] = set()
        self._addresses: Noted = {}
        self._old_secrets: Noted = {}

    def note(self, caller: Caller, address: str) -> object:
        """Note a use; the answer is what the connection keeps, and need not be noted again for while it is `caller.token`."""
        now_s = int(time.time())
        self._callers.add(caller)
        if address and len(self._addresses) < MOST_NOTED:
            self._addresses[caller.key_id, address] = now_s
        if caller.has_old_secret and len(self._old_secrets) < MOST_NOTED:
            self._old_secrets[caller.key_id, secret_field(caller.secret_sha256)] = now_s
        return caller.token

    async def run(self) -> None:
        """Report until cancelled."""
        while not is_told_to_end():
            await asyncio.sleep(NOTED_EVERY_S)
            await self.report()

    async def report(self) -> None:
        """Tell Redis; what it does not take is told with the next report."""
        for caller in self._callers:
            caller.token = object()
        self._callers.clear()
        addresses, self._addresses = self._addresses, {}
        old_secrets, self._old_secrets = self._old_secrets, {}
        try:
            await self._tell_addresses(addresses)
            await self._tell_old_secrets(old_secrets)
        except (RedisError, OSError) as error:  # the route feed has logged that Redis is away
            logger.debug("uses of keys not told: %s", error)
            self._addresses = addresses | self._addresses
            self._old_secrets = old_secrets | self._old_secrets

    async def _tell_addresses(self, noted: Noted) -> None:
        for some in _parts(noted):
            async with self._redis.pipeline(transaction=False) as pipe:
                for (key, address), time_s in some:
                    name = addresses_key(UUID(bytes=key))
                    pipe.zadd(name, {address: time_s}, gt=True)
                    pipe.zremrangebyrank(name, 0, -MOST_ADDRESSES - 1)
                    pipe.expire(name, KEPT_S)
                await pipe.execute()

    async def _tell_old_secrets(self, noted: Noted) -> None:
        for some in _parts(noted):
            async with self._redis.pipeline(transaction=False) as pipe:
                for (key, field), time_s in some:
                    name = old_secrets_key(UUID(bytes=key))
                    pipe.hset(name, field, str(time_s))
                    pipe.expire(name, KEPT_S)
                await pipe.execute()


def _parts(noted: Noted) -> Iterator[list[tuple[tuple[bytes, str], int]]]:
    items = list(noted.items())
    for at in range(0, len(items), AT_ONCE):
        yield items[at : at + AT_ONCE]
