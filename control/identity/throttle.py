"""Slows down guessing: after a few failures, one account from one address must wait before its next try.

Kept in memory, for one control process: a restart forgives, which costs an attacker more than it gives.
"""

from collections import Counter, OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from contracts.errors import TooMany

FREE_FAILURES: Final = 5
LONGEST_WAIT_S: Final = 60.0
MAX_ENTRIES: Final = 10_000
"""The entry idle longest is forgotten first."""


class LoginThrottled(TooMany):
    title = "Too many failed logins"


class Throttle:
    """Failures in a row by (account, address), each with the time until which the next try is refused."""

    def __init__(self) -> None:
        self.entries: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self.under_way: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def attempt(self, account: str, address: str) -> Generator[None]:
        """Hold one try, which the block must report. Raises LoginThrottled.

        Tries under way count as failures until they are known to be none: sent all at once, they would pass `check` together.
        """
        self.check(account, address)
        pair = account, address
        failures, _ = self.entries.get(pair, (0, 0.0))
        if self.under_way[pair] and failures + self.under_way[pair] >= FREE_FAILURES:
            raise LoginThrottled("too many logins of one account at once; try again in 1 s")
        self.under_way[pair] += 1
        try:
            yield
        finally:
            self.under_way[pair] -= 1
            if not self.under_way[pair]:
                del self.under_way[pair]

    def check(self, account: str, address: str, now: float | None = None) -> None:
        """Raises LoginThrottled if the pair must still wait; `now` is on the monotonic clock, in seconds."""
        _, until = self.entries.get((account, address), (0, 0.0))
        wait_s = until - (monotonic() if now is None else now)
        if wait_s > 0:
            raise LoginThrottled(f"too many failed logins; try again in {round(wait_s) or 1} s", wait_s)

    def failed(self, account: str, address: str, now: float | None = None) -> None:
        """Count a failure; from the fifth on each doubles the wait, from 1 s to `LONGEST_WAIT_S`."""
        failures = self.entries.get((account, address), (0, 0.0))[0] + 1
        excess = failures - FREE_FAILURES
        wait_s = min(2.0 ** min(excess, 16), LONGEST_WAIT_S) if excess >= 0 else 0.0
        self.entries[account, address] = (failures, (monotonic() if now is None else now) + wait_s)
        self.entries.move_to_end((account, address))
        if len(self.entries) > MAX_ENTRIES:
            self.entries.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the pair's failures."""
        self.entries.pop((account, address), None)
