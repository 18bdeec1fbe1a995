"""The bucket's arithmetic: never more than the limit, never stuck, nothing lost on the way to the ledger."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.limits.bucket import Bucket
from gateway.limits.fleet import Fleet

rates = st.floats(0.1, 10_000)
steps = st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), min_size=1, max_size=60)


def leased(bucket: Bucket, tokens: int, now: float) -> None:
    bucket.accept(bucket.report(1.0, 1.0, is_leaving=False), tokens, 0.0, now)


@given(rate=rates, capacity=st.floats(1, 1000), steps=steps)
def test_a_bucket_with_a_lease_lets_through_what_a_token_bucket_does(
    rate: float, capacity: float, steps: list[tuple[float, int]]
):
    bucket = Bucket(rate, capacity, Fleet(), 0.0)
    leased(bucket, 1_000_000_000, 0.0)
    now, level = 0.0, capacity
    for pause_s, tokens in steps:
        now += pause_s
        level = min(capacity, level + pause_s * rate)
        fits = level >= min(tokens, capacity)
        taken = bucket.take(tokens, now)
        if abs(level - min(tokens, capacity)) > 1e-3:
            assert taken == fits
        level -= tokens * taken


@given(lease=st.integers(0, 100), takes=st.lists(st.integers(1, 10), max_size=60))
def test_what_is_spent_stays_within_the_lease_but_for_what_one_request_overdraws(lease: int, takes: list[int]):
    bucket = Bucket(1000.0, 1000.0, Fleet(), 0.0)
    leased(bucket, lease, 0.0)
    spent = sum(it for it in takes if bucket.take(it, 0.0))
    assert spent < lease + max(takes, default=1)
    assert bucket.report(1.0, 1.0, is_leaving=False).spent == spent


@given(live=st.integers(1, 20), capacity=st.integers(1, 500))
def test_before_the_first_lease_a_worker_has_its_share_and_at_least_one(live: int, capacity: int):
    bucket = Bucket(1.0, capacity, Fleet(live), 0.0)
    assert sum(bucket.take(1, 0.0) for _ in range(1000)) == max(1, capacity // live)


@settings(deadline=None)
@given(live=st.integers(1, 20), rate=st.floats(1, 1000), seconds=st.integers(1, 10))
def test_alone_every_worker_keeps_to_its_share(live: int, rate: float, seconds: int):
    bucket = Bucket(rate, rate, Fleet(live), 0.0)
    bucket.go_alone(0.0)
    got = sum(bucket.take(1, step / 10) for step in range(seconds * 10) for _ in range(101))
    assert got <= max(1, rate / live) + rate / live * seconds + 1
    assert got >= math.floor(rate / live * (seconds - 0.2)) - 1


def test_what_was_spent_alone_is_told_as_far_as_it_is_not_refilled():
    bucket = Bucket(10.0, 10.0, Fleet(2), 0.0)
    bucket.go_alone(0.0)
    assert sum(bucket.take(1, float(second)) for second in range(20) for _ in range(10)) == 5 * 20
    bucket.rejoin(19.5)
    assert bucket.report(1.0, 1.0, is_leaving=False).spent == 3  # 2.5 of its 5 tokens have come back


def test_a_quota_tells_all_that_was_spent_alone():
    quota = Bucket(0.0, 1000, Fleet(2), 0.0)
    quota.go_alone(0.0)
    assert sum(quota.take(1, 3600.0 * hour) for hour in range(24) for _ in range(100)) == 500
    quota.rejoin(90_000.0)
    assert quota.report(1.0, 1.0, is_leaving=False).spent == 500


def test_a_new_day_makes_a_quota_whole_alone_and_leased():
    for is_alone in (False, True):
        quota = Bucket(0.0, 5, Fleet(), 0.0)
        if is_alone:
            quota.go_alone(0.0)
        assert [sum(quota.take(1, 0.0) for _ in range(10)), quota.outlook(0.0)[0]] == [5, 0]
        quota.renew(1.0)
        assert [quota.outlook(1.0)[0], sum(quota.take(1, 1.0) for _ in range(10))] == [5, 5]


def test_a_report_that_was_heard_twice_counts_once():
    bucket = Bucket(1.0, 10.0, Fleet(), 0.0)
    assert bucket.take(3, 0.0)
    lost, again = (bucket.report(1.0, 1.0, is_leaving=False) for _ in range(2))
    assert (lost.acknowledged, lost.spent) == (again.acknowledged, again.spent) == (0, 3)


def test_more_rows_than_fit_are_let_in_by_a_full_bucket_and_paid_off():
    bucket = Bucket(10.0, 5.0, Fleet(), 0.0)
    leased(bucket, 1000, 0.0)
    assert [bucket.take(25, 0.0), bucket.take(1, 2.0), bucket.take(1, 2.2)] == [True, False, True]
    assert bucket.outlook(2.2) == (1, 1)


def test_what_is_left_grows_while_nobody_asks():
    bucket = Bucket(10.0, 100.0, Fleet(), 0.0)
    leased(bucket, 1000, 0.0)
    assert bucket.take(100, 0.0)
    assert [bucket.outlook(it) for it in (0.0, 5.0, 3600.0)] == [(0, 10), (50, 5), (100, 0)]


def test_waiting_as_long_as_it_says_is_enough():
    bucket = Bucket(4.0, 2.0, Fleet(), 0.0)
    leased(bucket, 1000, 0.0)
    assert bucket.take(2, 0.0)
    assert bucket.seconds_until(1, 0.0) == 0.25
    assert [bucket.take(1, 0.24), bucket.take(1, 0.25)] == [False, True]


def test_a_changed_limit_holds_at_once():
    bucket = Bucket(1.0, 1.0, Fleet(), 0.0)
    assert [bucket.take(1, 0.0), bucket.take(1, 0.0)] == [True, False]
    bucket.change(10.0, 10.0, 0.0)
    assert sum(bucket.take(1, 0.0) for _ in range(20)) == 10
