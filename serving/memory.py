"""What a model takes of the process's memory, and giving back what it does not take any more."""

import ctypes
import threading
from collections.abc import Callable
from typing import Final

import psutil

_PROCESS: Final = psutil.Process()
_C_LIBRARY: Final = ctypes.CDLL(None)
_measuring: Final = threading.Lock()
"""Held by the one load whose growth is measured; what two at once grow by, nobody can tell apart."""


class Growth:
    """By how much the process grows in a `with` block: `bytes`, or 0 where another block was being measured meanwhile."""

    def __init__(self) -> None:
        self.bytes = 0
        self._before = 0
        self._is_alone = False

    def __enter__(self) -> "Growth":
        self._is_alone = _measuring.acquire(blocking=False)
        trim()
        self._before = _PROCESS.memory_info().rss
        return self

    def __exit__(self, *_: object) -> None:
        trim()
        if self._is_alone:
            self.bytes = max(0, _PROCESS.memory_info().rss - self._before)
            _measuring.release()


def trim() -> None:
    """Give freed memory back to the system.

    glibc keeps it otherwise: measured, twice the file's size after a model of 125 MB was loaded, until trimmed in 10 to 25 ms.
    """
    malloc_trim: Callable[[int], int] | None = getattr(_C_LIBRARY, "malloc_trim", None)  # glibc's own
    if malloc_trim is not None:
        malloc_trim(0)
