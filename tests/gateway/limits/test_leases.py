"""Several workers and one real Valkey: together they hold a limit, however the load falls and whoever dies."""

import asyncio
import time

import pytest

from contracts.routes import KeyLimits
from gateway.limits.limiter import BURST_S
from tests.gateway.breakable import BreakableValkey
from tests.gateway.limits.hammering import Client, key, running
from tests.gateway.waiting import until

WINDOW_S = 10.0
TRIES = 3


async def test_three_workers_together_hold_every_limit_within_5_percent_over_10_s(redis_url: str):
    """Never more than that; a machine that others keep busy may get less done, and is given another try."""
    for _ in range(TRIES):
        off = await off_by(redis_url)
        assert {name: it for name, it in off.items() if it > 0.05} == {}
        if min(off.values()) > -0.05:
            return
    pytest.fail(f"too little was let through, {TRIES} times")


async def off_by(redis_url: str) -> dict[str, float]:
    """How far what got through was off each limit, as a part of it.

    All cases at once: limits, which workers are asked, the rows of a request, and what one bucket would let through.
    """
    cases: list[tuple[str, KeyLimits, tuple[int, ...], int, float]] = [
        ("even load", KeyLimits(requests_per_s=100), (0, 1, 2), 0, 100 * (WINDOW_S + BURST_S)),
        ("one worker has all the load", KeyLimits(requests_per_s=100), (1,), 0, 100 * (WINDOW_S + BURST_S)),
        ("a burst smaller than a lease", KeyLimits(requests_per_s=100, burst=5), (0, 1, 2), 0, 100 * WINDOW_S + 5),
        ("a burst of a second", KeyLimits(requests_per_s=100, burst=100), (0, 1, 2), 0, 100 * (WINDOW_S + 1)),
        ("less than a request for each", KeyLimits(requests_per_s=2), (0, 1, 2), 0, 2 * WINDOW_S + 1),
        ("rows", KeyLimits(rows_per_s=1000), (0, 1, 2), 7, 1000 * (WINDOW_S + BURST_S)),
        ("a quota", KeyLimits(requests_per_day=500), (0, 1, 2), 0, 500),
    ]
    async with running(redis_url, 3) as workers:
        end = time.monotonic() + WINDOW_S

        async def total(limits: KeyLimits, asked: tuple[int, ...], rows: int) -> int:
            one_key = key(limits)
            got = await asyncio.gather(*[Client(workers[it].limiter(one_key), rows).hammer(end) for it in asked])
            return sum(got) * (rows or 1)

        totals = await asyncio.gather(*[total(limits, asked, rows) for _, limits, asked, rows, _ in cases])
    return {name: got / wanted - 1 for (name, *_, wanted), got in zip(cases, totals, strict=True)}


async def test_what_a_killed_worker_had_leased_is_the_others(redis_url: str):
    one_key = key(KeyLimits(requests_per_s=100))
    async with running(redis_url, 3) as workers:
        end = time.monotonic() + WINDOW_S / 2
        clients = [Client(it.limiter(one_key)) for it in workers]
        hammering = [asyncio.create_task(it.hammer(end)) for it in clients]
        await until(lambda: all(it.got > 20 for it in clients), "all of them to be in the middle of it")
        await workers[0].kill()
        hammering[0].cancel()
        started, before = time.monotonic(), clients[1].got + clients[2].got
        got = sum(await asyncio.gather(*hammering[1:])) - before
        await until(lambda: {it.limiters.fleet.live for it in workers[1:]} == {2}, "the others to hear of it")
    assert abs(got / (100 * (end - started)) - 1) < 0.05


async def test_a_stalled_redis_leaves_every_worker_its_share_and_coming_back_gives_nothing_twice(valkey: BreakableValkey):
    one_key = key(KeyLimits(requests_per_s=100))
    async with running(valkey.url, 3) as workers:
        started = time.monotonic()
        hammering = [asyncio.create_task(Client(it.limiter(one_key)).hammer(started + WINDOW_S)) for it in workers]
        await until(lambda: workers[0].limiters.refused["requests"] > 100, "the limit to be reached")
        with valkey.stalled():
            await until(lambda: all(it.limiters.is_alone for it in workers), "every worker to go on alone")
            await until(lambda: all(it.limiters.problem for it in workers), "every worker to say so")
            await until(lambda: time.monotonic() > started + WINDOW_S / 2, "half the time")
        await until(lambda: not any(it.limiters.is_alone for it in workers), "the leases to come again")
        total = sum(await asyncio.gather(*hammering))
    assert abs(total / (100 * (WINDOW_S + BURST_S)) - 1) < 0.05
