"""The rest of a large body, which the kernel writes straight to where it stays.

Through the parser each byte would be copied three times: out of the loop's buffer, out of the parser's, and behind the bytes
before it. While a body is read here the connection's parser rests, and no byte of the next request is taken.
"""

import asyncio
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from serving.http.connection import Connection

ALIGNMENT = 16
"""Bytes; memory begins at a multiple of it, and no element is larger."""


class LargeBody(asyncio.BufferedProtocol):
    """Takes the place of `connection` at its transport until `length` bytes are there."""

    def __init__(self, connection: "Connection", length: int, aligned_at: int) -> None:
        """The byte `aligned_at` will be where elements of any datatype may begin."""
        self._connection = connection
        begin = -aligned_at % ALIGNMENT
        self.content = np.empty(begin + length, np.uint8)[begin:].data  # memory that nobody wrote to costs nothing
        self.received = 0

    def take(self, piece: bytes | bytearray) -> None:
        """Put `piece` behind what has come."""
        self.content[self.received : self.received + len(piece)] = piece
        self.received += len(piece)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.content[self.received :]

    def buffer_updated(self, nbytes: int) -> None:
        self.received += nbytes
        self._connection.large_body_grew(nbytes)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.connection_lost(exc)

    def pause_writing(self) -> None:
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._connection.resume_writing()
