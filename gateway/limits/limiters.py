"""The limits of all keys on one worker, and the task that keeps their leases.

Once a second, and every `PERIOD_S` while limited keys are in use, one script call tells the ledger what was spent and wanted and
brings new leases; sooner when a key begins after a pause or has been refused. When no answer comes for `PATIENCE_S` every key
goes on alone, with its share of the limit.
"""

import asyncio
import logging
import random
import time
from collections.abc import Container, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.routes import Key, KeyLimits
from gateway.limits.bucket import Bucket
from gateway.limits.fleet import Concurrency, Fleet
from gateway.limits.ledger import BUCKETS_A_CALL, Ledger, Settlement
from gateway.limits.limiter import Clock, KeyLimiter
from gateway.limits.shared_counts import Cells, SharedCounts
from gateway.redis_client import backoff, is_told_to_end

logger = logging.getLogger(__name__)

HEARTBEAT_S: Final = 1.0
PERIOD_S: Final = 0.1
GAP_S: Final = 0.04
"""At least between two rounds, however much is refused."""
PATIENCE_S: Final = 0.2
IDLE_S: Final = 1.0
"""A key that is not used for so long gives its leases back."""
LONGEST_DELAY_S: Final = 0.5
NO_LIMITS: Final = KeyLimits()
LIMITS: Final[Sequence[str]] = ("requests", "rows", "day", "key_concurrency", "deployment_concurrency")


class KeyLimiters:
    """`limiter_for` and `gate_for` give what requests go through; `run` must run beside them."""

    def __init__(self, redis: Redis, worker: str, fleet: Fleet, shared: SharedCounts | None = None, index: int = 0) -> None:
        """`worker` is a name that no other process has or had; `fleet` is a guess until the ledger tells.

        A worker among several has the column `index` in what they have `shared`.
        """
        self.fleet = fleet
        self.refused = dict.fromkeys(LIMITS, 0)
        """Requests refused since the start, by limit."""
        self.problem = ""
        """Why the ledger does not answer; empty if it does."""
        self.is_alone = False
        """Whether keys have their share of a limit instead of leases."""
        self._shared, self._index = shared, index
        self._cells: dict[UUID, Cells] = {}
        """By key and deployment."""
        self._ledger = Ledger(redis, worker if shared is None else shared.gateway, worker)
        self._clock = Clock()
        self._limiters: dict[UUID, KeyLimiter] = {}
        self._leasing: dict[KeyLimiter, float] = {}
        """With the time at which it was last found in use."""
        self._wanted = asyncio.Event()
        self._settled_at = time.monotonic() - HEARTBEAT_S

    def limiter_for(self, key: Key) -> KeyLimiter | None:
        """The limiter of `key`, the same one as long as it is known, with the limits it has now; None if it has none."""
        if key.limits == NO_LIMITS:
            return None
        limiter = self._limiters.get(key.key_uuid)
        if limiter is None:
            cells = self._cells_of(key.key_uuid)
            limiter = self._limiters[key.key_uuid] = KeyLimiter(key, self.fleet, self._clock, cells, self.refused, self._wake)
            if limiter.day is not None:
                self._wake(limiter)  # ask what was used today before the first request comes
        elif limiter.limits != key.limits:
            limiter.change(key.limits)
        return limiter

    def gate_for(self, deployment_id: UUID, max_concurrency: int | None) -> Concurrency | None:
        """What caps a deployment's requests under way, those of all its revisions together; None if nothing does."""
        if max_concurrency is None:
            return None
        return Concurrency(max_concurrency, "deployment", self.fleet, self._cells_of(deployment_id), self.refused)

    def _cells_of(self, subject: UUID) -> Cells:
        cells = self._cells.get(subject)
        if cells is None:
            cells = self._cells[subject] = ([0], 0) if self._shared is None else self._shared.cells(subject, self._index)
        return cells

    def forget_all_but(self, keys: Container[UUID], deployments: Container[UUID]) -> None:
        """Drop the limiters of keys that are gone, and the counts of deployments that are."""
        self._cells = {subject: it for subject, it in self._cells.items() if subject in keys or subject in deployments}
        self._limiters = {key: it for key, it in self._limiters.items() if key in keys}
        self._leasing = {it: used_at for it, used_at in self._leasing.items() if it.key_uuid in keys}

    async def run(self) -> None:
        """Keep the leases until cancelled, whatever becomes of Redis."""
        delays = backoff(longest_s=LONGEST_DELAY_S)
        while not is_told_to_end():
            await self._until_wanted()
            try:
                await self._settle()
            except (RedisError, OSError) as error:
                self._note_problem(str(error) or type(error).__name__)
                self._go_alone()
                await asyncio.sleep(next(delays))
            else:
                delays = backoff(longest_s=LONGEST_DELAY_S)

    async def leave(self) -> None:
        """Report what was spent and strike this worker off; `run` must have ended."""
        try:
            await self._settle(is_leaving=True)
            await self._ledger.leave()
        except (RedisError, OSError) as error:
            logger.debug("limits not settled at the end: %s", error)

    async def _until_wanted(self) -> None:
        jitter = random.uniform(0.6, 1.4)  # noqa: S311 - or the same worker would always be the first to ask for what comes in
        period_s = PERIOD_S * jitter if self._leasing else HEARTBEAT_S
        with suppress(TimeoutError):
            async with asyncio.timeout(period_s):
                await self._wanted.wait()
        await asyncio.sleep(self._settled_at + GAP_S * jitter - time.monotonic())
        self._wanted.clear()

    async def _settle(self, is_leaving: bool = False) -> None:
        """One round: report every bucket in use and take its new lease."""
        now = time.monotonic()
        elapsed_s = max(now - self._settled_at, GAP_S)
        self._settled_at = now
        leaving = {it for it in self._leasing if is_leaving or self._is_idle(it, now)}
        buckets = [(key, bucket, it in leaving) for it in self._leasing for key, bucket in it.buckets(now)]
        for first in range(0, max(1, len(buckets)), BUCKETS_A_CALL):
            await self._settle_some(buckets[first : first + BUCKETS_A_CALL], elapsed_s)
        for it in leaving:
            if not any(bucket.is_wanted for _, bucket in it.buckets(now)):
                it.is_leasing = False
                self._leasing.pop(it, None)

    async def _settle_some(self, buckets: Sequence[tuple[str, Bucket, bool]], elapsed_s: float) -> None:
        entries = [(bucket, bucket.report(elapsed_s, PERIOD_S, is_leaving)) for _, bucket, is_leaving in buckets]
        settlement = await self._patiently(self._ledger.settle([key for key, *_ in buckets], entries))
        now = time.monotonic()
        self.fleet.live, self.fleet.gateways, self.fleet.place = settlement.live, settlement.gateways, settlement.place
        self._clock.hear(settlement.time_s, now)
        self._rejoin(now)
        for (bucket, report), answer in zip(entries, settlement.answers, strict=True):
            bucket.accept(report, answer.granted, answer.free, now)

    async def _patiently(self, settling: Coroutine[Any, Any, Settlement]) -> Settlement:
        call = asyncio.ensure_future(settling)
        try:
            done, _ = await asyncio.wait([call], timeout=PATIENCE_S)
            if not done:
                self._go_alone()
            return await call
        finally:
            call.cancel()

    def _is_idle(self, limiter: KeyLimiter, now: float) -> bool:
        if any(bucket.is_wanted for _, bucket in limiter.buckets(now)):
            self._leasing[limiter] = now
        return now - self._leasing[limiter] > IDLE_S

    def _wake(self, limiter: KeyLimiter) -> None:
        if not limiter.is_leasing:
            self._begin(limiter)
        self._wanted.set()

    def _begin(self, limiter: KeyLimiter) -> None:
        now = time.monotonic()
        limiter.is_leasing = True
        buckets = limiter.buckets(now)
        if buckets:
            self._leasing[limiter] = now
        if self.is_alone:
            for _, bucket in buckets:
                bucket.go_alone(now)

    def _go_alone(self) -> None:
        now = time.monotonic()
        self.is_alone = True
        for limiter in self._leasing:
            for _, bucket in limiter.buckets(now):
                bucket.go_alone(now)

    def _rejoin(self, now: float) -> None:
        if self.problem:
            logger.info("limits are leased again, among %d workers", self.fleet.live)
        self.problem = ""
        if self.is_alone:
            self.is_alone = False
            for limiter in self._leasing:
                for _, bucket in limiter.buckets(now):
                    bucket.rejoin(now)

    def _note_problem(self, problem: str) -> None:
        if not self.problem:
            logger.warning("Redis is away: each of %d workers holds its share of every limit: %s", self.fleet.live, problem)
        self.problem = problem
