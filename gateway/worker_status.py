"""Tells control, through Redis, what this worker has loaded: every two seconds and at every change."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.workers import WORKER_HEARTBEAT_S, WORKER_TTL_S, WORKERS_KEY, WorkerStatus, encode_worker, worker_key
from gateway.redis_client import is_told_to_end

logger = logging.getLogger(__name__)

FORGOTTEN_S: Final = 3600.0
"""A worker not heard of for so long is struck off the list."""


class StatusReporter:
    """Writes what `describe` says of this worker."""

    def __init__(self, redis: Redis, describe: Callable[[], WorkerStatus]) -> None:
        self._redis, self._describe = redis, describe
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Report now rather than at the next heartbeat."""
        self._changed.set()

    async def run(self) -> None:
        """Report until cancelled; while Redis is away the reports are skipped."""
        while not is_told_to_end():
            self._changed.clear()
            try:
                await self._report()
            except (RedisError, OSError) as error:  # the route feed has logged that Redis is away
                logger.debug("worker status not reported: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(WORKER_HEARTBEAT_S):
                    await self._changed.wait()

    async def leave(self) -> None:
        """Strike this worker off at once instead of when its status expires."""
        worker_id = self._describe().worker_id
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(worker_key(worker_id))
                pipe.zrem(WORKERS_KEY, worker_id)
                await pipe.execute()
        except (RedisError, OSError) as error:
            logger.debug("worker status not withdrawn: %s", error)

    async def _report(self) -> None:
        status = self._describe()
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(worker_key(status.worker_id), encode_worker(status), ex=WORKER_TTL_S)
            pipe.zadd(WORKERS_KEY, {status.worker_id: status.heartbeat_at})
            pipe.zremrangebyscore(WORKERS_KEY, 0, time.time() - FORGOTTEN_S)
            await pipe.execute()
