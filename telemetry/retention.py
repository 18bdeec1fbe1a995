"""Forgetting requests earlier than everybody's, for organizations that want it so, and all there is of what is gone."""

import asyncio
import logging
from typing import Any, Final, LiteralString, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.errors import HeadraceError
from contracts.retention import GONE, GONE_PROJECTS_KEY, RETENTION_KEY, read_gone_project
from telemetry.store import Store

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

INTERVAL_S: Final = 3600.0
AT_ONCE: Final = 100
"""Organizations or projects in one statement."""
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
TABLES: Final = ("request_log", "request_1m", "key_1h")
"""Everything there is of a request."""
HAS_ANY: Final[LiteralString] = """
    SELECT 1
    FROM {table:Identifier}
    WHERE organization_id IN {organizations:Array(UUID)}
      AND (empty({projects:Array(UUID)}) OR project_id IN {projects:Array(UUID)})
    LIMIT 1
"""
DELETE_ALL: Final[LiteralString] = """
    DELETE FROM {table:Identifier}
    WHERE organization_id IN {organizations:Array(UUID)}
      AND (empty({projects:Array(UUID)}) OR project_id IN {projects:Array(UUID)})
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
    """Remove the requests that are older than their organization keeps them, and all there is of what is gone."""
    retentions: Any = await redis.hgetall(RETENTION_KEY)
    for some in _batches(sorted(retentions.items())):
        names = [id.decode() for id, _ in some]
        parameters: dict[str, Any] = {"organizations": names, "names": names, "days": [int(days) for _, days in some]}
        await _delete(store, HAS_OLD, DELETE_OLD, parameters)
        gone = [id.decode() for id, days in some if int(days) == GONE]
        await _delete_all(store, gone)
    gone_projects: Any = await redis.smembers(GONE_PROJECTS_KEY)
    for some in _batches(sorted(map(read_gone_project, gone_projects))):
        organizations, projects = zip(*some, strict=True)
        await _delete_all(store, list(organizations), list(projects))


def _batches(of: list[Item]) -> list[list[Item]]:
    return [of[start : start + AT_ONCE] for start in range(0, len(of), AT_ONCE)]


async def _delete_all(store: Store, organizations: list[str], projects: list[str] | None = None) -> None:
    """Of organizations, all there is, or of some of their projects."""
    for table in TABLES:
        await _delete(store, HAS_ANY, DELETE_ALL, {"table": table, "organizations": organizations, "projects": projects or []})


async def _delete(store: Store, are_there: LiteralString, deletion: LiteralString, parameters: dict[str, Any]) -> None:
    """Run a deletion unless it would find nothing: each costs ClickHouse a mutation."""
    if await store.query(are_there, parameters, COMMENT):
        await store.delete(deletion, parameters, COMMENT)
