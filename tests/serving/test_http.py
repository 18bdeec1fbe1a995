"""The server as bytes on a socket."""

import asyncio
import itertools
import socket

import hypothesis
import pytest
from hypothesis import strategies as st

from serving.http import JSON, PLAIN, Exchange, Limits, listen
from serving.http import server as servers
from serving.http.connection import Connection
from tests.gateway.waiting import until
from tests.serving.conftest import Dial, Serve
from tests.serving.wire import PATIENCE_S, get, post


def echo(exchange: Exchange) -> None:
    """Answers with the body."""
    exchange.respond(200, bytes(exchange.body), PLAIN)


class Desk:
    """An application that keeps its exchanges for the test to answer."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[Exchange] = asyncio.Queue()

    def __call__(self, exchange: Exchange) -> None:
        self.arrived.put_nowait(exchange)

    async def next(self) -> Exchange:
        return await asyncio.wait_for(self.arrived.get(), PATIENCE_S)


async def test_a_kept_alive_connection_answers_one_request_after_the_other(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    assert (await wire.ask(post("/", b"one"))).body == b"one"
    reply = await wire.ask(post("/", b"two"))
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"two", PLAIN.decode())
    assert "date" in reply.headers


async def test_pipelined_requests_are_answered_in_order(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    await wire.send(b"".join(post("/", b"%d" % it) for it in range(3000)))
    assert [(await wire.reply()).body for _ in range(3000)] == [b"%d" % it for it in range(3000)]


async def test_pipelined_requests_reach_the_application_one_at_a_time(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    await wire.send(post("/1", b"") + post("/2", b""))
    first = await desk.next()
    assert desk.arrived.empty()
    first.respond(200, b"1")
    (await desk.next()).respond(200, b"2")
    assert [(await wire.reply()).body for _ in range(2)] == [b"1", b"2"]


async def test_a_request_may_come_byte_by_byte(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    for byte in post("/a?b", b"hello", "x-other: 1"):
        await wire.send(bytes([byte]))
    assert (await wire.reply()).body == b"hello"


async def test_a_chunked_body_is_put_together_and_its_trailers_are_no_headers(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    head = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    await wire.send(head + b"3\r\nabc\r\n2;note=x\r\nde\r\n0\r\nauthorization: Bearer forged\r\n\r\n")
    exchange = await desk.next()
    assert bytes(exchange.body) == b"abcde"
    assert b"authorization" not in exchange.headers


async def test_the_exchange_knows_method_path_query_and_kept_headers(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    await wire.send(get("/v2/models/a%2Fb%C3%A9?x=%20", "Authorization: Bearer k", "X-Mine: 1"))
    exchange = await desk.next()
    assert (exchange.method, exchange.path) == (b"GET", "/v2/models/a/bé")
    assert exchange.query == b"x=%20"
    assert exchange.headers == {b"authorization": b"Bearer k"}


async def test_a_target_with_scheme_and_host_has_the_same_path(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(lambda it: it.respond(200, it.path.encode())))
    assert (await wire.ask(get("http://host:1/v2/x?y"))).body == b"/v2/x"


async def test_a_client_that_expects_100_continue_is_told_to_go_on(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    await wire.send(b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    assert (await wire.reply()).status == 100
    assert (await wire.ask(b"ok")).body == b"ok"


async def test_100_continue_waits_for_the_answers_before_it(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    await wire.send(get("/") + b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    (await desk.next()).respond(200, b"first")
    assert (await wire.reply()).body == b"first"
    assert (await wire.reply()).status == 100


async def test_head_gets_the_headers_alone(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(lambda it: it.respond(200, b"12345")))
    await wire.send(b"HEAD / HTTP/1.1\r\n\r\n")
    assert (await wire.reply(has_body=False)).headers["content-length"] == "5"
    assert (await wire.ask(get("/"))).body == b"12345"


async def test_http_1_0_closes_unless_asked_to_keep_alive(serve: Serve, dial: Dial) -> None:
    server = await serve(echo)
    kept, closed = await dial(server), await dial(server)
    reply = await kept.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert reply.headers["connection"] == "keep-alive"
    assert (await kept.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")).status == 200
    assert (await closed.ask(b"GET / HTTP/1.0\r\n\r\n")).headers["connection"] == "close"
    assert await closed.is_closed()


async def test_what_follows_a_request_that_closes_is_not_answered(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    await wire.send(get("/", "connection: close") + get("/"))
    assert (await wire.reply()).status == 200
    assert await wire.is_closed()


@pytest.mark.parametrize("body", [b"", b"payload"])
async def test_an_offer_to_upgrade_is_passed_over(serve: Serve, dial: Dial, body: bytes) -> None:
    wire = await dial(await serve(echo))
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    assert (await wire.ask(post("/", body, *offer))).body == body
    assert (await wire.ask(post("/", b"next"))).body == b"next"


MALFORMED = {
    "two lengths that differ": b"POST / HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
    "length and transfer coding": b"POST / HTTP/1.1\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "transfer coding and length": b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
    "a coding under the chunks": b"POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding without chunks": b"POST / HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n0\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    "a length beyond 64 bits": b"POST / HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
    "a bad chunk": b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    "no such method": b"FOO / HTTP/1.1\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nhost : a\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nx: a\r\n b\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_request_is_told_so_and_closed(serve: Serve, dial: Dial, data: bytes) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    reply = await wire.ask(data)
    assert (reply.status, reply.headers["connection"]) == (400, "close")
    assert reply.error
    assert await wire.is_closed()
    assert desk.arrived.empty()


async def test_connect_is_refused(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    assert (await wire.ask(b"CONNECT a:80 HTTP/1.1\r\n\r\n")).status == 405


async def test_requests_before_a_malformed_one_are_answered_first(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    await wire.send(get("/") + b"garbage\r\n\r\n")
    (await desk.next()).respond(200, b"fine")
    assert [(await wire.reply()).status for _ in range(2)] == [200, 400]
    assert await wire.is_closed()


async def test_an_announced_body_that_is_too_large_is_refused_unread(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo, max_body_bytes=10))
    reply = await wire.ask(b"POST / HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 11\r\n\r\n")
    assert (reply.status, reply.error) == (413, "the body is larger than 10 bytes")
    assert await wire.is_closed()


@pytest.mark.parametrize("chunk", [b"b\r\n12345678901\r\n", b"6\r\n123456\r\n6\r\n123456\r\n"])
async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(serve: Serve, dial: Dial, chunk: bytes) -> None:
    wire = await dial(await serve(echo, max_body_bytes=10))
    reply = await wire.ask(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + chunk)
    assert reply.status == 413


async def test_a_client_that_sends_on_after_its_refusal_still_reads_why(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo, max_body_bytes=10))
    await wire.send(post("/", b"x" * 4_000_000))
    assert (await wire.reply()).status == 413


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 600_000,
        b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 200 + b"\r\n",
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + b"trailer: x\r\n" * 200 + b"\r\n",
    ],
    ids=["a header without end", "many empty headers", "a long target", "trailers"],
)
async def test_large_heads_are_refused(serve: Serve, dial: Dial, data: bytes) -> None:
    wire = await dial(await serve(echo, max_head_bytes=4096))
    for start in range(0, len(data), 10_000):
        await wire.send(data[start : start + 10_000])
    assert (await wire.reply()).status == 431
    assert await wire.is_closed()


async def test_an_unknown_expectation_is_refused(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo))
    assert (await wire.ask(b"POST / HTTP/1.1\r\nexpect: miracles\r\ncontent-length: 1\r\n\r\n")).status == 417


async def test_one_connection_too_many_is_told_to_try_again(serve: Serve, dial: Dial) -> None:
    server = await serve(echo, max_connections=1)
    first, second = await dial(server), await dial(server)
    reply = await second.reply()
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert (await first.ask(get("/"))).status == 200


async def test_bodies_of_all_clients_together_are_bounded(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    server = await serve(desk, max_held_bytes=100)
    first, second, third = await dial(server), await dial(server), await dial(server)
    await first.send(post("/", b"x" * 80))
    held = await desk.next()
    assert (await second.ask(post("/", b"x" * 30))).status == 503
    held.respond(200)
    assert (await first.reply()).status == 200
    assert await second.is_closed()
    await second.close()
    await third.send(post("/", b"x" * 80))
    (await desk.next()).respond(200)
    assert (await third.reply()).status == 200
    assert server.held_bytes == 0


async def test_an_idle_connection_is_closed(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo, idle_timeout_s=0.05))
    assert (await wire.ask(get("/"))).status == 200
    assert await wire.is_closed()


@pytest.mark.parametrize(
    "beginning",
    [b"GET / HTTP/1.1\r\nho", b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab"],
    ids=["head", "body"],
)
async def test_a_request_that_never_ends_is_given_up(serve: Serve, dial: Dial, beginning: bytes) -> None:
    wire = await dial(await serve(echo, head_timeout_s=0.05, stall_timeout_s=0.05))
    assert (await wire.ask(beginning)).status == 408
    assert await wire.is_closed()


async def test_a_client_that_does_not_read_is_cut_off(serve: Serve) -> None:
    desk = Desk()
    server = await serve(desk, stall_timeout_s=0.1)
    with socket.create_connection(("127.0.0.1", server.port)) as deaf:
        deaf.sendall(get("/"))
        (await desk.next()).respond(200, b"x" * 50_000_000)
        await until(lambda: server.connections == 0, "the connection to be closed")


async def test_a_client_that_reads_too_slowly_is_cut_off(serve: Serve, dial: Dial) -> None:
    server = await serve(lambda it: it.respond(200, b"x" * 60_000_000), stall_timeout_s=0.1, min_body_bytes_per_s=1e12)
    wire = await dial(server)
    await wire.send(get("/"))

    async def read_some_at_every_sweep() -> None:
        for _ in range(30):
            await wire.reader.readexactly(2_000_000)
            await until(lambda swept=server.now: server.now > swept, "the next sweep")

    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await read_some_at_every_sweep()
    await until(lambda: server.connections == 0, "the connection to be closed")


async def test_a_large_answer_arrives_whole_at_a_slow_reader(serve: Serve, dial: Dial) -> None:
    answer = bytes(range(256)) * 40_000
    wire = await dial(await serve(lambda it: it.respond(200, (answer, memoryview(answer)))))
    assert (await wire.ask(get("/"))).body == answer * 2


async def test_an_exchange_knows_that_its_client_left(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    await wire.send(get("/"))
    exchange = await desk.next()
    await wire.close()
    await until(lambda: exchange.is_gone, "the client to be gone")
    exchange.respond(200, b"nobody reads this")


async def test_a_defect_of_the_application_is_a_500_and_logged(
    serve: Serve, dial: Dial, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_exchange: Exchange) -> None:
        raise ZeroDivisionError("a defect")

    wire = await dial(await serve(broken))
    reply = await wire.ask(get("/"))
    assert (reply.status, reply.error) == (500, "internal error")
    assert "a defect" in caplog.text
    assert (await wire.ask(get("/"))).status == 500


async def test_an_exchange_is_answered_once(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    wire = await dial(await serve(desk))
    await wire.send(get("/"))
    exchange = await desk.next()
    exchange.respond(200, b"{}", JSON, b"x-a: 1\r\n")
    with pytest.raises(RuntimeError):
        exchange.respond(200)
    assert (await wire.reply()).headers["x-a"] == "1"


async def test_what_cannot_be_utf8_does_not_break_the_error(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(lambda it: it.refuse(404, f"nothing at {it.path} \ud800")))
    assert (await wire.ask(get("/%FF%22"))).error == 'nothing at /\ufffd" ?'


async def test_what_is_remembered_of_a_head_is_there_when_the_same_bytes_come_again(serve: Serve, dial: Dial) -> None:
    def count(exchange: Exchange) -> None:
        exchange.head.memo = (exchange.head.memo or 0) + 1
        exchange.respond(200, b"%d %s" % (exchange.head.memo, exchange.body))

    server = await serve(count)
    wire, other = await dial(server), await dial(server)
    assert [(await wire.ask(post("/", it))).body for it in (b"a", b"b")] == [b"1 a", b"2 b"]
    assert (await other.ask(post("/", b"c"))).body == b"3 c"
    assert (await other.ask(post("/", b"longer"))).body == b"1 longer"
    assert (await wire.ask(post("/", b"d", "X: other"))).body == b"1 d"


class Tape(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_closing(self) -> bool:
        return False


@hypothesis.given(st.lists(st.binary(max_size=6), min_size=1, max_size=6), st.lists(st.integers(0, 400), max_size=8))
async def test_requests_are_the_same_however_their_bytes_are_cut(bodies: list[bytes], cuts: list[int]) -> None:
    server = await listen(echo, Limits())
    connection, tape = Connection(server), Tape()
    connection.connection_made(tape)
    stream = b"".join(post("/", it) for it in bodies)
    bounds = [0, *sorted(it for it in cuts if it < len(stream)), len(stream)]
    for begin, end in itertools.pairwise(bounds):
        if begin < end:
            connection.data_received(stream[begin:end])
    connection.connection_lost(None)
    await server.drain(0)
    assert [it.partition(b"\r\n\r\n")[2] for it in tape.written.split(b"HTTP/1.1 200 OK")[1:]] == bodies


async def test_only_so_many_heads_are_remembered(serve: Serve, dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "MAX_KNOWN_HEADS", 3)
    server = await serve(lambda it: it.respond(200, it.target))
    wire = await dial(server)
    for _ in range(2):
        for path in ("/a", "/b", "/c", "/d", "/" + "e" * servers.MAX_KNOWN_HEAD):
            assert (await wire.ask(get(path))).body == path.encode()
            assert len(server.heads) <= 3
    assert {it.path for it in server.heads.values()} == {"/b", "/c", "/d"}


async def test_draining_answers_what_has_begun_and_closes_what_is_idle(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    server = await serve(desk)
    idle, busy, sending, port = await dial(server), await dial(server), await dial(server), server.port
    await busy.send(get("/busy"))
    exchange = await desk.next()
    await sending.send(b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\na")
    await until(lambda: server.connections == 3 and server.held_bytes == 1, "all three to have arrived")
    draining = asyncio.create_task(server.drain(PATIENCE_S))
    assert await idle.is_closed()
    await sending.send(b"b")
    (await desk.next()).respond(200, b"late but whole")
    exchange.respond(200, b"done")
    assert (await busy.reply()).headers["connection"] == "close"
    assert (await sending.reply()).body == b"late but whole"
    await asyncio.wait_for(draining, PATIENCE_S)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_draining_does_not_wait_for_ever(serve: Serve, dial: Dial) -> None:
    desk = Desk()
    server = await serve(desk)
    wire = await dial(server)
    await wire.send(get("/"))
    exchange = await desk.next()
    await asyncio.wait_for(server.drain(0.05), PATIENCE_S)
    await until(lambda: exchange.is_gone, "the client to be gone")


async def test_a_taken_port_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await listen(echo, Limits(), port=taken.getsockname()[1])
