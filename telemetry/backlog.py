"""What waits in the stream, looked at when somebody asks: the consumer itself may be waiting for ClickHouse just then."""

import asyncio
import logging
import math
from typing import Any, Final, LiteralString

from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.records import LOG_STREAM
from telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

TIMEOUT_S: Final = 1.0
LOOK: Final[LiteralString] = """
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local written_ms = first and tonumber(string.match(first[1], '^%d+')) or now_ms
return {redis.call('XLEN', KEYS[1]), math.max(0, now_ms - written_ms)}
"""
"""Entries (those that are stored are deleted), and the age of the oldest in ms, by Redis' clock, which gave it its time."""


async def look_at_backlog(redis: Redis, metrics: Metrics) -> None:
    """Set the gauges of what waits; to NaN if Redis does not say."""
    entries, oldest_ms = math.nan, math.nan
    try:
        async with asyncio.timeout(TIMEOUT_S):
            answer: Any = await redis.execute_command("EVAL", LOOK, 1, LOG_STREAM)
        entries, oldest_ms = answer
    except (TimeoutError, RedisError, OSError) as error:
        logger.debug("the stream cannot be looked at: %s", error)
    metrics.stream_entries.set(entries)
    metrics.oldest_seconds.set(oldest_ms / 1000)
