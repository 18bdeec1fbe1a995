"""How many workers share the limits, and caps on what is under way at once, which are divided among them."""

from typing import Final

from contracts.errors import TooMany

UNLIMITED: Final = 1 << 62


class Fleet:
    """The living workers of all gateways, as last heard: this one is number `rank`, from 0, of `live`."""

    __slots__ = ("live", "rank")

    def __init__(self, live: int = 1, rank: int = 0) -> None:
        self.live, self.rank = live, rank

    def share_of(self, cap: int) -> int:
        """This worker's part of `cap`; the parts add up to it, but each is at least 1."""
        live = self.live
        if live == 1:
            return cap
        return max(1, cap // live + (self.rank < cap % live))


class Concurrency:
    """Requests under way at once: exact on one worker, over all of them by shares. Its cap may change at any time."""

    __slots__ = ("_fleet", "_refused", "_subject", "cap", "under_way")

    def __init__(self, cap: int, subject: str, fleet: Fleet, refused: dict[str, int]) -> None:
        """`subject` is what is capped, "key" or "deployment"; refusals are counted in `refused` under "<subject>_concurrency"."""
        self.cap, self._subject, self._fleet, self._refused = cap, subject, fleet, refused
        self.under_way = 0

    def enter(self) -> None:
        """Raises ConcurrencyReached."""
        if self.under_way >= self._fleet.share_of(self.cap):
            self._refused[f"{self._subject}_concurrency"] += 1
            raise ConcurrencyReached(self._subject, self.cap)
        self.under_way += 1

    def leave(self) -> None:
        """A request that entered is over."""
        self.under_way -= 1


class ConcurrencyReached(TooMany):
    title = "Too many requests at once"

    def __init__(self, subject: str, cap: int) -> None:
        super().__init__(f"this {subject} may have {cap} requests under way at once; wait for an answer before the next", 1.0)
