"""How many requests are under way on each worker of one gateway, in memory that all of them see.

A table with a row for each key or deployment, whoever comes first makes it, and a column for each worker, in which it alone
writes. So a request costs no lock and no system call; only who looks for a row waits for others who do.
"""

import fcntl
import logging
import mmap
import os
import struct
import sys
import tempfile
from typing import Final
from uuid import UUID, uuid4

logger = logging.getLogger(__name__)

MAX_ROWS: Final = 65_536
"""Keys and deployments that were limited since the gateway started; those beyond are counted on each worker by itself."""
HEAD: Final = struct.Struct("2i8x16s")
"""Rows in use, columns, and the id of the gateway. The ids of the rows follow, then their counts."""
ID_BYTES: Final = 16
INT_BYTES: Final = 4

Cells = tuple["list[int] | memoryview[int]", int]
"""The counts of one key or deployment by worker, and which of them is one's own."""


class SharedCounts:
    """The table in the file `handle`, as each process sees it."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        memory = memoryview(mmap.mmap(handle, 0))
        self._head = memory[: HEAD.size].cast("i")
        self.columns = self._head[1]
        self.gateway = HEAD.unpack(memory[: HEAD.size])[2].hex()
        """A name that no other gateway has or had."""
        counts_at = HEAD.size + MAX_ROWS * ID_BYTES
        self._ids = memory[HEAD.size : counts_at]
        self._counts = memory[counts_at:].cast("i")
        self._rows: dict[bytes, int] = {}

    @classmethod
    def create(cls, columns: int) -> "SharedCounts":
        """A table in memory, for processes that inherit its `handle`; it takes room as far as it is used."""
        handle = _new_file()
        os.ftruncate(handle, HEAD.size + MAX_ROWS * (ID_BYTES + columns * INT_BYTES))
        os.pwrite(handle, HEAD.pack(0, columns, uuid4().bytes), 0)
        return cls(handle)

    def cells(self, subject: UUID, column: int) -> Cells:
        """Where the requests of `subject` are counted."""
        row = self._row(subject.bytes) if column < self.columns else None
        if row is None:
            logger.warning("too many limited keys and deployments: %s is counted on each worker by itself", subject)
            return [0], 0
        return self._counts[row * self.columns : (row + 1) * self.columns], column

    def clear(self, column: int) -> None:
        """Forget what was under way on a worker that has ended."""
        if column < self.columns:
            for row in range(self._head[0]):
                self._counts[row * self.columns + column] = 0

    def _row(self, subject: bytes) -> int | None:
        row = self._rows.get(subject)
        if row is not None:
            return row
        fcntl.lockf(self.handle, fcntl.LOCK_EX)  # of this process; flock would be shared with all who inherited the handle
        try:
            self._learn()
            if subject not in self._rows and self._head[0] < MAX_ROWS:
                begin = self._head[0] * ID_BYTES
                self._ids[begin : begin + ID_BYTES] = subject
                self._head[0] += 1
                self._learn()
        finally:
            fcntl.lockf(self.handle, fcntl.LOCK_UN)
        return self._rows.get(subject)

    def _learn(self) -> None:
        for row in range(len(self._rows), self._head[0]):
            self._rows[bytes(self._ids[row * ID_BYTES : (row + 1) * ID_BYTES])] = row


def _new_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("headrace-under-way")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
