"""Request ids: UUIDv7 made from a clock, a counter and a number of this worker's own, without a system call."""

import os


class RequestIds:
    """Ids that sort by time and never repeat: millisecond, 26-bit counter, 48 random bits drawn once at start.

    They are not secret: who knows one can guess its neighbours.
    """

    __slots__ = ("_count", "_milliseconds", "_node", "_prefix")

    def __init__(self) -> None:
        self._node = os.urandom(6).hex()
        self._count = int.from_bytes(os.urandom(3))
        self._milliseconds = -1
        self._prefix = ""

    def next(self, milliseconds: int) -> str:
        """The next id, as text, of a request that arrived at `milliseconds` since the epoch."""
        if milliseconds != self._milliseconds:
            self._milliseconds = milliseconds
            self._prefix = f"{milliseconds >> 16 & 0xFFFFFFFF:08x}-{milliseconds & 0xFFFF:04x}-7"
        count = self._count = (self._count + 1) & 0x3FFFFFF
        return f"{self._prefix}{count >> 14:03x}-{0x8000 | count & 0x3FFF:04x}-{self._node}"
