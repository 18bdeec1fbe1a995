"""Carries the request log from the Redis stream into ClickHouse, each batch visible exactly once.

One stream entry is one batch and becomes one insert, whose deduplication token is the batch's own id; the entry is acknowledged
and deleted only after the insert returned. A crash, a lost answer or a second consumer can repeat an insert, never its effect.
While Redis or ClickHouse is away the batches wait in the stream.
"""

import asyncio
import logging
import random
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from contracts.records import DEAD_LETTER_STREAM, LOG_GROUP, LOG_STREAM, RecordBatch, decode_batch
from telemetry.columns import Table, request_columns
from telemetry.errors import BatchUnreadable, StoreRefused, StoreTimedOut, StoreUnavailable
from telemetry.metrics import Metrics
from telemetry.store import Store

logger = logging.getLogger(__name__)

ENTRIES_A_READ: Final = 8
"""A batch may hold some megabytes of tensors, so few are held at once."""
BLOCK_MS: Final = 500
RESCUE_EVERY_S: Final = 10.0
ABANDONED_MS: Final = 30_000
"""An entry taken this long ago and not acknowledged is taken over from whoever had it."""
MAX_DELIVERIES: Final = 5
MAX_DEAD_LETTERS: Final = 1000
MAX_DELAY_S: Final = 5.0


class Entry(NamedTuple):
    """One stream entry; `deliveries` counts how often it was handed out, this time included."""

    id: bytes
    body: bytes
    deliveries: int = 1

    def written_ms(self) -> int:
        """When it was added to the stream, milliseconds since the epoch."""
        return int(self.id.partition(b"-")[0])


class Ingest:
    """The consumer. Several may run, under different names, over one stream and one ClickHouse server."""

    def __init__(self, redis: Redis, store: Store, consumer: str, metrics: Metrics) -> None:
        self._redis = redis
        self._store = store
        self._consumer = consumer
        self._metrics = metrics

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, and finish the insert that runs then."""
        delays = backoff()
        while not stopping.is_set():
            try:
                await self._join_group()
                await self._rescue(0, stopping, self._consumer)
                delays = backoff()
                await self._consume(stopping)
            except (RedisError, OSError) as error:
                self._metrics.failures.inc()
                logger.warning("the request log cannot be read, Redis failed: %s", error)
                await pause(stopping, next(delays))

    async def _consume(self, stopping: asyncio.Event) -> None:
        rescue_at = time.monotonic() + RESCUE_EVERY_S
        while not stopping.is_set():
            for entry in await self._next_entries():
                if stopping.is_set():
                    return  # what was read and not stored stays pending, and is rescued at the next start
                await self._settle(entry, stopping)
            if time.monotonic() >= rescue_at:
                await self._rescue(ABANDONED_MS, stopping)
                rescue_at = time.monotonic() + RESCUE_EVERY_S

    async def _join_group(self) -> None:
        try:
            await self._redis.xgroup_create(LOG_STREAM, LOG_GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):  # Redis has no other sign that the group exists
                raise

    async def _next_entries(self) -> list[Entry]:
        answer: Any = await self._redis.xreadgroup(
            LOG_GROUP, self._consumer, {LOG_STREAM: ">"}, count=ENTRIES_A_READ, block=BLOCK_MS
        )
        return [Entry(id, fields.get(b"b", b"")) for _, entries in _streams(answer) for id, fields in entries]

    async def _rescue(self, idle_ms: int, stopping: asyncio.Event, consumer: str | None = None) -> None:
        """Store what was handed out `idle_ms` ago, to `consumer` or to any, and never acknowledged."""
        after = "-"
        while not stopping.is_set():
            pending: Any = await self._redis.xpending_range(
                LOG_STREAM, LOG_GROUP, after, "+", ENTRIES_A_READ, consumername=consumer, idle=idle_ms
            )
            if not pending:
                return
            for it in pending:
                claimed: Any = await self._redis.xclaim(LOG_STREAM, LOG_GROUP, self._consumer, idle_ms, [it["message_id"]])
                for id, fields in claimed:
                    await self._settle(Entry(id, fields.get(b"b", b""), it["times_delivered"] + 1), stopping)
            after = f"({pending[-1]['message_id'].decode()}"

    async def _settle(self, entry: Entry, stopping: asyncio.Event) -> None:
        """Store `entry` and acknowledge it, waiting for ClickHouse as long as it takes.

        An entry that ends this process whenever it is tried, or that ClickHouse will not take, must not hold up the others: it
        goes to the dead letters after `MAX_DELIVERIES`.
        """
        if entry.deliveries > MAX_DELIVERIES:
            await self._bury(entry, f"not stored after {MAX_DELIVERIES} deliveries")
            return
        try:
            batch = decode(entry.body)
            started = time.perf_counter()
            if await self._insert_patiently(entry, batch, stopping):
                await self._acknowledge(entry)
                self._count(batch, time.perf_counter() - started)
        except BatchUnreadable as error:
            await self._bury(entry, str(error))
        except StoreRefused as error:
            self._metrics.failures.inc()
            logger.error("ClickHouse refused log entry %s (delivery %d): %s", entry.id.decode(), entry.deliveries, error)
            if entry.deliveries == MAX_DELIVERIES:
                await self._bury(entry, str(error))

    async def _insert_patiently(self, entry: Entry, batch: RecordBatch, stopping: asyncio.Event) -> bool:
        """False if `stopping` was set before ClickHouse could take the batch."""
        delays = backoff()
        while not stopping.is_set():
            try:
                await self._insert(entry, batch)
            except (StoreUnavailable, StoreTimedOut) as error:
                self._metrics.failures.inc()
                logger.warning("the request log waits: %s", error.reason if isinstance(error, StoreUnavailable) else error)
                await pause(stopping, next(delays))
            else:
                return True
        return False

    async def _insert(self, entry: Entry, batch: RecordBatch) -> None:
        if batch.count:
            columns = await asyncio.to_thread(request_columns, batch)
            await self._store.insert("request_log", columns, batch.batch_id)
        if batch.lost:
            await self._store.insert("lost_records", _loss_columns(entry, batch), batch.batch_id)

    async def _acknowledge(self, entry: Entry) -> None:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xack(LOG_STREAM, LOG_GROUP, entry.id)
            pipeline.xdel(LOG_STREAM, entry.id)
            await pipeline.execute()

    async def _bury(self, entry: Entry, reason: str) -> None:
        """Move `entry` to the dead letters, where people can look at it and put it back."""
        logger.error("log entry %s goes to %s: %s", entry.id.decode(), DEAD_LETTER_STREAM, reason)
        fields: dict[Any, Any] = {"b": entry.body, "id": entry.id, "error": reason}
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xadd(DEAD_LETTER_STREAM, fields, maxlen=MAX_DEAD_LETTERS)
            pipeline.xack(LOG_STREAM, LOG_GROUP, entry.id)
            pipeline.xdel(LOG_STREAM, entry.id)
            await pipeline.execute()
        self._metrics.dead.inc()

    def _count(self, batch: RecordBatch, seconds: float) -> None:
        self._metrics.rows.inc(batch.count)
        self._metrics.lost.inc(batch.lost)
        self._metrics.batches.inc()
        self._metrics.seconds.observe(seconds)


def decode(body: bytes) -> RecordBatch:
    """Raises BatchUnreadable if `body` is no record batch."""
    try:
        return decode_batch(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BatchUnreadable(f"not a record batch: {error}") from error


def backoff() -> Iterator[float]:
    """Seconds to wait after each failure in a row: doubling from 0.1 to `MAX_DELAY_S`, less a random part."""
    delay = 0.1
    while True:
        yield delay * random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries, hides nothing)
        delay = min(delay * 2, MAX_DELAY_S)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not once `stopping` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return


def _loss_columns(entry: Entry, batch: RecordBatch) -> Table:
    time_column = pa.array([entry.written_ms()], pa.timestamp("ms", "UTC"))
    return pa.table({"time": time_column, "batch_id": [batch.batch_id], "lost": pa.array([batch.lost], pa.uint64())})


def _streams(answer: Any) -> Any:
    """Streams and their entries of an XREADGROUP answer, which is a mapping under RESP3, a list under RESP2, None if empty."""
    return answer.items() if isinstance(answer, dict) else answer or ()
