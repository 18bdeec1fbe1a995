"""Bringing the route table from Postgres to Redis: moments after a commit, and again whenever Redis has lost it.

Every control process runs this; the newest version wins in Redis, whoever brings it. Postgres announces commits on a channel; a
look every `INTERVAL_S` makes up for announcements that nobody heard, and for a Redis that came back empty.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.routes import ROUTES_CHANNEL, ROUTES_KEY, RouteTable, encode_routes
from control.background import running
from control.database import COMMAND_TIMEOUT_S, CONNECT_TIMEOUT_S, Database, DatabaseUnavailable
from control.routing.queries import ROUTES_CHANGED, bump_routes, find_route_version, read_routes

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 1.0
RECONNECT_S: Final = 1.0
VERSION_KEY: Final = "headrace:routes:version"
"""The version of what stands under `ROUTES_KEY`, so that telling the newer one needs no decoding."""

STORE_IF_NEWER: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 and tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[1]) then
    return 0
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[3], ARGV[1])
return 1
"""


@asynccontextmanager
async def publishing_routes(database_url: str, database: Database, redis: Redis) -> AsyncGenerator[None]:
    """Keep Redis up to date for as long as the block runs."""
    changed = asyncio.Event()
    async with (
        running(_listen_forever(database_url, changed)),
        running(_publish_forever(database, redis, changed)),
    ):
        yield


async def publish_if_newer(database: Database, redis: Redis) -> int | None:
    """The version that was published, or None if Redis had it already. Raises DatabaseUnavailable or RedisError."""
    published = await _published_version(redis)  # before the database is asked: nothing newer than its answer can stand here
    wanted = await database.run(find_route_version)
    if published == wanted:
        return None
    if published > wanted:
        logger.warning("the database went back to an earlier state; publishing it as a new version")
        async with database.transaction() as connection:
            await bump_routes(connection)
    async with database.transaction() as connection:
        table = await read_routes(connection)
    return table.version if await _store(redis, table) else None


async def _publish_forever(database: Database, redis: Redis, changed: asyncio.Event) -> None:
    trouble = None
    while True:
        changed.clear()
        try:
            await publish_if_newer(database, redis)
            trouble = None
        except Exception as error:  # whatever it is, it may be gone at the next look, and nobody else publishes
            if type(error) is not trouble:
                logger.warning("routes cannot be published now: %s", error, exc_info=not _is_expected(error))
            trouble = type(error)
        with suppress(TimeoutError):
            async with asyncio.timeout(INTERVAL_S):
                await changed.wait()


def _is_expected(error: Exception) -> bool:
    return isinstance(error, DatabaseUnavailable | asyncpg.UndefinedTableError | RedisError | OSError)


async def _listen_forever(database_url: str, changed: asyncio.Event) -> None:
    while True:
        try:
            await _listen(database_url, changed)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.debug("not hearing of route changes at once: %s", error)
        await asyncio.sleep(RECONNECT_S)


async def _listen(database_url: str, changed: asyncio.Event) -> None:
    """Set `changed` at every announcement; returns when the connection is lost."""
    lost = asyncio.Event()

    def announce(*_: Any) -> None:
        changed.set()

    def lose(*_: Any) -> None:
        lost.set()

    connection = await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S)
    try:
        connection.add_termination_listener(lose)
        await connection.add_listener(ROUTES_CHANGED, announce)
        changed.set()  # what was announced before this connection listened
        await lost.wait()
    finally:
        connection.terminate()


async def _published_version(redis: Redis) -> int:
    """0 if no table stands in Redis."""
    pipeline = redis.pipeline(transaction=True)
    pipeline.exists(ROUTES_KEY)
    pipeline.get(VERSION_KEY)
    exists, version = await pipeline.execute()
    return int(version or 0) if exists else 0


async def _store(redis: Redis, table: RouteTable) -> bool:
    keys = ROUTES_KEY, VERSION_KEY
    return bool(await redis.eval(STORE_IF_NEWER, len(keys), *keys, table.version, encode_routes(table), ROUTES_CHANNEL))
