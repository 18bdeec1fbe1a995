"""Waiting a little, after a run, for the callers it answered: those that come back at once can share the next run.

Callers that send their next request as soon as they have an answer fall into two halves otherwise: one is queued while the
other's run lasts, and a run of all would often take much less time than two of half of them. An idle model is never waited for:
only who would share a run with those just answered waits, only until as many rows as before are together, and only for a small
part of the time of a run. Where the callers do not come back in time, as those of many users that know nothing of each other,
it is tried ever more seldom.
"""

from typing import Final

LONGEST_PAUSE: Final = 63
"""Runs without waiting between two tries, where waiting has been in vain."""


class Rejoining:
    """The waiting behind the runs of one model. Times are nanoseconds of the monotonic clock."""

    __slots__ = ("_has_waited", "_max_rows", "_pause", "_paused", "_until_ns", "_wait_ns", "_wanted_rows", "_worthwhile_rows")

    def __init__(self, wait_us: int, max_rows: int) -> None:
        """To wait for up to `wait_us` for runs of up to `max_rows`."""
        self._wait_ns, self._max_rows = wait_us * 1000, max_rows
        self._until_ns = self._wanted_rows = self._worthwhile_rows = 0
        self._pause = self._paused = 0
        self._has_waited = False

    def begin(self, answered_rows: int, queued_rows: int, now_ns: int) -> None:
        """A run has ended that had `answered_rows`; `queued_rows` can share the next one so far."""
        self._until_ns, self._has_waited = 0, False
        if self._paused:
            self._paused -= 1
        elif queued_rows < self._max_rows:
            self._until_ns = now_ns + self._wait_ns
            self._wanted_rows = min(queued_rows + answered_rows, self._max_rows)
            self._worthwhile_rows = min(queued_rows + (answered_rows + 1) // 2, self._max_rows)

    def goes_on(self, queued_rows: int, now_ns: int) -> bool:
        """Whether to wait still. It is over once this says no."""
        if not self._until_ns:
            return False
        if queued_rows < self._wanted_rows and now_ns < self._until_ns:
            self._has_waited = True
            return True
        self._until_ns = 0
        if self._has_waited:
            has_paid = queued_rows >= self._worthwhile_rows
            self._pause = self._paused = 0 if has_paid else min(2 * self._pause + 1, LONGEST_PAUSE)
        return False
