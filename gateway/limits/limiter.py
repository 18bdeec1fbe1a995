"""What one key may take on this worker: its buckets, its cap, and what answers say of them.

The answers' headers are those of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` says what the limits are and
`RateLimit` what is left, by the same names: "requests", "rows", "day".
"""

import math
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from contracts.errors import TooMany
from contracts.limits import DAY_S, quota_key, utc_day
from contracts.routes import Key, KeyLimits
from gateway.limits.bucket import Bucket
from gateway.limits.fleet import UNLIMITED, Concurrency, Fleet
from gateway.limits.shared_counts import Cells

BURST_S: Final = 0.25
"""A bucket holds what comes in so long where nothing else is said: what a pause saves up stays small against ten seconds."""
POLL_S: Final = 0.1
"""How soon what other workers have leased may come free."""


class RequestsLimited(TooMany):
    title = "Request rate reached"


class RowsLimited(TooMany):
    title = "Row rate reached"


class QuotaUsedUp(TooMany):
    title = "Daily quota used up"


class Clock:
    """Redis' clock as last heard, carried on by the monotonic one; this machine's until then."""

    __slots__ = ("_ahead",)

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()

    def hear(self, time_s: float, now: float) -> None:
        """It was `time_s` (since the epoch) at `now`."""
        self._ahead = time_s - now

    def time_s(self, now: float) -> float:
        """Seconds since the epoch."""
        return now + self._ahead


class KeyLimiter:
    """`wake` is called when the first request after a pause comes, and when one is refused: a lease is wanted now.

    Requests under way are counted in `cells`, refusals in `refused`, by limit.
    """

    __slots__ = (
        "_buckets",
        "_clock",
        "_concurrency",
        "_fleet",
        "_policy",
        "_refused",
        "_today",
        "_wake",
        "day",
        "is_leasing",
        "key_uuid",
        "limits",
        "requests",
        "rows",
    )

    def __init__(
        self, key: Key, fleet: Fleet, clock: Clock, cells: Cells, refused: dict[str, int], wake: "Callable[[KeyLimiter], None]"
    ) -> None:
        self.key_uuid, self._fleet, self._clock, self._refused, self._wake = key.key_uuid, fleet, clock, refused, wake
        self.requests: Bucket | None = None
        self.rows: Bucket | None = None
        self.day: Bucket | None = None
        self._today = 0
        self._concurrency = Concurrency(UNLIMITED, "key", fleet, cells, refused)
        self.is_leasing: bool
        """Whether its buckets, if it has any, are reported to the ledger."""
        self.change(key.limits)

    def change(self, limits: KeyLimits) -> None:
        """Hold these limits; requests under way stay counted."""
        now = time.monotonic()
        self.limits = limits
        self.is_leasing = False
        self._concurrency.cap = limits.max_concurrency or UNLIMITED
        burst = limits.burst or burst_of(limits.requests_per_s)
        no_refill = None if limits.requests_per_day is None else 0.0
        self.requests = self._bucket(self.requests, limits.requests_per_s, burst, now)
        self.rows = self._bucket(self.rows, limits.rows_per_s, burst_of(limits.rows_per_s), now)
        self.day = self._bucket(self.day, no_refill, limits.requests_per_day, now)
        self._buckets = self._named()
        self._policy = _policy(limits)

    def buckets(self, now: float) -> Sequence[tuple[str, Bucket]]:
        """Each under its key in the ledger; with a new day the quota is whole again."""
        if self.day is not None and (today := utc_day(self._clock.time_s(now))) != self._today:
            self._today = today
            self.day.renew(now)
            self._buckets = self._named()
        return self._buckets

    def _named(self) -> Sequence[tuple[str, Bucket]]:
        prefix = f"headrace:limit:{self.key_uuid}"
        named = (
            (f"{prefix}:requests", self.requests),
            (f"{prefix}:rows", self.rows),
            (quota_key(self.key_uuid, self._today), self.day),
        )
        return [(key, bucket) for key, bucket in named if bucket is not None]

    def admit(self) -> None:
        """Let one request in; whoever calls this calls `leave` when it is over, unless it raises TooMany."""
        concurrency = self._concurrency
        concurrency.enter()
        if not self.is_leasing:
            self._wake(self)
        requests, day = self.requests, self.day
        if requests is not None or day is not None:
            now = time.monotonic()
            if day is not None and not day.take(1, now):
                concurrency.leave()
                raise self._day_over(day, now)
            if requests is not None and not requests.take(1, now):
                concurrency.leave()
                if day is not None:
                    day.give_back(1)
                raise self._too_fast(requests, now)

    def take_rows(self, rows: int) -> None:
        """Take the rows of a request that was let in. Raises TooMany; the request then counts for nothing."""
        bucket = self.rows
        if bucket is None:
            return
        now = time.monotonic()
        if bucket.take(rows, now):
            return
        for it in (self.requests, self.day):
            if it is not None:
                it.give_back(1)
        wait_s = self._refuse("rows", bucket, rows, now)
        raise RowsLimited(
            f"this key may send {self.limits.rows_per_s:g} rows a second, and these are {rows}; try again in {wait_s} s", wait_s
        )

    def leave(self) -> None:
        """A request that was let in is over."""
        self._concurrency.leave()

    def header_lines(self) -> bytes:
        """What an answer says of the limits: whole lines."""
        now = time.monotonic()
        if len(self._buckets) == 1 and self.requests is not None:  # the usual case; this takes half the time
            return b'%sratelimit: "requests";r=%d;t=%d\r\n' % (self._policy, *self.requests.outlook(now))
        parts: list[bytes] = []
        if self.requests is not None:
            parts.append(b'"requests";r=%d;t=%d' % self.requests.outlook(now))
        if self.rows is not None:
            parts.append(b'"rows";r=%d;t=%d' % self.rows.outlook(now))
        if self.day is not None:
            parts.append(b'"day";r=%d;t=%d' % (self.day.outlook(now)[0], self._rest_of_day_s(now)))
        return b"%sratelimit: %s\r\n" % (self._policy, b", ".join(parts)) if parts else self._policy

    def _bucket(self, bucket: Bucket | None, rate: float | None, capacity: float | None, now: float) -> Bucket | None:
        if rate is None or capacity is None:
            return None
        if bucket is None:
            return Bucket(rate, capacity, self._fleet, now)
        if (bucket.rate, bucket.capacity) != (rate, capacity):
            bucket.change(rate, capacity, now)
        return bucket

    def _too_fast(self, bucket: Bucket, now: float) -> RequestsLimited:
        wait_s = self._refuse("requests", bucket, 1, now)
        return RequestsLimited(f"this key may make {bucket.rate:g} requests a second; try again in {wait_s} s", wait_s)

    def _day_over(self, bucket: Bucket, now: float) -> QuotaUsedUp:
        wait_s = self._refuse("day", bucket, 1, now)
        return QuotaUsedUp(f"this key may make {bucket.capacity:.0f} requests a day (UTC); try again in {wait_s} s", wait_s)

    def _refuse(self, limit: str, bucket: Bucket, tokens: int, now: float) -> int:
        """Count it and have a lease fetched; seconds after which to try again."""
        self._refused[limit] += 1
        self._wake(self)
        wait_s = min(max(bucket.seconds_until(tokens, now), POLL_S), self._rest_of_day_s(now) if not bucket.rate else math.inf)
        return math.ceil(wait_s)

    def _rest_of_day_s(self, now: float) -> int:
        return math.ceil(DAY_S - self._clock.time_s(now) % DAY_S)


def burst_of(rate: float | None) -> float | None:
    """Tokens that a bucket of `rate` holds where nothing is said, at least one."""
    return None if rate is None else max(1.0, rate * BURST_S)


def _policy(limits: KeyLimits) -> bytes:
    parts: list[str] = []
    for name, rate in (("requests", limits.requests_per_s), ("rows", limits.rows_per_s)):
        if rate is not None:
            parts.append(f'"{name}";q=%d;w=%d' % _whole(rate))
    if limits.requests_per_day is not None:
        parts.append(f'"day";q={limits.requests_per_day};w={DAY_S}')
    if limits.max_concurrency is not None:
        parts.append(f'"concurrency";q={limits.max_concurrency};qu="concurrent-requests"')
    return f"ratelimit-policy: {', '.join(parts)}\r\n".encode() if parts else b""


def _whole(rate: float) -> tuple[int, int]:
    """Tokens and seconds as whole numbers, which is what the header takes: 2.5 a second is 5 in 2."""
    fraction = Fraction(rate).limit_denominator(100)
    if abs(fraction / Fraction(rate) - 1) < 0.001:
        return fraction.numerator, fraction.denominator
    return (round(rate), 1) if rate > 1 else (1, round(1 / rate))
