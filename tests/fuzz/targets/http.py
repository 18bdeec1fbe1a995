"""Bytes of HTTP/1.1: however they are cut, and whether their heads are known or not, the same requests come of them."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

from serving.http import Exchange, Limits, Server
from serving.http.connection import Connection
from serving.http.large_body import LargeBody
from tests.fuzz.source import Source

SEEDS = [
    b"\x00\x05\x09" + b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    b"\x00\x05\x09" + b"POST /v2 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nabGET /x HTTP/1.1\r\n\r\n",
    b"\x00\x30\x01" + b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    b"\x00\x02\x40" + b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\na",
    b"\x00\x11\x11" + b"GET / HTTP/1.1\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n",
    b"\x00\x05\x09" + b"POST / HTTP/1.1\r\ninference-header-content-length: 1\r\ncontent-length: 3\r\n\r\nabcGET /",
    b"\x01\x03\x04\x01\x02\x03\x04\x05\x06",
]
LINES = (
    b"content-length: 2\r\n", b"content-length: 3\r\n", b"transfer-encoding: chunked\r\n", b"connection: close\r\n",
    b"connection: keep-alive\r\n", b"connection: upgrade\r\n", b"upgrade: h2c\r\n", b"expect: 100-continue\r\n",
    b"authorization: Bearer a\r\n", b"x: y\r\n", b" folded\r\n", b"content-length : 2\r\n", b"x\r\n", b": y\r\n", b"\n",
    b"inference-header-content-length: 1\r\n", b"content-length: +2\r\n", b"transfer-encoding: gzip\r\n", b"host: a\r\n", b"\r\n",
)  # fmt: skip
BODIES = (b"", b"ab", b"abc", b"2\r\nab\r\n0\r\n\r\n", b"0\r\n\r\n", b"0\r\nx: y\r\n\r\n", b"2;a=b\r\nab\r\n0\r\n\r\n", b"g\r\n")
STARTS = (
    b"GET / HTTP/1.1\r\n", b"POST /a HTTP/1.1\r\n", b"POST /a HTTP/1.0\r\n", b"HEAD / HTTP/1.1\r\n", b"GET / HTTP/0.9\r\n",
    b"GET http://a/b?c HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"\r\nGET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n", b"GE",
)  # fmt: skip


class Transport:
    """What a connection says, and how it is told what comes in."""

    def __init__(self, connection: Connection) -> None:
        self.said = b""
        self.is_over = False
        self._protocol: asyncio.BaseProtocol = connection
        connection.connection_made(cast("Any", self))

    def read(self, data: bytes) -> None:
        """Give `data` to the protocol of the moment, as much as it takes at a time."""
        while data and not self.is_over:
            if isinstance(self._protocol, LargeBody):
                buffer = self._protocol.get_buffer(len(data))
                size = min(len(buffer), len(data))
                buffer[:size] = data[:size]
                self._protocol.buffer_updated(size)
                data = data[size:]
            else:
                cast("Connection", self._protocol).data_received(data)
                return

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        assert not self.is_over
        self.said += data

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def close(self) -> None:
        self.is_over = True

    abort = write_eof = close

    def is_closing(self) -> bool:
        return self.is_over

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        """Nothing is read but what we feed."""

    resume_reading = pause_reading

    def is_reading(self) -> bool:
        return True


async def _make_server() -> Server:
    return Server(_answer, Limits(max_body_bytes=1000, large_body_bytes=1))


def _answer(exchange: Exchange) -> None:
    head = (exchange.method, exchange.target, sorted(exchange.headers.items()), bytes(exchange.body), exchange.path)
    exchange.respond(200, repr(head).encode(errors="replace"))


SERVER = asyncio.run(_make_server())
"""Its loop is closed: nothing here waits, and its clock stands still."""


def check(data: bytes) -> None:
    """Raises if bytes break a connection, or mean something else when they come otherwise."""
    source = Source(data)
    is_built, seed, step = source.below(2), source.byte(), 1 + source.below(64)
    stream = _built(source) if is_built else source.rest()
    SERVER.heads.clear()
    whole = _said([stream])
    assert _said([stream]) == whole, "another answer to the same bytes"
    assert _said(_cut(stream, seed, step)) == whole, "another answer to the same bytes in pieces"
    SERVER.heads.clear()
    assert _said(_cut(stream, seed, step)) == whole, "another answer to pieces that were not known"
    assert SERVER.held_bytes == 0


def _said(pieces: Sequence[bytes]) -> bytes:
    connection = Connection(SERVER)
    transport = Transport(connection)
    for piece in pieces:
        transport.read(piece)
    connection.connection_lost(None)
    return transport.said


def _cut(stream: bytes, seed: int, step: int) -> list[bytes]:
    pieces: list[bytes] = []
    at = 0
    while at < len(stream):
        size = 1 + seed % step
        seed = (seed * 31 + 7) % 251
        pieces.append(stream[at : at + size])
        at += size
    return pieces


def _built(source: Source) -> bytes:
    stream = b""
    for _ in range(1 + source.below(4)):
        lines = b"".join(source.pick(LINES) for _ in range(source.below(5)))
        stream += source.pick(STARTS) + lines + (b"" if not source.below(9) else b"\r\n") + source.pick(BODIES)
        if not source.below(6):
            stream += source.take(8)
    return stream
