"""Look-ups in Redis, of which nobody ever waits longer than `WAIT_S`, and a millisecond should the loop itself be late.

All look-ups of one tick of the loop go out as one MGET. When its answer is not there in time the look-ups have found nothing, and
no more are sent until it has come after all and a pause is over. What comes late is dropped.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from gateway.cache.link import Link, keep
from gateway.redis_client import backoff

logger = logging.getLogger(__name__)

WAIT_S: Final = 0.004
LATE_LOOP_S: Final = 0.0015
LAST_CHANCE_S: Final = 0.001
"""After a tick that took long timers come first: so the answer may lie there already, unread."""
MAX_KEYS: Final = 64
"""Of one MGET."""
FIRST_PAUSE_S: Final = 0.1

Found = Callable[[bytes | None], None]
"""Gets what is stored under the key, or None."""


class Round:
    """The look-ups of one MGET; none any more once they are settled."""

    __slots__ = ("due", "founds", "timer")

    def __init__(self, founds: list[Found], due: float) -> None:
        self.founds, self.due = founds, due
        self.timer: asyncio.TimerHandle

    def settle(self, values: list[Any] | None) -> None:
        """Hand out `values`, one for each look-up; None: nothing was found."""
        founds, self.founds = self.founds, []
        for found, value in zip(founds, values or [None] * len(founds), strict=True):
            try:
                found(value)
            except Exception:  # a defect on one request's way must not cost the others theirs
                logger.exception("handing out what a cache look-up found failed")


class LookUps:
    """Look-ups in the Redis at `url`, while `run` runs."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link: Link | None = None
        self._next: list[tuple[bytes, Found]] = []
        self._overdue = 0
        """Rounds that were given up and may still be answered."""
        self._paused_until = 0.0
        self._pauses = backoff(FIRST_PAUSE_S)
        self.late = 0
        """Look-ups that were given up since the start."""

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    @property
    def is_up(self) -> bool:
        """Whether look-ups are sent now."""
        return self._link is not None and not self._overdue and time.monotonic() >= self._paused_until

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        await keep(self._url, "look-ups", self._use)

    def ask(self, key: bytes, found: Found) -> bool:
        """Look `key` up, and call `found` once on a later tick; False if none are sent now: then it is never called."""
        if self._link is None or self._overdue or self._link.is_full:
            return False
        if self._paused_until and time.monotonic() < self._paused_until:
            return False
        self._next.append((key, found))
        if len(self._next) == 1:
            asyncio.get_running_loop().call_soon(self._send)
        return True

    def _use(self, link: Link | None) -> None:
        self._link = link

    def _send(self) -> None:
        asked, self._next = self._next, []
        for first in range(0, len(asked), MAX_KEYS):
            self._send_round(asked[first : first + MAX_KEYS])

    def _send_round(self, asked: list[tuple[bytes, Found]]) -> None:
        lookups = Round([found for _, found in asked], time.monotonic() + WAIT_S)
        if self._link is None:  # lost since
            lookups.settle(None)
            return
        lookups.timer = asyncio.get_running_loop().call_later(WAIT_S, self._expire, lookups)
        self._link.send(lambda reply: self._settle(lookups, reply), "MGET", *[key for key, _ in asked])

    def _settle(self, lookups: Round, reply: Any) -> None:
        lookups.timer.cancel()
        if not lookups.founds:
            self._overdue -= 1
            self._pause()
        elif isinstance(reply, list):
            self._go_on()
            lookups.settle(reply)
        else:
            logger.warning("Redis refuses cache look-ups: %s", reply)
            self._pause()
            lookups.settle(None)

    def _expire(self, lookups: Round) -> None:
        if time.monotonic() - lookups.due > LATE_LOOP_S:
            lookups.timer = asyncio.get_running_loop().call_later(LAST_CHANCE_S, self._give_up, lookups)
        else:
            self._give_up(lookups)

    def _give_up(self, lookups: Round) -> None:
        self._overdue += 1
        self.late += len(lookups.founds)
        lookups.settle(None)

    def _pause(self) -> None:
        self._paused_until = time.monotonic() + next(self._pauses)

    def _go_on(self) -> None:
        if self._paused_until:
            self._paused_until = 0.0
            self._pauses = backoff(FIRST_PAUSE_S)
