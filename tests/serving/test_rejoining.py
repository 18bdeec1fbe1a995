"""Who a run answered may come back and share the next, and nobody waits for those that do not."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.batcher import Batcher
from serving.rejoining import LONGEST_PAUSE, Rejoining
from tests.serving.test_batcher import Caller, Press, make, request, submit

LONG_US = 5_000_000
"""A wait that no test sits out."""


async def ticks(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def start(batcher: Batcher, press: Press, *values: float) -> list[Caller]:
    """A request a value, whose run has begun and is held."""
    callers = [submit(batcher, request(it)) for it in values]
    await press.has_started()
    return callers


async def test_callers_that_come_back_at_once_end_up_in_one_run() -> None:
    press = Press()
    batcher = make(press, rejoin_us=LONG_US)
    first = await start(batcher, press, 1, 2)
    second = [submit(batcher, request(it)) for it in (3, 4)]
    press.gate.set()
    for it in first:
        await it.ticket()
    await ticks(5)
    first = [submit(batcher, request(it)) for it in (5, 6)]
    for it in (*second, *first):
        await it.ticket()
    await ticks(5)
    one_by_one: list[Caller] = []
    for value in (7, 8, 9, 10):
        one_by_one.append(submit(batcher, request(value)))
        await ticks(3)
    for it in one_by_one:
        await it.ticket()
    assert press.batches == [[1, 2], [3, 4, 5, 6], [7, 8, 9, 10]]


async def test_an_idle_model_is_not_waited_for_nor_a_caller_alone() -> None:
    batcher = make(Press(is_open=True), rejoin_us=LONG_US)
    for value in range(5):
        await submit(batcher, request(value)).ticket()
    assert batcher.statistics.success.ns < LONG_US * 1000


async def test_a_full_batch_waits_for_nobody() -> None:
    press = Press()
    batcher = make(press, max_batch_size=2, rejoin_us=LONG_US)
    held = await start(batcher, press, 1)
    others = [submit(batcher, request(it)) for it in (2, 3, 4)]
    press.gate.set()
    began = time.monotonic()
    await others[1].ticket()
    assert time.monotonic() - began < LONG_US / 1e6
    assert press.batches[:2] == [[1], [2, 3]]
    await held[0].ticket()
    submit(batcher, request(5))
    await others[2].ticket()


async def test_who_does_not_come_back_is_not_waited_for_beyond_the_time() -> None:
    press = Press()
    batcher = make(press, rejoin_us=900)
    await start(batcher, press, 1)
    stays = submit(batcher, request(2))
    press.gate.set()
    ticket = await stays.ticket()
    assert press.batches == [[1], [2]]
    assert ticket.error is None


async def test_a_priority_waits_for_nobody() -> None:
    press = Press()
    batcher = make(press, rejoin_us=LONG_US)
    await start(batcher, press, 1)
    urgent = submit(batcher, request(2, priority=1))
    press.gate.set()
    began = time.monotonic()
    await urgent.ticket()
    assert time.monotonic() - began < LONG_US / 1e6


# -- by the clock -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("come_back", "expected"), [(4, True), (2, True), (1, False)])
def test_half_of_them_coming_back_is_worth_the_wait(come_back: int, expected: bool) -> None:
    rejoining = Rejoining(100, 16)
    rejoining.begin(4, 3, 0)
    assert rejoining.goes_on(3, 10)
    assert not rejoining.goes_on(3 + come_back, 100_000)
    rejoining.begin(4, 3, 200_000)
    assert rejoining.goes_on(3, 200_010) == expected


def test_waiting_in_vain_becomes_rare() -> None:
    rejoining, waited = Rejoining(100, 16), 0
    for run in range(1000):
        now_ns = run * 1_000_000
        rejoining.begin(4, 3, now_ns)
        waited += rejoining.goes_on(3, now_ns)
        assert not rejoining.goes_on(3, now_ns + 100_000)
    assert 6 < waited <= 6 + 1000 // (LONGEST_PAUSE + 1)


def test_who_comes_long_after_a_run_says_nothing_of_waiting() -> None:
    rejoining = Rejoining(100, 16)
    rejoining.begin(4, 0, 0)
    assert not rejoining.goes_on(1, 5_000_000)
    rejoining.begin(1, 1, 6_000_000)
    assert rejoining.goes_on(1, 6_000_010)


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 90_000)))))
)
def test_nobody_waits_longer_than_the_time_or_when_enough_are_there(
    runs: list[tuple[int, int, list[tuple[int, int]]]],
) -> None:
    rejoining, now_ns = Rejoining(100, 16), 0
    for answered, queued, looks in runs:
        ended_ns = now_ns
        rejoining.begin(answered, queued, now_ns)
        for rows, later_ns in looks:
            now_ns += later_ns
            if rejoining.goes_on(rows, now_ns):
                assert now_ns < ended_ns + 100_000
                assert rows < min(16, answered + queued)
