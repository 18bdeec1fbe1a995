"""The request log's way out: a bounded ring, filled on the hot path, that goes to the Redis stream in batches.

Inference never waits for it. While Redis is away, or too full to take more, batches go to segment files and follow later under
the same batch ids; when those are full too, the oldest records are dropped and counted. A kill -9 of this process loses what
the ring held: at most the last `FLUSH_S` of requests.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from contracts.records import LOG_STREAM, RecordBatch, encode_batch
from gateway.log_records import BatchBuilder, Entry, by_day, without_values
from gateway.redis_client import backoff
from gateway.spill import Frame, Spill

logger = logging.getLogger(__name__)

FLUSH_S: Final = 0.25
"""Every batch costs ClickHouse about 10 ms of a core, however small it is: fewer and larger ones leave more to inference."""
BATCH_RECORDS: Final = 2000
"""So many are carried away before `FLUSH_S` is over if they are there: a longer ring would fall out of the processor's cache."""
BATCH_VALUE_BYTES: Final = 1 << 20
"""A batch ends at this many bytes of values: telemetry holds some batches in memory at once."""
VALUES_A_FLUSH: Final = 250_000
"""Numbers logged in `FLUSH_S`, which is a million a second: beyond it records go without their values, a sample of them.

It bounds what the ring holds in memory, and what images by the thousand would make of Redis and ClickHouse.
"""
TIMER_S: Final = 0.002
"""By so much a timer may go off too soon."""
SLICE_RECORDS: Final = 250
"""Building a record takes about 2 microseconds, and all requests wait meanwhile."""
WATCH_STREAM_S: Final = 1.0
MAX_STREAM_ENTRIES: Final = 1_000_000
MAX_MEMORY_SHARE: Final = 0.6
"""Above this share of Redis's own memory limit the log stays here: what is left is for route tables and worker status."""


class RequestLog:
    """`append` is the hot path's; everything else happens in `run`. `observe` sees each batch once, before it leaves."""

    def __init__(self, redis: Redis, spill: Spill, epoch: str, bound: int, observe: Callable[[RecordBatch], None]) -> None:
        self._redis, self._spill, self._epoch, self._bound, self._observe = redis, spill, epoch, bound, observe
        self._ring: deque[Entry] = deque()
        self._sequence = 0
        self._unreported = 0
        self._delays = backoff()
        self._closed_until = 0.0
        self._watch_stream_at = 0.0
        self._stream_is_full = False
        self._is_stopping = False
        self._wake = asyncio.Event()
        self._values_left, self._values_until = VALUES_A_FLUSH, 0.0
        self.without_values = 0
        """Records that went without their values, for want of room."""
        self.lost = 0
        """Records dropped since the start."""
        self.sent = 0
        """Records Redis has taken since the start."""

    @property
    def depth(self) -> int:
        """Records in the ring."""
        return len(self._ring)

    @property
    def spilled_records(self) -> int:
        return self._spill.records

    @property
    def spilled_bytes(self) -> int:
        return self._spill.size_bytes

    def append(self, entry: Entry, more: int) -> None:
        """Take over `entry`, without its values if they have no room; when the ring is full the oldest entry goes.

        With its first entry an outcome is kept whole, which weighs as much as it has elements, and `more` beyond that.
        """
        outcome = entry[-2]
        if outcome is not None and not outcome.is_logged:
            left = self._values_left - outcome.size - more
            if left >= 0:
                self._values_left, outcome.is_logged = left, True
            else:
                self.without_values += 1
                entry = without_values(entry)
        ring = self._ring
        if len(ring) >= self._bound:
            ring.popleft()
            self._count_lost(1)
        ring.append(entry)
        if len(ring) == BATCH_RECORDS:
            self._wake.set()

    async def run(self) -> None:
        """Carry records away until `stop`; returns when the ring is empty."""
        try:
            await asyncio.to_thread(self._spill.open)
        except OSError as error:
            logger.error("the spilled request log cannot be read: %s", error)
        while not self._is_stopping:
            await self._flush()
            await self._replay_a_segment()
            await self._pause()
        await self._flush()
        await asyncio.to_thread(self._spill.close)
        if self._ring or self._unreported:
            logger.warning("%d records of the request log are lost", len(self._ring) + self._unreported)

    def stop(self) -> None:
        """Make `run` flush and return; call it when no request is left."""
        self._is_stopping = True
        self._wake.set()

    async def _pause(self) -> None:
        if len(self._ring) >= BATCH_RECORDS or self._is_stopping:
            return
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._wake.wait()

    async def _flush(self) -> None:
        left = len(self._ring)
        now = time.monotonic()
        if now >= self._values_until:
            self._values_left, self._values_until = VALUES_A_FLUSH, now + FLUSH_S - TIMER_S
        while left > 0:
            taken, builders = await self._take(min(left, BATCH_RECORDS))
            left -= taken
            for builder in builders:
                batch = self._number(builder)
                self._observe(batch)
                await self._ship(Frame(encode_batch(batch), batch.count, batch.lost))

    async def _take(self, at_most: int) -> tuple[int, list[BatchBuilder]]:
        """How many of the ring's oldest entries were taken, and the batches made of them, one a day.

        Requests get their turn after every few.
        """
        taken, builders = 0, dict[int, BatchBuilder]()
        while taken < at_most and sum(it.value_bytes for it in builders.values()) < BATCH_VALUE_BYTES:
            entries = [self._ring.popleft() for _ in range(min(SLICE_RECORDS, at_most - taken, len(self._ring)))]
            if not entries:  # dropped meanwhile, for want of room
                break
            taken += len(entries)
            for day, of_day in by_day(entries).items():
                builders.setdefault(day, BatchBuilder()).add(of_day)
            await asyncio.sleep(0)
        return taken or at_most, list(builders.values())

    def _number(self, builder: BatchBuilder) -> RecordBatch:
        self._sequence += 1
        lost, self._unreported = self._unreported, 0
        return builder.finish(f"{self._epoch}-{self._sequence}", lost)

    async def _ship(self, frame: Frame) -> None:
        if not await self._send(frame):
            self._count_lost(await asyncio.to_thread(self._spill.append, frame))

    async def _replay_a_segment(self) -> None:
        if not self._spill.records or not await self._redis_takes_more():
            return
        for frame in await asyncio.to_thread(self._spill.oldest):
            if not await self._send(frame):
                return
        await asyncio.to_thread(self._spill.remove_oldest)

    async def _send(self, frame: Frame) -> bool:
        """Whether the stream has `frame` for certain; after a lost answer it may have it and get it again, under the same id."""
        if not await self._redis_takes_more():
            return False
        try:
            await self._redis.xadd(LOG_STREAM, {"b": frame.blob, "n": frame.records})
        except (RedisError, OSError) as error:
            self._open_circuit(error)
            return False
        self._close_circuit()
        self.sent += frame.records
        return True

    async def _redis_takes_more(self) -> bool:
        now = time.monotonic()
        if now < self._closed_until:
            return False
        if now >= self._watch_stream_at:
            self._watch_stream_at = now + WATCH_STREAM_S
            try:
                self._note_stream_is_full(await self._is_stream_full())
            except (RedisError, OSError) as error:
                self._open_circuit(error)
                return False
        return not self._stream_is_full

    async def _is_stream_full(self) -> bool:
        if await self._redis.xlen(LOG_STREAM) >= MAX_STREAM_ENTRIES:
            return True
        try:
            memory = await self._redis.info("memory")
        except ResponseError:  # a Redis that forbids INFO says itself when it is full
            return False
        return bool(memory.get("maxmemory")) and memory["used_memory"] > MAX_MEMORY_SHARE * memory["maxmemory"]

    def _note_stream_is_full(self, is_full: bool) -> None:
        if is_full != self._stream_is_full:
            logger.warning("the log stream in Redis is full, spilling to disk" if is_full else "the log stream has room again")
        self._stream_is_full = is_full

    def _open_circuit(self, error: Exception) -> None:
        if not self._closed_until:
            logger.warning("the request log is spilled to disk, Redis failed: %s", error)
        self._closed_until = time.monotonic() + next(self._delays)

    def _close_circuit(self) -> None:
        if self._closed_until:
            logger.info("the request log goes to Redis again; %d spilled records follow", self._spill.records)
            self._closed_until = 0.0
            self._delays = backoff()

    def _count_lost(self, records: int) -> None:
        self.lost += records
        self._unreported += records
