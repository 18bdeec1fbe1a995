"""Bodies that are read past the parser: large ones, in which tensors lie."""

import asyncio
import random
from itertools import pairwise
from typing import cast

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from serving.http import PLAIN, Exchange, Limits, listen
from serving.http.connection import Connection
from serving.http.large_body import ALIGNMENT
from tests.gateway.waiting import until
from tests.serving.conftest import Dial, Serve
from tests.serving.wire import get, post

HEADER_LENGTH = 7
BINARY = f"Inference-Header-Content-Length: {HEADER_LENGTH}"
BODY = random.Random(1).randbytes(600_000)
kinds: list[type] = []


def echo(exchange: Exchange) -> None:
    """Answers with the body, and notes what it came as."""
    kinds.append(type(exchange.body))
    exchange.respond(200, bytes(exchange.body), PLAIN)


def alignment(exchange: Exchange) -> None:
    """Answers with where the tensors lie in memory."""
    address = np.frombuffer(exchange.body, np.uint8, offset=HEADER_LENGTH).ctypes.data
    exchange.respond(200, b"%d" % (address % ALIGNMENT), PLAIN)


class Tape(asyncio.Transport):
    """A transport that keeps what is written, and gives what is read to the protocol of the moment."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.written = b""
        self._protocol: asyncio.BaseProtocol = connection
        connection.connection_made(self)

    def read(self, data: bytes) -> None:
        while data:
            if isinstance(self._protocol, Connection):
                self._protocol.data_received(data)
                return
            protocol = cast("asyncio.BufferedProtocol", self._protocol)
            buffer = cast("memoryview", protocol.get_buffer(-1))
            size = min(len(buffer), len(data))
            buffer[:size] = data[:size]
            protocol.buffer_updated(size)
            data = data[size:]

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_reading(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


REQUESTS = st.lists(st.tuples(st.binary(max_size=40), st.booleans()), min_size=1, max_size=6)


@hypothesis.given(REQUESTS, st.lists(st.integers(0, 700), max_size=10))
async def test_requests_are_the_same_however_their_bytes_are_cut(requests: list[tuple[bytes, bool]], cuts: list[int]) -> None:
    server = await listen(echo, Limits(large_body_bytes=4))
    connection = Connection(server)
    tape = Tape(connection)
    stream = b"".join(post("/", body, *([BINARY] if is_binary else [])) for body, is_binary in requests)
    bounds = [0, *sorted(it for it in cuts if it < len(stream)), len(stream)]
    for begin, end in pairwise(bounds):
        tape.read(stream[begin:end])
    assert server.held_bytes == 0
    connection.connection_lost(None)
    await server.drain(0)
    assert [it.partition(b"\r\n\r\n")[2] for it in tape.written.split(b"HTTP/1.1 200 OK")[1:]] == [it for it, _ in requests]


async def test_a_large_body_passes_the_parser_and_the_next_request_does_not(serve: Serve, dial: Dial) -> None:
    kinds.clear()
    server = await serve(echo)
    wire = await dial(server)
    for _ in range(3):
        await wire.send(post("/", BODY, BINARY) + post("/", b"small", BINARY) + get("/"))
        assert [(await wire.reply()).body for _ in range(3)] == [BODY, b"small", b""]
    assert kinds == [memoryview, bytes, bytes] * 3
    assert server.held_bytes == 0


async def test_large_text_is_left_to_the_parser(serve: Serve, dial: Dial) -> None:
    kinds.clear()
    wire = await dial(await serve(echo))
    assert (await wire.ask(post("/", BODY))).body == BODY
    assert kinds == [bytearray]


async def test_tensors_are_aligned_wherever_they_begin(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(alignment))
    assert (await wire.ask(post("/", BODY, BINARY))).body == b"0"


@pytest.mark.parametrize("length", ["", "x", "-1", "9" * 5000, "1" * 20])
async def test_a_header_that_makes_no_sense_is_the_applications(serve: Serve, dial: Dial, length: str) -> None:
    wire = await dial(await serve(echo))
    assert (await wire.ask(post("/", BODY, f"Inference-Header-Content-Length: {length}"))).body == BODY


async def test_a_client_that_expects_100_continue_is_told_to_go_on(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    request = post("/", BODY, BINARY, "Expect: 100-continue")
    await wire.send(request[: -len(BODY)])
    assert (await wire.reply()).status == 100
    assert (await wire.ask(BODY)).body == BODY


async def test_what_has_come_counts_among_held_bytes_and_not_what_was_announced(serve: Serve, dial: Dial) -> None:
    server = await serve(echo, max_held_bytes=1_000_000)
    first, second = await dial(server), await dial(server)
    await first.send(post("/", BODY, BINARY)[:-1])
    await until(lambda: server.held_bytes == len(BODY) - 1, "all but a byte to have come")
    refused = await second.ask(post("/", BODY, BINARY))
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    await second.close()
    await until(lambda: server.held_bytes == len(BODY) - 1, "the refused one to be gone")
    assert (await first.ask(BODY[-1:])).body == BODY
    assert server.held_bytes == 0


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(serve: Serve, dial: Dial) -> None:
    server = await serve(echo)
    wire = await dial(server)
    await wire.send(post("/", BODY, BINARY)[:-1])
    await until(lambda: server.held_bytes == len(BODY) - 1, "all but a byte to have come")
    await wire.close()
    await until(lambda: not server.connections and not server.held_bytes, "everything to be let go")


async def test_a_body_that_stalls_is_given_up(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo, stall_timeout_s=0.05))
    assert (await wire.ask(post("/", BODY, BINARY)[:-1])).status == 408
    await wire.send(b"x")  # comes too late, and is passed over
    assert await wire.is_closed()
