"""The way of a batch from the stream into ClickHouse."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client
from redis.asyncio import Redis

from contracts.records import DEAD_LETTER_STREAM, LOG_GROUP, LOG_STREAM, Origin
from telemetry import ingest as ingest_module
from telemetry.columns import request_columns
from telemetry.errors import StoreRefused, StoreUnavailable
from telemetry.ingest import MAX_DELIVERIES, Ingest
from telemetry.metrics import Metrics
from telemetry.migrations import read_migrations
from telemetry.store import Store
from tests.telemetry.records import NOON_US, Source, fields, lognormal_batches

COUNT = "SELECT count() FROM request_log WHERE deployment_id = {deployment:UUID}"
ROLLED_UP = "SELECT sum(requests) FROM request_1m WHERE deployment_id = {deployment:UUID}"


@asynccontextmanager
async def running(ingest: Ingest) -> AsyncGenerator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(ingest.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(task, 10)


async def until_empty(redis: Redis) -> None:
    """Every entry was acknowledged and deleted."""
    for _ in range(2000):
        if not await redis.xlen(LOG_STREAM):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the stream was not emptied within 20 s")


async def count(store: Store, source: Source, statement: str = COUNT) -> int:
    return (await store.query(statement, {"deployment": source.deployment_id}, "test"))[0][0]


async def test_every_field_of_a_record_is_stored_as_it_was(ingest: Ingest, redis: Redis, store: Store, source: Source) -> None:
    record = source.record(NOON_US + 123_456, total_us=777, status=400, rows=3)
    await redis.xadd(LOG_STREAM, fields(source.batch(record)))
    async with running(ingest):
        await until_empty(redis)
    statement = "SELECT * EXCEPT time, toUnixTimestamp64Micro(time) FROM request_log WHERE deployment_id = {deployment:UUID}"
    row = (await store.query(statement, {"deployment": source.deployment_id}, "test"))[0]
    time_us, *expected = msgspec.structs.astuple(record)
    assert row[-1] == time_us
    assert [it.bytes for it in row[:7]] == expected[:7]
    assert list(row[7:17]) == expected[7:17]
    assert row[17][0] == 1e9 + 0.5
    assert str(row[17][1]) == "nan"
    assert (list(row[18]), row[19], list(row[20])) == (["rent", "Zürich"], [0.25], [])


async def test_a_batch_sent_twice_is_visible_once(ingest: Ingest, redis: Redis, store: Store, source: Source) -> None:
    first, second = source.batch(source.record(), source.record()), source.batch(source.record())
    for batch in (first, first, second, first):
        await redis.xadd(LOG_STREAM, fields(batch))
    async with running(ingest):
        await until_empty(redis)
    assert await count(store, source) == 3
    assert await count(store, source, ROLLED_UP) == 3


async def test_equal_records_of_different_batches_are_both_visible(
    ingest: Ingest, redis: Redis, store: Store, source: Source
) -> None:
    record = source.record()
    await redis.xadd(LOG_STREAM, fields(source.batch(record)))
    await redis.xadd(LOG_STREAM, fields(source.batch(record)))
    async with running(ingest):
        await until_empty(redis)
    assert await count(store, source) == 2


async def test_a_retry_completes_a_rollup_that_a_crash_left_out(store: Store, clickhouse: Client, source: Source) -> None:
    """A kill between the two writes of an insert leaves the log with the rows and the roll-up without."""
    batch = source.batch(source.record(), source.record())
    view = next(it for it in read_migrations()[0].statements if it.startswith("CREATE MATERIALIZED VIEW"))
    clickhouse.command("DROP VIEW request_1m_view")
    await store.insert("request_log", request_columns(batch), batch.batch_id)
    clickhouse.command(view)
    assert await count(store, source, ROLLED_UP) == 0
    await store.insert("request_log", request_columns(batch), batch.batch_id)
    assert await count(store, source) == 2
    assert await count(store, source, ROLLED_UP) == 2


@pytest.mark.parametrize("body", [b"", b"\xc1 no msgpack", msgspec.msgpack.encode(["id", [[1, b"short"]]])])
async def test_an_unreadable_batch_goes_to_the_dead_letters_and_holds_nothing_up(
    ingest: Ingest, redis: Redis, store: Store, source: Source, body: bytes
) -> None:
    await redis.xadd(LOG_STREAM, {"b": body, "n": 1})
    await redis.xadd(LOG_STREAM, fields(source.batch(source.record())))
    async with running(ingest):
        await until_empty(redis)
    assert await count(store, source) == 1
    dead: Any = await redis.xrange(DEAD_LETTER_STREAM)
    assert [entry[b"b"] for _, entry in dead] == [body]
    assert dead[0][1][b"error"]


@pytest.mark.parametrize(
    "damage",
    [
        {"time_us": struct.pack("<q", -1)},
        {"time_us": struct.pack("<q", 2**62)},
        {"status": b""},
        {"total_us": b"12345678"},
        {"request_id": b"short"},
        {"origin": struct.pack("<I", 1)},
        {"error": struct.pack("<H", 9)},
        {"origins": (Origin(*[b"short"] * 6),)},
        {"input_numbers": b"seven b"},
        {"input_numbers": struct.pack("<d", 1.0)},
        {"input_texts": ("one",)},
    ],
)
async def test_a_record_that_fits_no_column_is_a_dead_letter(
    ingest: Ingest, redis: Redis, source: Source, damage: dict[str, Any]
) -> None:
    batch = msgspec.structs.replace(source.batch(source.record()), **damage)
    await redis.xadd(LOG_STREAM, fields(batch))
    async with running(ingest):
        await until_empty(redis)
    assert await redis.xlen(DEAD_LETTER_STREAM) == 1


async def test_a_dead_letter_put_back_as_the_operator_guide_says_is_stored(
    ingest: Ingest, redis: Redis, store: Store, source: Source
) -> None:
    dead = await redis.xadd(DEAD_LETTER_STREAM, {**fields(source.batch(source.record())), "id": "1-0", "error": "refused"})
    guide = (Path(__file__).parents[2] / "docs" / "operator-guide.md").read_text()
    script = guide.split('EVAL "')[1].split('"')[0]
    await redis.eval(script, 2, DEAD_LETTER_STREAM, LOG_STREAM, dead)  # type: ignore[misc]
    async with running(ingest):
        await until_empty(redis)
    assert await count(store, source) == 1
    assert await redis.xlen(DEAD_LETTER_STREAM) == 0


class RefusingStore(Store):
    """ClickHouse as it looks when it will not take one batch: a fault that real data could not be made to show."""

    def __init__(self, store: Store, refused: str) -> None:
        self.store, self.refused, self.attempts = store, refused, 0

    async def insert(self, table: str, columns: Any, token: str) -> None:
        if token == self.refused:
            self.attempts += 1
            raise StoreRefused("Code: 53. TYPE_MISMATCH")
        await self.store.insert(table, columns, token)


async def test_a_refused_batch_is_a_dead_letter_after_five_deliveries(
    redis: Redis, store: Store, metrics: Metrics, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "RESCUE_EVERY_S", 0.0)
    monkeypatch.setattr(ingest_module, "ABANDONED_MS", 0)
    monkeypatch.setattr(ingest_module, "BLOCK_MS", 20)
    poison, good = source.batch(source.record()), source.batch(source.record())
    refusing = RefusingStore(store, poison.batch_id)
    await redis.xadd(LOG_STREAM, fields(poison))
    await redis.xadd(LOG_STREAM, fields(good))
    async with running(Ingest(redis, refusing, "tester", metrics)):
        await until_empty(redis)
    assert refusing.attempts == MAX_DELIVERIES
    assert await count(store, source) == 1
    dead: Any = await redis.xrange(DEAD_LETTER_STREAM)
    assert b"TYPE_MISMATCH" in dead[0][1][b"error"]


async def test_a_batch_that_kills_its_consumer_each_time_is_a_dead_letter(
    ingest: Ingest, redis: Redis, store: Store, source: Source
) -> None:
    await redis.xgroup_create(LOG_STREAM, LOG_GROUP, id="0", mkstream=True)
    await redis.xadd(LOG_STREAM, fields(source.batch(source.record())))
    for number in range(MAX_DELIVERIES):  # consumers that took it and were never heard of again
        await redis.xreadgroup(LOG_GROUP, "tester", {LOG_STREAM: ">" if number == 0 else "0"})
    async with running(ingest):
        await until_empty(redis)
    assert await count(store, source) == 0
    assert await redis.xlen(DEAD_LETTER_STREAM) == 1


async def test_what_another_consumer_left_is_rescued(
    ingest: Ingest, redis: Redis, store: Store, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "RESCUE_EVERY_S", 0.0)
    monkeypatch.setattr(ingest_module, "ABANDONED_MS", 0)
    monkeypatch.setattr(ingest_module, "BLOCK_MS", 20)
    await redis.xgroup_create(LOG_STREAM, LOG_GROUP, id="0", mkstream=True)
    for batch in lognormal_batches(source, minutes=20, per_minute=3)[0]:
        await redis.xadd(LOG_STREAM, fields(batch))
    await redis.xreadgroup(LOG_GROUP, "a consumer that died", {LOG_STREAM: ">"}, count=20)
    async with running(ingest):
        await until_empty(redis)
    assert await count(store, source) == 60


class UnreachableStore(Store):
    """ClickHouse that is away until `back` is set."""

    def __init__(self, store: Store) -> None:
        self.store, self.back, self.attempted = store, asyncio.Event(), asyncio.Event()

    async def insert(self, table: str, columns: Any, token: str) -> None:
        self.attempted.set()
        if not self.back.is_set():
            raise StoreUnavailable("ClickHouse cannot be reached")
        await self.store.insert(table, columns, token)


async def test_batches_wait_while_clickhouse_is_away(redis: Redis, store: Store, metrics: Metrics, source: Source) -> None:
    away = UnreachableStore(store)
    for batch in lognormal_batches(source, minutes=10, per_minute=1)[0]:
        await redis.xadd(LOG_STREAM, fields(batch))
    async with running(Ingest(redis, away, "tester", metrics)):
        await asyncio.wait_for(away.attempted.wait(), 10)
        assert await redis.xlen(LOG_STREAM) == 10
        away.back.set()
        await until_empty(redis)
    assert await count(store, source) == 10
    assert await redis.xlen(DEAD_LETTER_STREAM) == 0


async def test_stopping_while_clickhouse_is_away_leaves_the_batches_for_the_next_start(
    ingest: Ingest, redis: Redis, store: Store, metrics: Metrics, source: Source
) -> None:
    away = UnreachableStore(store)
    await redis.xadd(LOG_STREAM, fields(source.batch(source.record())))
    async with running(Ingest(redis, away, "tester", metrics)):
        await asyncio.wait_for(away.attempted.wait(), 10)
    assert await redis.xlen(LOG_STREAM) == 1
    async with running(ingest):
        await until_empty(redis)
    assert await count(store, source) == 1


async def test_a_redis_that_forgot_its_stream_is_joined_again(ingest: Ingest, redis: Redis, store: Store, source: Source) -> None:
    async with running(ingest):
        await redis.xadd(LOG_STREAM, fields(source.batch(source.record())))
        await until_empty(redis)
        await redis.flushall()
        await redis.xadd(LOG_STREAM, fields(source.batch(source.record())))
        await until_empty(redis)
    assert await count(store, source) == 2


async def test_losses_that_gateways_report_are_kept(ingest: Ingest, redis: Redis, store: Store, metrics: Metrics) -> None:
    source = Source()
    batch = source.batch(lost=41)
    await redis.xadd(LOG_STREAM, fields(batch))
    await redis.xadd(LOG_STREAM, fields(batch))
    async with running(ingest):
        await until_empty(redis)
    statement = "SELECT lost FROM lost_records WHERE startsWith(batch_id, {epoch:String})"
    assert await store.query(statement, {"epoch": source.epoch}, "test") == [(41,)]
    assert metrics.registry.get_sample_value("headrace_log_ingest_batches_total") == 2
