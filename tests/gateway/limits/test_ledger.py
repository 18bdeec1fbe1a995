"""The ledger in a real Valkey: what is settled there counts once, and comes free in time."""

import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.routes import KeyLimits
from gateway.limits.bucket import Bucket, Report
from gateway.limits.fleet import Fleet
from gateway.limits.ledger import BUCKETS_A_CALL, Answer, Ledger
from gateway.limits.limiters import IDLE_S, KeyLimiters
from gateway.redis_client import connect
from tests.gateway.limits.hammering import admitted, key, running
from tests.gateway.waiting import until

BUCKET = Bucket(10.0, 100.0, Fleet(), 0.0)
QUOTA = Bucket(0.0, 100.0, Fleet(), 0.0)
NAME = "headrace:limit:test"


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[Redis]:
    async with connect(redis_url) as client:
        yield client


async def settle(ledger: Ledger, report: Report, bucket: Bucket = QUOTA) -> Answer:
    [answer] = (await ledger.settle([NAME], [(bucket, report)])).answers
    return answer


async def write(redis: Redis, fields: Mapping[str, str | bytes]) -> None:
    for name, value in fields.items():
        await redis.execute_command("HSET", NAME, name, value)


async def test_what_is_reported_twice_counts_once(redis: Redis):
    ledger = Ledger(redis, "gateway", "a")
    for acknowledged, spent in ((0, 10), (0, 10), (0, 25), (10, 25), (0, 10)):
        answer = await settle(ledger, Report(acknowledged, spent, -1))
    assert answer == Answer(0, 75.0)


async def test_a_worker_that_was_forgotten_reports_what_it_spent_since(redis: Redis):
    assert await settle(Ledger(redis, "gateway", "a"), Report(1000, 1010, -1)) == Answer(0, 90.0)


async def test_leases_of_all_workers_stay_within_what_there_is(redis: Redis):
    ledgers = [Ledger(redis, "gateway", name) for name in "abc"]
    rounds = [[(await settle(it, Report(0, 0, 1000))).granted for it in ledgers] for _ in range(20)]
    assert rounds[0] == [100, 0, 0]
    assert all(sum(granted) <= 100 for granted in rounds)
    assert all(granted >= 15 for granted in rounds[-1])


async def test_the_only_worker_that_wants_gets_what_it_wants(redis: Redis):
    quiet, loud = Ledger(redis, "gateway", "quiet"), Ledger(redis, "gateway", "loud")
    await settle(quiet, Report(0, 0, -1))
    assert (await settle(loud, Report(0, 0, 90))).granted == 90


async def test_gateways_are_told_apart_however_many_workers_each_has(redis: Redis):
    ledgers = [Ledger(redis, *name.split(":")) for name in ("b:1", "a:2", "b:3", "c:4")]
    for ledger in ledgers:
        await settle(ledger, Report(0, 0, -1))
    found = [await it.settle([], []) for it in ledgers]
    assert [(it.live, it.gateways, it.place) for it in found] == [(4, 3, 1), (4, 3, 0), (4, 3, 1), (4, 3, 2)]


async def test_a_lease_counts_until_its_worker_has_been_silent_for_a_second(redis: Redis):
    now = time.time()
    fresh, silent, gone = (msgspec.msgpack.encode((now - age_s, 0, 40, 0)) for age_s in (0.1, 1.5, 100))
    await write(redis, {"fresh": fresh, "silent": silent, "gone": gone})
    assert (await settle(Ledger(redis, "gateway", "me"), Report(0, 0, 1000))).granted == 60
    fields: Any = await redis.execute_command("HKEYS", NAME)
    assert set(fields) == {b"fresh", b"silent", b"used", b"at", b"gateway:me"}


@pytest.mark.parametrize("ahead_s", [3600, -3600])
async def test_a_clock_that_was_set_costs_at_most_one_bucket(redis: Redis, ahead_s: float):
    """A stamp of the future (the clock was set back) does not stop the bucket from filling; leases of then are void."""
    then = time.time() + ahead_s
    await write(redis, {"used": "100", "at": f"{then:.6f}", "other": msgspec.msgpack.encode((then, 0, 100, 0))})
    ledger = Ledger(redis, "gateway", "me")
    await settle(ledger, Report(0, 0, -1), BUCKET)
    stamp: Any = await redis.execute_command("HGET", NAME, "at")
    answer = await settle(ledger, Report(0, 0, -1), BUCKET)
    assert abs(float(stamp) - time.time()) < 60
    assert answer.free > (0 if ahead_s > 0 else 99)


async def test_what_is_worth_nothing_any_more_expires(redis: Redis):
    await settle(Ledger(redis, "gateway", "a"), Report(0, 50, -1), BUCKET)
    ttl: Any = await redis.ttl(NAME)
    assert 60 <= ttl <= 66  # 5 s until it is full, and a minute


async def test_more_keys_than_one_call_takes_are_settled_in_several(redis_url: str):
    async with running(redis_url, 1) as [worker]:
        limiters = [worker.limiter(key(KeyLimits(requests_per_s=100))) for _ in range(BUCKETS_A_CALL + 10)]
        assert all(admitted(it) for it in limiters)
        buckets = [it.requests for it in limiters if it.requests is not None]
        await until(lambda: all(it.outlook(time.monotonic())[0] >= 24 for it in buckets), "every key to have its lease")


async def test_a_key_at_rest_costs_redis_nothing_and_its_next_request_no_refusal(redis_url: str):
    async with running(redis_url, 2) as workers:
        limiter = workers[0].limiter(key(KeyLimits(requests_per_s=100)))
        assert admitted(limiter)
        await until(lambda: not limiter.is_leasing, "the lease to be given back", IDLE_S + 5)
        assert admitted(limiter)


async def test_the_limiters_of_keys_that_are_gone_are_forgotten(redis: Redis):
    limiters = KeyLimiters(redis, uuid4().hex, Fleet())
    kept, gone = (key(KeyLimits(requests_per_day=5)) for _ in range(2))
    before = [limiters.limiter_for(it) for it in (kept, gone)]
    limiters.forget_all_but({kept.key_uuid}, ())
    after = [limiters.limiter_for(it) for it in (kept, gone)]
    assert [it is other for it, other in zip(before, after, strict=True)] == [True, False]
