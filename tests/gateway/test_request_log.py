"""The request log reaches the stream once and whole, whatever happens to Redis meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.records import LOG_STREAM, RecordBatch, decode_batch
from gateway import request_log
from gateway.log_records import Entry, Owner
from gateway.redis_client import connect
from gateway.request_ids import RequestIds
from gateway.request_log import RequestLog
from gateway.spill import Spill
from serving.outcomes import outcome_of
from tests.gateway.breakable import BreakableValkey
from tests.gateway.waiting import until
from tests.records import unpack

IDS = RequestIds()
OWNER = Owner(*(bytes([it] * 16) for it in range(5)))
NOON_US = 1_790_000_000_000_000


def entry(time_us: int = NOON_US, inputs: tuple[Any, ...] = (), outputs: tuple[Any, ...] = ()) -> Entry:
    numbers = (200, "", 1, 1000, 2999, 3000, 4000, 10_000, 1, False)
    outcome = outcome_of(inputs, [*outputs], 1)
    return (time_us * 1000, IDS.next(time_us // 1000), OWNER, b"k" * 16, *numbers, outcome, 0)


class Unreadable:
    """An array whose numbers are not to be had."""

    dtype = np.dtype(np.float64)

    size = 1

    def __array__(self, dtype: object = None, copy: object = None) -> object:
        raise ValueError(f"no {dtype} here")


@asynccontextmanager
async def running_log(
    url: str, folder: Path, epoch: str = "epoch", bound: int = 100_000, spill_bytes: int = 1 << 24
) -> AsyncGenerator[RequestLog]:
    """A log that is flushed and closed at the end."""
    client, seen = connect(url), list[RecordBatch]()
    log = RequestLog(client, Spill(folder, spill_bytes, epoch), epoch, bound, seen.append)
    task = asyncio.create_task(log.run())
    try:
        yield log
    finally:
        log.stop()
        await asyncio.wait_for(task, 10)
        await client.aclose()


def batches(valkey: BreakableValkey) -> list[RecordBatch]:
    """What the stream holds, in order."""
    with valkey.client() as client:
        entries: Any = client.xrange(LOG_STREAM)
    found = [(decode_batch(fields[b"b"]), int(fields[b"n"])) for _, fields in entries]
    assert all(batch.count == n for batch, n in found)
    return [batch for batch, _ in found]


def logged(valkey: BreakableValkey) -> list[bytes]:
    """Request ids in the stream, those of a batch sent twice once."""
    once = {batch.batch_id: batch for batch in batches(valkey)}
    return [record.request_id for batch in once.values() for record in unpack(batch)]


def raw(entries: list[Entry]) -> list[bytes]:
    return [bytes.fromhex(it[1].replace("-", "")) for it in entries]


async def test_records_arrive_in_batches_of_at_most_2000(valkey: BreakableValkey, tmp_path: Path) -> None:
    entries = [entry() for _ in range(4120)]
    async with running_log(valkey.url, tmp_path) as log:
        for it in entries:
            log.append(it, 0)
    assert [it.count for it in batches(valkey)] == [2000, 2000, 120]
    assert logged(valkey) == raw(entries)


async def test_values_are_packed_in_order_numbers_and_texts_apart(valkey: BreakableValkey, tmp_path: Path) -> None:
    numbers = np.array([[1, 2], [3, 4]], dtype=np.float32)
    texts = np.array([b"caf\xc3\xa9", b"\xff"], dtype=object)
    flags = np.array([True, False])
    async with running_log(valkey.url, tmp_path) as log:
        log.append(entry(inputs=(numbers, texts, flags), outputs=(numbers[:, :1],)), 0)
    record = unpack(batches(valkey)[0])[0]
    assert np.frombuffer(record.input_numbers, "<f8").tolist() == [1, 2, 3, 4, 1, 0]
    assert record.input_texts == ("café", "\\xff")
    assert np.frombuffer(record.output_numbers, "<f8").tolist() == [1, 3]


async def test_a_record_with_too_much_text_is_kept_without_its_values(valkey: BreakableValkey, tmp_path: Path) -> None:
    async with running_log(valkey.url, tmp_path) as log:
        log.append(entry(inputs=(np.array([b"x" * 70_000], dtype=object), np.ones(3))), 0)
    record = unpack(batches(valkey)[0])[0]
    assert (record.input_texts, record.input_numbers, record.rows) == ((), b"", 1)


async def test_many_values_make_smaller_batches(valkey: BreakableValkey, tmp_path: Path) -> None:
    values = np.zeros(1024, dtype=np.float32)
    entries = [entry(inputs=(values,)) for _ in range(300)]
    async with running_log(valkey.url, tmp_path) as log:
        for it in entries:
            log.append(it, 0)
    assert len(batches(valkey)) > 1
    assert logged(valkey) == raw(entries)


async def test_a_value_that_cannot_be_logged_costs_only_the_values(
    valkey: BreakableValkey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_log(valkey.url, tmp_path) as log:
        log.append(entry(inputs=(Unreadable(),)), 0)
        log.append(entry(inputs=(np.ones(1),)), 0)
    assert [len(it.input_numbers) for it in unpack(batches(valkey)[0])] == [0, 8]
    assert "cannot be logged" in caplog.text


async def test_one_batch_is_of_one_day(valkey: BreakableValkey, tmp_path: Path) -> None:
    day_us = 86_400_000_000
    midnight_us = NOON_US // day_us * day_us
    async with running_log(valkey.url, tmp_path) as log:
        for offset_us in (-2, 1, -1, 2):
            log.append(entry(midnight_us + offset_us), 0)
    found = [[it.time_us - midnight_us for it in unpack(batch)] for batch in batches(valkey)]
    assert found == [[-2, -1], [1, 2]]
    assert len({it.batch_id for it in batches(valkey)}) == 2


async def test_a_full_ring_drops_the_oldest_and_says_so_in_the_next_batch(valkey: BreakableValkey, tmp_path: Path) -> None:
    entries = [entry() for _ in range(25)]
    async with running_log(valkey.url, tmp_path, bound=10) as log:
        for it in entries:
            log.append(it, 0)
        assert (log.lost, log.depth) == (15, 10)
    (batch,) = batches(valkey)
    assert (batch.lost, [it.request_id for it in unpack(batch)]) == (15, raw(entries[15:]))


async def test_nothing_is_lost_while_redis_is_away(valkey: BreakableValkey, tmp_path: Path) -> None:
    entries = [entry() for _ in range(30)]
    async with running_log(valkey.url, tmp_path) as log:
        log.append(entries[0], 0)
        await until(lambda: log.sent == 1, "the first record in Redis")
        valkey.kill()
        for number, it in enumerate(entries[1:], start=1):
            log.append(it, 0)
            await until(lambda number=number: log.spilled_records >= number, "a spilled record")
        valkey.start()
        await until(lambda: log.spilled_records == 0, "the replay")
        assert log.lost == 0
    assert sorted(logged(valkey)) == sorted(raw(entries))


async def test_spilled_records_follow_after_a_restart_with_the_same_batch_ids(valkey: BreakableValkey, tmp_path: Path) -> None:
    entries = [entry() for _ in range(3)]
    valkey.kill()
    async with running_log(valkey.url, tmp_path, "before") as log:
        for it in entries:
            log.append(it, 0)
        await until(lambda: log.spilled_records == 3, "the spill")
    valkey.start()
    async with running_log(valkey.url, tmp_path, "after") as log:
        await until(lambda: log.sent == 3, "the replay")
    assert {it.batch_id.partition("-")[0] for it in batches(valkey)} == {"before"}
    assert logged(valkey) == raw(entries)


async def test_when_the_spill_is_full_too_losses_are_counted_exactly(valkey: BreakableValkey, tmp_path: Path) -> None:
    valkey.kill()
    appended = 0
    async with running_log(valkey.url, tmp_path, spill_bytes=0) as log:
        for _ in range(7):
            log.append(entry(), 0)
        await until(lambda: log.lost == 7, "the loss")
        valkey.start()
        while not log.sent:
            appended += 1
            log.append(entry(), 0)
            await until(lambda: log.depth == 0, "the flush")
    assert len(logged(valkey)) + log.lost == 7 + appended
    assert sum(it.lost for it in batches(valkey)) == log.lost


async def test_a_full_stream_is_left_alone_until_there_is_room(
    valkey: BreakableValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "MAX_STREAM_ENTRIES", 1)
    with valkey.client() as client:
        client.xadd(LOG_STREAM, {"b": b"", "n": 0})
        async with running_log(valkey.url, tmp_path) as log:
            log.append(entry(), 0)
            await until(lambda: log.spilled_records == 1, "the spill")
            client.delete(LOG_STREAM)
            await until(lambda: log.sent == 1, "the replay")
    assert len(logged(valkey)) == 1


async def test_redis_out_of_memory_costs_no_record(valkey: BreakableValkey, tmp_path: Path) -> None:
    with valkey.client() as client:
        client.config_set("maxmemory", 1)
        async with running_log(valkey.url, tmp_path) as log:
            log.append(entry(), 0)
            await until(lambda: log.spilled_records == 1, "the spill")
            client.config_set("maxmemory", 0)
            await until(lambda: log.sent == 1, "the replay")
    assert len(logged(valkey)) == 1


async def test_only_so_many_values_wait_for_one_flush(valkey: BreakableValkey, tmp_path: Path) -> None:
    async with running_log(valkey.url, tmp_path) as log:
        for number, more in enumerate((request_log.VALUES_A_FLUSH - 6, 5, 4), start=1):
            log.append(entry(inputs=(np.full(1, number),)), more)
        assert log.without_values == 1
        await until(lambda: log.sent == 3, "the flush")
        log.append(entry(inputs=(np.full(1, 4),)), request_log.VALUES_A_FLUSH - 1)
    found = [np.frombuffer(it.input_numbers).tolist() for batch in batches(valkey) for it in unpack(batch)]
    assert found == [[1], [], [3], [4]]


async def test_what_requests_share_weighs_once_and_whole(valkey: BreakableValkey, tmp_path: Path) -> None:
    kept = outcome_of([np.arange(request_log.VALUES_A_FLUSH - 1)[:, None]], [], request_log.VALUES_A_FLUSH - 1)
    other = outcome_of([np.arange(2)[:, None]], [], 2)
    async with running_log(valkey.url, tmp_path) as log:
        for outcome, begin in ((kept, 7), (other, 0), (kept, 8), (other, 1)):
            log.append((*entry()[:-2], outcome, begin), 0)
        assert log.without_values == 2
    found = [np.frombuffer(it.input_numbers).tolist() for batch in batches(valkey) for it in unpack(batch)]
    assert found == [[7], [], [8], []]


async def test_a_full_batch_is_carried_away_at_once(
    valkey: BreakableValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "FLUSH_S", 3600.0)
    async with running_log(valkey.url, tmp_path) as log:
        log.append(entry(), 0)
        await until(lambda: log.sent == 1, "the first flush")
        for _ in range(request_log.BATCH_RECORDS):
            log.append(entry(), 0)
        await until(lambda: log.sent == 1 + request_log.BATCH_RECORDS, "the batch")
