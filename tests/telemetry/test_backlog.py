"""The gauges of what waits: true also while nothing is stored, and honest about a Redis that does not say."""

import asyncio
import time
from typing import Any

from litestar.testing import AsyncTestClient
from redis.asyncio import Redis

from contracts.records import LOG_STREAM
from telemetry.__main__ import connect_redis
from telemetry.app import create_app
from telemetry.backlog import look_at_backlog
from telemetry.ingest import Ingest
from telemetry.metrics import Metrics
from telemetry.store import Store
from tests.telemetry.conftest import SECRET
from tests.telemetry.records import Source, fields
from tests.telemetry.test_ingest import UnreachableStore, running, until_empty


async def gauges(redis: Redis, metrics: Metrics) -> tuple[float | None, float | None]:
    """Entries, and seconds of the oldest."""
    await look_at_backlog(redis, metrics)
    sample = metrics.registry.get_sample_value
    return sample("headrace_log_stream_entries"), sample("headrace_log_oldest_pending_seconds")


async def test_what_waits_is_seen_while_clickhouse_is_away(redis: Redis, store: Store, metrics: Metrics, source: Source) -> None:
    assert await gauges(redis, metrics) == (0, 0)
    for age_s in (90, 30, 0):
        written: Any = f"{int((time.time() - age_s) * 1000)}-0"
        await redis.xadd(LOG_STREAM, fields(source.batch(source.record())), id=written)
    away = UnreachableStore(store)
    async with running(Ingest(redis, away, "tester", metrics)):
        await asyncio.wait_for(away.attempted.wait(), 10)
        entries, oldest_s = await gauges(redis, metrics)
        assert entries == 3
        assert oldest_s is not None
        assert 90 <= oldest_s < 150
        away.back.set()
        await until_empty(redis)
    assert await gauges(redis, metrics) == (0, 0)


async def test_without_redis_a_scrape_does_not_know_what_waits(store: Store, metrics: Metrics) -> None:
    async with (
        connect_redis("unix:///nowhere.sock") as redis,
        AsyncTestClient(create_app(SECRET, store, redis, metrics)) as client,
    ):
        page = (await client.get("/metrics")).text
    assert "headrace_log_stream_entries NaN\n" in page
    assert "headrace_log_oldest_pending_seconds NaN\n" in page
