"""One limit of one key on one worker: a token bucket that spends what the fleet's ledger has leased to it.

Two bounds hold at once. The `level` is the bucket as anybody knows it, filled at `rate` up to `capacity`: it keeps the shape of
the limit exactly, also between two leases. The `ceiling` is how far the count of tokens spent here may rise: it keeps what all
workers spend together to the limit. What a worker may spend before its first lease (so that an idle key costs no Redis trip and
its first request no refusal) is reported with that lease, so it is borrowed, never given.

Without the ledger a bucket is `alone`: it then holds its share of rate and capacity, and no ceiling.

Everything here is arithmetic; `now` is seconds of a clock that never goes back.
"""

import math
from typing import Final

from msgspec import Struct

from gateway.limits.fleet import Fleet

ROUNDING: Final = 1e-6
"""Tokens that a sum of floats may lack."""
HEADROOM: Final = 2.0
"""How many times what was wanted lately is asked for, so that growing traffic is not refused."""


class Report(Struct, frozen=True):
    """What the ledger is told of one bucket."""

    acknowledged: int
    """The count of spent tokens that the ledger confirmed last."""
    spent: int
    """That count now; a cumulative one, so that a report heard twice counts once."""
    demand: int
    """Tokens wanted until the next report; negative to give up the lease."""


class Bucket:
    """`rate` in tokens a second, 0 for a quota that does not refill; `capacity` in tokens."""

    __slots__ = (
        "_acknowledged",
        "_alone_from",
        "_at",
        "_ceiling",
        "_fleet",
        "_forgiven",
        "_free",
        "_heard_at",
        "_is_lent",
        "_level",
        "_pace",
        "_size",
        "_spent",
        "_wanted",
        "capacity",
        "rate",
    )

    def __init__(self, rate: float, capacity: float, fleet: Fleet, now: float) -> None:
        self._spent = self._wanted = self._acknowledged = self._forgiven = 0
        self._fleet = fleet
        self._alone_from: int | None = None
        self._at = now
        self.change(rate, capacity, now)

    def change(self, rate: float, capacity: float, now: float) -> None:
        """Be full, with another limit."""
        self.rate, self.capacity = rate, capacity
        self._free, self._heard_at = capacity, now
        self._be_leased()
        if self._alone_from is not None:
            self._be_alone()

    def take(self, tokens: int, now: float) -> bool:
        """Whether `tokens` may be spent; they are then.

        More than fit into the bucket can be had when it is full, and more than was leased while anything is left of the lease:
        what that overdraws is owed, and comes in before anything else is let through.
        """
        self._wanted += tokens
        level = self._level + (now - self._at) * self._pace
        size = self._size
        if level > size:
            level = size
        self._level, self._at = level, now
        need = tokens if tokens < size else size
        if level + ROUNDING < need or (self._spent >= self._ceiling and not self._borrow(now)):
            return False
        self._level = level - tokens
        self._spent += tokens
        return True

    def give_back(self, tokens: int) -> None:
        """Undo a `take` that succeeded."""
        self._level += tokens
        self._spent -= tokens

    @property
    def is_wanted(self) -> bool:
        """Whether anything was asked of it since the last report."""
        return self._wanted > 0

    def outlook(self, now: float) -> tuple[int, int]:
        """As far as this worker knows: tokens that can be had at once, seconds until all can be."""
        pace, size = self._pace, self._size
        level = self._level + (now - self._at) * pace
        if level > size:
            level = size
        leased = self._ceiling - self._spent
        if leased < level:
            free = self._free + (now - self._heard_at) * self.rate  # as `_free_at`, without the calls: every answer says it
            if free > 0:
                leased += free if free < self.capacity else self.capacity
            if leased < level:
                level = leased
        return int(level + ROUNDING) if level > 0 else 0, int((size - level) / pace + 0.999) if pace else 0

    def seconds_until(self, tokens: int, now: float) -> float:
        """How long until `tokens` can be had, as far as this worker knows; inf if nothing will refill it."""
        need = min(tokens, self._size)
        level = min(self._size, self._level + (now - self._at) * self._pace)
        short, pace = need - level, self._pace
        if self._alone_from is None and (short_of_all := 1 - self._leased - self._free_at(now)) > short:
            short, pace = short_of_all, self.rate
        if short <= 0:
            return 0.0
        return short / pace if pace else math.inf

    def report(self, elapsed_s: float, period_s: float, is_leaving: bool) -> Report:
        """What to tell the ledger `elapsed_s` after the last time, for the coming `period_s`."""
        demand = -1 if is_leaving else math.ceil(self._wanted / elapsed_s * period_s * HEADROOM)
        self._wanted = 0
        return Report(self._acknowledged, self._total, demand)

    def accept(self, report: Report, granted: int, free: float, now: float) -> None:
        """Take the ledger's answer to `report`: a new lease in place of the old, and what is left that nobody has leased."""
        self._acknowledged = report.spent
        self._free, self._heard_at = free, now
        self._is_lent = report.demand >= 0 or self._wanted > 0
        if self._alone_from is None:
            self._ceiling = report.spent + self._forgiven + granted

    def go_alone(self, now: float) -> None:
        """Go on without the ledger, with what one of the fleet's workers may spend."""
        if self._alone_from is not None:
            return
        level = min(self._level, self._leased + self._free_at(now) / self._fleet.live)
        self._alone_from = self._spent
        self._be_alone()
        self._level = min(level, self._level)
        self._at = now

    def rejoin(self, now: float) -> None:
        """Go on with the ledger, which is told of what was spent alone as far as it is not refilled by now."""
        if self._alone_from is None:
            return
        spent = self._spent - self._alone_from
        level = min(self._size, self._level + (now - self._at) * self._pace)
        missing = max(0, math.ceil(self._size - level)) if self.rate else spent
        self._forgiven += max(0, spent - missing)
        self._alone_from = None
        self._be_leased()
        self._level, self._at = min(level, self._level) if self.rate else self._level, now

    def renew(self, now: float) -> None:
        """Be full again: a new day has begun for a quota."""
        if self._alone_from is not None:
            self._forgiven += self._spent - self._alone_from
            self._alone_from = self._spent
        self.change(self.rate, self.capacity, now)

    @property
    def _total(self) -> int:
        """What the ledger is to know as spent; what is spent alone is told afterwards."""
        return (self._spent if self._alone_from is None else self._alone_from) - self._forgiven

    @property
    def _leased(self) -> float:
        return max(0.0, self._ceiling - self._spent)

    def _free_at(self, now: float) -> float:
        return max(0.0, min(self.capacity, self._free + (now - self._heard_at) * self.rate))

    def _be_leased(self) -> None:
        self._pace, self._size = self.rate, self.capacity if self.rate else math.inf
        self._level = self._size
        self._ceiling: float = self._spent
        self._is_lent = False

    def _be_alone(self) -> None:
        """A bucket of less than one token would never let anything through."""
        self._pace = self.rate / self._fleet.live
        share = max(1.0, self.capacity / self._fleet.live)
        self._level = share
        self._size = share if self.rate else math.inf
        self._ceiling = math.inf

    def _borrow(self, now: float) -> bool:
        """Whether there is something to spend before the first lease: this worker's share of what should be free, or 1."""
        if self._is_lent:
            return False
        self._is_lent = True
        free = self._free_at(now) + ROUNDING
        if free < 1:
            return False
        borrowed = max(1, free // self._fleet.live)
        self._ceiling = self._spent + borrowed
        self._free, self._heard_at = free - borrowed, now
        return True
