"""How many workers and gateways share the limits, and caps on what is under way at once."""

from threading import Lock
from typing import Final

from contracts.errors import TooMany
from gateway.limits.shared_counts import Cells

UNLIMITED: Final = 1 << 62
MAX_TRIES: Final = 8
"""For a place that others try for at the same microsecond."""
FENCE: Final = Lock()


class Fleet:
    """As last heard: `live` workers of all gateways, and this one's gateway, number `place`, from 0, of `gateways`."""

    __slots__ = ("gateways", "live", "place")

    def __init__(self, live: int = 1, gateways: int = 1, place: int = 0) -> None:
        self.live, self.gateways, self.place = live, gateways, place

    def share_of(self, cap: int) -> int:
        """This gateway's part of `cap`; the parts add up to it, but each is at least 1."""
        gateways = self.gateways
        if gateways == 1:
            return cap
        return max(1, cap // gateways + (self.place < cap % gateways))


class Concurrency:
    """Requests under way at once: exact in one gateway, over all of them by shares. Its cap may change at any time."""

    __slots__ = ("_cells", "_fleet", "_own", "_refused", "_subject", "cap")

    def __init__(self, cap: int, subject: str, fleet: Fleet, cells: Cells, refused: dict[str, int]) -> None:
        """`subject` is what is capped, "key" or "deployment"; refusals are counted in `refused` under "<subject>_concurrency"."""
        self.cap, self._subject, self._fleet, self._refused = cap, subject, fleet, refused
        self._cells, self._own = cells

    @property
    def under_way(self) -> int:
        """On this worker."""
        return self._cells[self._own]

    def enter(self) -> None:
        """Raises ConcurrencyReached."""
        cells, most = self._cells, self._fleet.share_of(self.cap)
        if len(cells) > 1:
            is_let_in = self._try_beside_others(most)
        elif is_let_in := cells[0] < most:
            cells[0] += 1
        if not is_let_in:
            self._refused[f"{self._subject}_concurrency"] += 1
            raise ConcurrencyReached(self._subject, self.cap)

    def leave(self) -> None:
        """A request that entered is over."""
        self._cells[self._own] -= 1

    def _try_beside_others(self, most: int) -> bool:
        """Whether there is a place, which is taken then.

        Who enters is counted before all are added up: of two workers with a request each for the last place never both let
        theirs in. Both may step back; whoever does so last sees the place free, and tries again.
        """
        cells, own = self._cells, self._own
        for _ in range(MAX_TRIES):
            cells[own] += 1
            _show()
            if sum(cells) <= most:
                return True
            cells[own] -= 1
            _show()
            if sum(cells) >= most:
                break
        return False


class ConcurrencyReached(TooMany):
    title = "Too many requests at once"

    def __init__(self, subject: str, cap: int) -> None:
        super().__init__(f"this {subject} may have {cap} requests under way at once; wait for an answer before the next", 1.0)


def _show() -> None:
    """Have what was written seen by the other workers before anything is read.

    A processor may read ahead of its own writes until it meets an instruction that locks memory, such as that of a lock.
    Without it, two of three processes that entered and left as fast as they could were found to be in at once.
    """
    with FENCE:
        pass
