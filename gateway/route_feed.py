"""Where route tables come from: Redis when it is there, the last one on disk when it is not.

Only a table with a higher version than the one held is taken. Versions are microseconds since the epoch at the least (control
sees to that), so those of a rebuilt database go on above the old ones, and a table brought back from some backup is refused.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from contracts.routes import ROUTES_CHANNEL, ROUTES_KEY, RouteTable, decode_routes
from gateway.redis_client import backoff, is_told_to_end

logger = logging.getLogger(__name__)

NOT_TRIED: Final = "not connected yet"
POLL_S: Final = 3.0
"""How long a lost announcement can go unnoticed."""


class RouteFeed:
    """Calls `accept` with every newer table, on the event loop; `problem` says why Redis is away, or is empty."""

    def __init__(self, redis: Redis, kept: Path, accept: Callable[[RouteTable], None]) -> None:
        self._redis = redis
        self._kept = kept
        self._accept = accept
        self._table: RouteTable | None = None
        self._blob: bytes | None = None
        self.problem = NOT_TRIED

    @property
    def version(self) -> int:
        """Version of the table held; 0 before the first."""
        return self._table.version if self._table else 0

    @property
    def has_table(self) -> bool:
        return self._table is not None

    def start_from_disk(self) -> None:
        """Take the table kept on disk, if there is one and it is whole."""
        try:
            blob = self._kept.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("the kept route table cannot be read: %s", error)
            return
        if self._take(blob, "on disk"):
            logger.info("serving from the route table on disk, version %d", self.version)

    async def run(self) -> None:
        """Follow Redis until cancelled, whatever becomes of it."""
        delays = backoff()
        while not is_told_to_end():
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(ROUTES_CHANNEL)
                    await self._fetch()  # after subscribing, so that no announcement falls between
                    delays = backoff()
                    await self._follow(channel)
            except (RedisError, OSError) as error:
                if self.problem in ("", NOT_TRIED):
                    logger.warning("Redis is away, serving on from route table %d: %s", self.version, error)
                self.problem = str(error) or type(error).__name__
                await asyncio.sleep(next(delays))

    async def _follow(self, channel: PubSub) -> None:
        while not is_told_to_end():
            await channel.get_message(ignore_subscribe_messages=True, timeout=POLL_S)
            while await channel.get_message(ignore_subscribe_messages=True, timeout=0.0):
                pass  # several announcements at once need one look
            await self._fetch()

    async def _fetch(self) -> None:
        blob: Any = await self._redis.get(ROUTES_KEY)
        if self.problem:
            logger.info("connected to Redis")
            self.problem = ""
        if blob is not None and blob != self._blob and self._take(blob, "in Redis"):
            await asyncio.to_thread(self._keep, blob)

    def _take(self, blob: bytes, where: str) -> bool:
        self._blob = blob
        try:
            table = decode_routes(blob)
        except msgspec.MsgspecError as error:
            logger.error("the route table %s is damaged, serving on from version %d: %s", where, self.version, error)
            return False
        if not is_newer(table, self._table):
            logger.warning("the route table %s has version %d, not above %d: refused", where, table.version, self.version)
            return False
        self._table = table
        self._accept(table)
        return True

    def _keep(self, blob: bytes) -> None:
        partial = self._kept.with_suffix(f".{os.getpid()}")
        try:
            with open(partial, "wb", opener=_private) as file:
                file.write(blob)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._kept)
        except OSError as error:
            logger.error("the route table cannot be kept on disk: %s", error)


def is_newer(table: RouteTable, held: RouteTable | None) -> bool:
    """Whether `table` may replace `held`."""
    return held is None or table.version > held.version


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
