"""Forgetting requests earlier than everybody's, for organizations that want it so, and all there is of those that are gone."""

import asyncio
import logging
from typing import Any, Final, LiteralString

from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.errors import HeadraceError
from contracts.retention import GONE, RETENTION_KEY
from telemetry.store import Store

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 3600.0
AT_ONCE: Final = 100
"""Organizations in one statement."""
COMMENT: Final = "headrace: retention"

HAS_OLD: Final[LiteralString] = """
    SELECT 1
    FROM request_log
    WHERE organization_id IN {organizations:Array(UUID)}
      AND time < now() - toIntervalDay(transform(toString(organization_id), {names:Array(String)}, {days:Array(UInt16)}, 90))
    LIMIT 1
"""
DELETE_OLD: Final[LiteralString] = """
    DELETE FROM request_log
    WHERE organization_id IN {organizations:Array(UUID)}
      AND time < now() - toIntervalDay(transform(toString(organization_id), {names:Array(String)}, {days:Array(UInt16)}, 90))
"""
HAS_COUNTS: Final[LiteralString] = """
    SELECT 1
    FROM request_1m
    WHERE organization_id IN {organizations:Array(UUID)}
    LIMIT 1
"""
DELETE_COUNTS: Final[LiteralString] = """
    DELETE FROM request_1m
    WHERE organization_id IN {organizations:Array(UUID)}
"""


async def forget_forever(redis: Redis, store: Store) -> None:
    """Forget at start and every `INTERVAL_S`; what fails now is done the next time."""
    while True:
        try:
            await forget(redis, store)
        except (RedisError, OSError, HeadraceError) as error:
            logger.warning("old requests are not forgotten now: %s", error)
        await asyncio.sleep(INTERVAL_S)


async def forget(redis: Redis, store: Store) -> None:
    """Remove the requests that are older than their organization keeps them, and the counts of those that are gone."""
    retentions: Any = await redis.hgetall(RETENTION_KEY)
    days_of = sorted(retentions.items())
    for at in range(0, len(days_of), AT_ONCE):
        some = days_of[at : at + AT_ONCE]
        names = [id.decode() for id, _ in some]
        parameters: dict[str, Any] = {"organizations": names, "names": names, "days": [int(days) for _, days in some]}
        await delete(store, HAS_OLD, DELETE_OLD, parameters)
        gone = [id.decode() for id, days in some if int(days) == GONE]
        await delete(store, HAS_COUNTS, DELETE_COUNTS, {"organizations": gone})


async def delete(store: Store, are_there: LiteralString, deletion: LiteralString, parameters: dict[str, Any]) -> None:
    """Run a deletion unless it would find nothing: each costs ClickHouse a mutation."""
    if await store.query(are_there, parameters, COMMENT):
        await store.delete(deletion, parameters, COMMENT)
