"""Requests that an organization does not want to be kept as long as everybody's."""

import time
from typing import Any

from redis.asyncio import Redis

from contracts.retention import GONE, GONE_PROJECTS_KEY, RETENTION_KEY, gone_project
from telemetry.columns import request_columns
from telemetry.retention import forget
from telemetry.store import Store
from tests.telemetry.records import DAY_US, Source


async def kept(store: Store, source: Source) -> list[int]:
    """How many days ago each request was that is still there."""
    statement = """
        SELECT dateDiff('day', time, now64()) AS days FROM request_log
        WHERE organization_id = {organization:UUID} ORDER BY days
    """
    rows = await store.query(statement, {"organization": source.organization_id}, "test")
    return [days for (days,) in rows]


async def counted(store: Store, source: Source) -> list[int]:
    """How many requests its counts hold, by the minute and those of its keys by the hour."""
    statements = (
        "SELECT sum(requests) FROM request_1m WHERE organization_id = {organization:UUID} AND project_id = {project:UUID}",
        "SELECT sum(requests) FROM key_1h WHERE organization_id = {organization:UUID} AND project_id = {project:UUID}",
    )
    of = {"organization": source.organization_id, "project": source.project_id}
    return [(await store.query(it, of, "test"))[0][0] for it in statements]


async def fill(store: Store, *sources: Source) -> None:
    """A call now, and one a day for six days back."""
    now_us = time.time_ns() // 1000
    for it in sources:
        for days in range(7):
            batch = it.batch(it.record(now_us - days * DAY_US))
            await store.insert("request_log", request_columns(batch), batch.batch_id)


async def test_what_is_older_is_forgotten_and_nothing_else(store: Store, redis: Redis) -> None:
    short, long, everybody = Source(), Source(), Source()
    await fill(store, short, long, everybody)
    wanted: Any = {str(short.organization_id): 2, str(long.organization_id): 5}
    await redis.hset(RETENTION_KEY, mapping=wanted)
    await forget(redis, store)
    assert await kept(store, short) == [0, 1]
    assert await kept(store, long) == [0, 1, 2, 3, 4]
    assert await kept(store, everybody) == [0, 1, 2, 3, 4, 5, 6]


async def test_nothing_stays_of_an_organization_that_is_gone(store: Store, redis: Redis) -> None:
    gone, other = Source(), Source()
    await fill(store, gone, other)
    await redis.hset(RETENTION_KEY, str(gone.organization_id), str(GONE))  # pyright: ignore[reportGeneralTypeIssues]
    await forget(redis, store)
    assert (await kept(store, gone), await counted(store, gone)) == ([], [0, 0])
    assert (len(await kept(store, other)), await counted(store, other)) == (7, [7, 7])


async def test_nothing_stays_of_a_project_that_is_gone(store: Store, redis: Redis) -> None:
    gone = Source()
    sibling = Source(organization_id=gone.organization_id)
    await fill(store, gone, sibling)
    member = gone_project(gone.organization_id, gone.project_id)
    await redis.sadd(GONE_PROJECTS_KEY, member)  # pyright: ignore[reportGeneralTypeIssues]
    await forget(redis, store)
    assert (await counted(store, gone), await counted(store, sibling)) == ([0, 0], [7, 7])
    assert len(await kept(store, gone)) == 7  # all of them the sibling's


async def test_where_nothing_is_too_old_nothing_is_rewritten(store: Store, redis: Redis) -> None:
    source = Source()
    await fill(store, source)
    await redis.hset(RETENTION_KEY, str(source.organization_id), "30")  # pyright: ignore[reportGeneralTypeIssues]
    before = await store.query("SELECT count() FROM system.mutations", {}, "test")
    await forget(redis, store)
    assert await store.query("SELECT count() FROM system.mutations", {}, "test") == before
