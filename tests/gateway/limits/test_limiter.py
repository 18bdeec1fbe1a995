"""What a key's answers say of its limits, and what a refusal costs."""

import pytest

from contracts.limits import DAY_S
from contracts.routes import KeyLimits
from gateway.limits.fleet import ConcurrencyReached, Fleet
from gateway.limits.limiter import Clock, KeyLimiter, QuotaUsedUp, RequestsLimited, RowsLimited
from tests.gateway.limits.hammering import admitted, key

NOON_S = 20_000 * DAY_S + DAY_S / 2


def counts() -> dict[str, int]:
    return dict.fromkeys(("requests", "rows", "day", "key_concurrency", "deployment_concurrency"), 0)


def limiter(limits: KeyLimits, fleet: Fleet | None = None, refused: dict[str, int] | None = None) -> KeyLimiter:
    """One that no ledger answers."""
    return KeyLimiter(key(limits), fleet or Fleet(), Clock(), ([0], 0), counts() if refused is None else refused, lambda _: None)


def test_answers_say_every_limit_and_what_is_left():
    it = limiter(
        KeyLimits(requests_per_s=0.01, burst=5, rows_per_s=0.04, requests_per_day=100, max_concurrency=7),
    )
    it.admit()
    policy, left = it.header_lines().decode().splitlines()
    assert policy == (
        'ratelimit-policy: "requests";q=1;w=100, "rows";q=1;w=25, "day";q=100;w=86400, "concurrency";q=7;qu="concurrent-requests"'
    )
    assert left.startswith('ratelimit: "requests";r=4;t=100, "rows";r=1;t=0, "day";r=99;t=')
    assert 0 < int(left.rpartition("=")[2]) <= DAY_S


@pytest.mark.parametrize(
    ("rate", "said"),
    [(100.0, "q=100;w=1"), (2.5, "q=5;w=2"), (0.5, "q=1;w=2"), (1 / 3600, "q=1;w=3600"), (1e-9, "q=1;w=1000000000")],
)
def test_a_rate_is_said_in_whole_numbers(rate: float, said: str):
    assert limiter(KeyLimits(requests_per_s=rate)).header_lines().decode().splitlines()[0].endswith(f'"requests";{said}')


def test_the_next_request_over_the_rate_is_refused_with_the_time_to_wait():
    refused = counts()
    it = limiter(KeyLimits(requests_per_s=0.1), refused=refused)
    it.admit()
    with pytest.raises(RequestsLimited, match=r"0\.1 requests a second; try again in 10 s") as found:
        it.admit()
    assert (found.value.status, found.value.retry_after_s, refused["requests"]) == (429, 10, 1)


def test_a_used_up_quota_comes_again_at_midnight_utc(monkeypatch: pytest.MonkeyPatch):
    clock = Clock()
    clock.hear(NOON_S, 0.0)
    monkeypatch.setattr("time.monotonic", lambda: 60.0)
    it = KeyLimiter(key(KeyLimits(requests_per_day=2)), Fleet(), clock, ([0], 0), counts(), lambda _: None)
    assert [admitted(it), admitted(it)] == [True, True]
    with pytest.raises(QuotaUsedUp) as found:
        it.admit()
    assert found.value.retry_after_s == DAY_S / 2 - 60
    clock.hear(NOON_S + DAY_S / 2, 60.0)
    [(_, quota)] = it.buckets(60.0)
    assert [admitted(it), quota.outlook(60.0)[0]] == [True, 1]


def test_rows_that_are_refused_cost_neither_a_request_nor_the_quota():
    it = limiter(KeyLimits(requests_per_s=0.001, burst=3, rows_per_s=1, requests_per_day=3))
    it.admit()
    it.take_rows(100)
    it.leave()
    it.admit()
    with pytest.raises(RowsLimited, match="1 rows a second, and these are 5"):
        it.take_rows(5)
    it.leave()
    assert b'"requests";r=2;t=1000, "rows";r=0;t=100, "day";r=2;' in it.header_lines()


def test_requests_under_way_are_capped_and_a_refused_one_does_not_count():
    refused = counts()
    it = limiter(KeyLimits(max_concurrency=2), refused=refused)
    it.admit()
    it.admit()
    with pytest.raises(ConcurrencyReached, match="this key may have 2 requests under way"):
        it.admit()
    it.leave()
    it.admit()
    assert refused["key_concurrency"] == 1


def test_requests_under_way_stay_counted_when_limits_change():
    it = limiter(KeyLimits(requests_per_s=1000))
    it.admit()
    it.change(KeyLimits(max_concurrency=1))
    with pytest.raises(ConcurrencyReached):
        it.admit()
    it.leave()
    assert admitted(it)
