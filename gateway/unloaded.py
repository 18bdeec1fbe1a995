"""Which deployments are unloaded: a set in Redis that every worker follows, so that it outlives them.

While Redis is away the last that was heard holds; a worker that starts meanwhile loads everything that is deployed.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from contracts.errors import Overloaded
from gateway.redis_client import backoff, is_told_to_end

logger = logging.getLogger(__name__)

UNLOADED_KEY: Final = "headrace:unloaded"
"""A set of the 16 bytes of deployments' ids."""
UNLOADED_CHANNEL: Final = "headrace:unloaded:changed"
POLL_S: Final = 3.0
"""How long a lost announcement can go unnoticed."""


class NotShared(Overloaded):
    """The other workers cannot be told."""

    title = "Not shared"


class Unloaded:
    """`on_change` is called on the event loop whenever `ids` has changed."""

    def __init__(self, redis: Redis, on_change: Callable[[], None]) -> None:
        self._redis, self._on_change = redis, on_change
        self.ids: frozenset[UUID] = frozenset()

    async def run(self) -> None:
        """Follow Redis until cancelled, whatever becomes of it."""
        delays = backoff()
        while not is_told_to_end():
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(UNLOADED_CHANNEL)
                    await self._fetch()  # after subscribing, so that no announcement falls between
                    delays = backoff()
                    await self._follow(channel)
            except (RedisError, OSError) as error:  # the route feed has logged that Redis is away
                logger.debug("what is unloaded cannot be read: %s", error)
                await asyncio.sleep(next(delays))

    async def put(self, deployment_id: UUID, *, is_unloaded: bool) -> None:
        """Unload or load a deployment, here and everywhere. Raises NotShared; then nothing has changed here."""
        change = self._redis.sadd if is_unloaded else self._redis.srem
        try:
            await change(UNLOADED_KEY, deployment_id.bytes)  # type: ignore[misc]
            await self._redis.publish(UNLOADED_CHANNEL, deployment_id.bytes)
        except (RedisError, OSError) as error:
            raise NotShared("the other workers cannot be told, because Redis does not answer; try again") from error
        self._take(self.ids | {deployment_id} if is_unloaded else self.ids - {deployment_id})

    async def _follow(self, channel: PubSub) -> None:
        while not is_told_to_end():
            await channel.get_message(ignore_subscribe_messages=True, timeout=POLL_S)
            while await channel.get_message(ignore_subscribe_messages=True, timeout=0.0):
                pass  # several announcements at once need one look
            await self._fetch()

    async def _fetch(self) -> None:
        members: Any = await self._redis.smembers(UNLOADED_KEY)  # type: ignore[misc]
        self._take(frozenset(UUID(bytes=it) for it in members if len(it) == 16))

    def _take(self, ids: frozenset[UUID]) -> None:
        if ids != self.ids:
            self.ids = ids
            self._on_change()
