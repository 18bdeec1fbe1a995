"""What attackers send: it is refused, the process lives, and the next client is served.

Heads that were seen before skip the parser, so every attack comes twice: on a connection of its own, and on one whose good
request is known by then. What is refused must not become known either: it is sent again.
"""

import asyncio
import time
from typing import Final

import pytest

from serving.http import Exchange
from tests.gateway.waiting import until
from tests.serving.conftest import Dial, Serve
from tests.serving.wire import Wire, get, post

Pieces = tuple[bytes, ...]
CHUNKED: Final = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
SMUGGLED: Final = b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"


def lengths(*values: bytes) -> bytes:
    """A POST with these Content-Lengths and a request hidden behind it."""
    lines = b"".join(b"content-length: %s\r\n" % it for it in values)
    return b"POST / HTTP/1.1\r\nhost: a\r\n%s\r\nab" % lines + SMUGGLED


def codings(*values: bytes, more: bytes = b"") -> bytes:
    """A POST with these Transfer-Encodings and a request hidden behind its chunks."""
    lines = b"".join(b"transfer-encoding:%s\r\n" % it for it in values)
    return b"POST / HTTP/1.1\r\nhost: a\r\n%s%s\r\n0\r\n\r\n" % (lines, more) + SMUGGLED


ATTACKS: Final[dict[str, tuple[bytes, int]]] = {
    "lengths that differ": (lengths(b"2", b"36"), 400),
    "the same length twice": (lengths(b"2", b"2"), 400),
    "a list of lengths": (lengths(b"2, 2"), 400),
    "a length with a plus": (lengths(b"+2"), 400),
    "a length with a minus": (lengths(b"-2"), 400),
    "a length with a space": (lengths(b"0 2"), 400),
    "a length in hex": (lengths(b"0x2"), 400),
    "a length with an underscore": (lengths(b"0_2"), 400),
    "a length with a vertical tab": (lengths(b"\x0b2"), 400),
    "a length in Arabic digits": (lengths("٢".encode()), 400),
    "an empty length": (lengths(b""), 400),
    "a length beyond 64 bits": (lengths(b"18446744073709551618"), 400),
    "a length just below 64 bits": (lengths(b"18446744073709551615"), 413),
    "a length of 5,000 digits": (lengths(b"0" * 4_999 + b"2"), 400),
    "a length of 5,000 digits, expecting": (lengths(b"0" * 4_999 + b"2\r\nexpect: 100-continue"), 400),
    "length and coding": (codings(b" chunked", more=b"content-length: 5\r\n"), 400),
    "coding after length": (b"POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "another coding": (codings(b" xchunked"), 400),
    "a coding twice": (codings(b" chunked", b" chunked"), 400),
    "a coding behind chunks": (codings(b" chunked, identity"), 400),
    "a coding before chunks": (codings(b" identity, chunked"), 400),
    "no coding at all": (codings(b" identity"), 400),
    "a quoted coding": (codings(b' "chunked"'), 400),
    "an empty coding": (codings(b""), 400),
    "a coding behind a vertical tab": (codings(b"\x0bchunked"), 400),
    "a coding under a name with a space": (b"POST / HTTP/1.1\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "an upgrade over ambiguous lengths": (
        b"POST / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nab", 400,
    ),
    "an upgrade over length and coding": (
        b"POST / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x\r\n"
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400,
    ),
    "a chunk size with a sign": (CHUNKED + b"-2\r\nab\r\n0\r\n\r\n", 400),
    "a chunk size with 0x": (CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n", 400),
    "a chunk size with a space": (CHUNKED + b"2 \r\nab\r\n0\r\n\r\n", 400),
    "a chunk size beyond 64 bits": (CHUNKED + b"10000000000000002\r\nab\r\n0\r\n\r\n", 400),
    "a chunk longer than it says": (CHUNKED + b"1\r\nab\r\n0\r\n\r\n", 400),
    "a chunk without a size": (CHUNKED + b"\r\nab\r\n0\r\n\r\n", 400),
    "a chunk ended by a bare line feed": (CHUNKED + b"2\nab\n0\n\n", 400),
    "a NUL in a chunk extension": (CHUNKED + b"2;\x00\r\nab\r\n0\r\n\r\n", 400),
    "bare line feeds": (b"GET / HTTP/1.1\nhost: a\n\n", 400),
    "a bare line feed in the request line": (b"GET / HTTP/1.1\nhost: a\r\n\r\n", 400),
    "a bare line feed in a header": (b"GET / HTTP/1.1\r\nhost: a\nx: b\r\n\r\n", 400),
    "a bare line feed at the end": (b"GET / HTTP/1.1\r\nhost: a\n\r\n", 400),
    "a bare carriage return": (b"GET / HTTP/1.1\r\nhost: a\rx: b\r\n\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n", 400),
    "a folded first header": (b"GET / HTTP/1.1\r\n host: a\r\n\r\n", 400),
    "a space before the colon": (b"GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400),
    "a space in a name": (b"GET / HTTP/1.1\r\nho st: a\r\n\r\n", 400),
    "a header without a colon": (b"GET / HTTP/1.1\r\nhost\r\n\r\n", 400),
    "a header without a name": (b"GET / HTTP/1.1\r\n: a\r\n\r\n", 400),
    "a NUL in a name": (b"GET / HTTP/1.1\r\nho\x00st: a\r\n\r\n", 400),
    "a NUL in a value": (b"GET / HTTP/1.1\r\nhost: a\x00b\r\n\r\n", 400),
    "a NUL in the target": (b"GET /\x00 HTTP/1.1\r\n\r\n", 400),
    "a NUL first": (b"\x00GET / HTTP/1.1\r\n\r\n", 400),
    "a high byte in the target": (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
    "a space in the target": (b"GET /a b HTTP/1.1\r\n\r\n", 400),
    "tabs for spaces": (b"GET\t/\tHTTP/1.1\r\n\r\n", 400),
    "a method in small letters": (b"get / HTTP/1.1\r\n\r\n", 400),
    "a protocol in small letters": (b"GET / http/1.1\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\n\r\n", 400),
    "HTTP/2 in words": (b"GET / HTTP/2.0\r\nhost: a\r\n\r\n", 400),
    "HTTP/2 with an upgrade": (b"GET / HTTP/2.0\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", 400),
    "HTTP/2's preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a target without a path": (b"GET evil:80 HTTP/1.1\r\n\r\n", 400),
    "a header without end": (b"GET / HTTP/1.1\r\nx: " + b"y" * 400_000, 431),
    "a name without end": (b"GET / HTTP/1.1\r\n" + b"y" * 400_000, 431),
    "a target without end": (b"GET /" + b"y" * 400_000, 431),
    "a flood of headers": (b"GET / HTTP/1.1\r\n" + b"a:\r\n" * 2_000 + b"\r\n", 431),
    "a flood of trailers": (CHUNKED + b"0\r\n" + b"a:\r\n" * 2_000 + b"\r\n", 431),
}  # fmt: skip


def echo_target(exchange: Exchange) -> None:
    exchange.respond(200, exchange.target)


async def refusal(wire: Wire, attack: bytes) -> int:
    """The status that the attack is refused with; nothing else was answered, and both sides are closed when this returns."""
    await wire.send(attack)
    reply = await wire.reply()
    assert reply.error
    assert reply.headers["connection"] == "close"
    assert await wire.is_closed()
    await wire.close()
    return reply.status


@pytest.mark.parametrize(("attack", "status"), ATTACKS.values(), ids=ATTACKS.keys())
async def test_an_attack_is_refused_fresh_repeated_and_behind_good_requests(
    serve: Serve, dial: Dial, attack: bytes, status: int
) -> None:
    server = await serve(echo_target)
    good = get("/good")
    for _ in range(2):
        assert await refusal(await dial(server), attack) == status
    for _ in range(2):
        wire = await dial(server)
        assert [(await wire.ask(good)).body for _ in range(3)] == [b"/good"] * 3
        assert await refusal(wire, attack) == status
    assert (await (await dial(server)).ask(good)).body == b"/good"
    assert list(server.heads) == [good]
    await until(lambda: server.held_bytes == 0, "what was read of the attacks to be given up")


PIECES: Final[dict[str, Pieces]] = {
    "a method": (b"GET", b" /secret HTTP/1.1\r\nauthorization: Bearer key\r\n\r\n"),
    "part of a method": (b"POS", b"T /secret HTTP/1.1\r\nauthorization: Bearer key\r\ncontent-length: 0\r\n\r\n"),
    "a request line": (b"GET /secret HTTP/1.1\r\n", b"authorization: Bearer key\r\n\r\n"),
    "all but the end": (b"GET /secret HTTP/1.1\r\nauthorization: Bearer key\r\n", b"\r\n"),
    "all but the last byte": (b"GET /secret HTTP/1.1\r\nauthorization: Bearer key\r\n\r", b"\n"),
    "a head without its body": (b"POST /secret HTTP/1.1\r\ncontent-length: 2\r\n\r\n", b"ab"),
}  # fmt: skip


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES.keys())
async def test_a_request_in_pieces_is_not_known_by_its_first(serve: Serve, dial: Dial, pieces: Pieces) -> None:
    server = await serve(echo_target, head_timeout_s=0.2, stall_timeout_s=0.2)
    wire, other = await dial(server), await dial(server)
    await wire.send(pieces[0])
    assert (await other.ask(get("/"))).status == 200  # by now the server has read the piece
    assert (await wire.ask(pieces[1])).body == b"/secret"
    assert (await other.ask(pieces[0])).status == 408


async def test_a_known_head_is_not_taken_for_one_with_another_body(serve: Serve, dial: Dial) -> None:
    server = await serve(lambda it: it.respond(200, bytes(it.body)))
    wire = await dial(server)
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n"
    assert [(await wire.ask(head + b"abcd")).body for _ in range(2)] == [b"abcd"] * 2
    await wire.send(head + b"efgh" + head + b"ijkl" + head + b"mn")
    assert [(await wire.reply()).body for _ in range(2)] == [b"efgh", b"ijkl"]
    assert (await wire.ask(b"op" + head + b"qrst")).body == b"mnop"
    assert (await wire.reply()).body == b"qrst"


async def test_what_is_known_is_bounded(serve: Serve, dial: Dial) -> None:
    server = await serve(echo_target)
    wire = await dial(server)
    await wire.ask(get("/" + "long" * 1000))
    assert not server.heads
    for number in range(0, 6_000, 100):
        for it in range(number, number + 100):
            assert (await wire.ask(get(f"/{it}"))).body == b"/%d" % it
    assert len(server.heads) <= 4096
    assert get("/5999") in server.heads


async def test_a_target_with_scheme_and_host_leads_to_our_own_paths_alone(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(lambda it: it.respond(200, it.path.encode())))
    for target, path in (("http://evil/x", b"/x"), ("https://evil", b"/"), ("http://evil//x?y", b"//x")):
        for _ in range(2):
            assert (await wire.ask(get(target))).body == path


async def _trickle(wire: Wire, first: bytes, drop: bytes) -> int:
    """Send `first` and then `drop` again and again until there is an answer; its status."""
    await wire.send(first)
    answer = asyncio.ensure_future(wire.reply())
    while not answer.done():
        await wire.send(drop)
        await asyncio.wait([answer], timeout=0.01)
    return answer.result().status


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"GET / HTTP/1.1\r\n", b"x: y\r\n"),
        (b"POST / HTTP/1.1\r\ncontent-length: 1000000\r\n\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"1;", b"x"),
        (CHUNKED + b"0\r\n", b"x: y\r\n"),
    ],
    ids=["head", "body", "chunks", "chunk extension", "trailers"],
)
async def test_a_request_that_trickles_is_given_up(serve: Serve, dial: Dial, first: bytes, drop: bytes) -> None:
    limits = {"head_timeout_s": 0.1, "stall_timeout_s": 0.1, "min_body_bytes_per_s": 50_000}
    server = await serve(echo_target, **limits)
    assert await _trickle(await dial(server), first, drop) == 408
    assert (await (await dial(server)).ask(get("/"))).status == 200


async def test_a_body_that_keeps_up_is_read_however_long_it_takes(serve: Serve, dial: Dial) -> None:
    server = await serve(lambda it: it.respond(200, b"%d" % len(it.body)), stall_timeout_s=1.0, min_body_bytes_per_s=1.0)
    wire = await dial(server)
    size, enough = 0, time.monotonic() + 1.5
    await wire.send(CHUNKED)
    while time.monotonic() < enough:
        await wire.send(b"a\r\n0123456789\r\n")
        size += 10
        await asyncio.sleep(0)
    assert (await wire.ask(b"0\r\n\r\n")).body == b"%d" % size


async def test_a_request_that_began_while_another_ran_gets_its_whole_time(serve: Serve, dial: Dial) -> None:
    waiting: asyncio.Queue[Exchange] = asyncio.Queue()
    server = await serve(waiting.put_nowait, head_timeout_s=0.2, stall_timeout_s=0.2)
    wire = await dial(server)
    await wire.send(get("/first") + b"GET /second HTTP/1.1\r\n")
    first = await waiting.get()
    await until(lambda begun=server.now: server.now > begun + 0.4, "both time limits to pass")
    first.respond(200, b"1")
    assert (await wire.reply()).body == b"1"
    await wire.send(b"\r\n")
    (await waiting.get()).respond(200, b"2")
    assert (await wire.reply()).body == b"2"


async def test_a_chunk_extension_without_end_is_refused(serve: Serve, dial: Dial) -> None:
    server = await serve(echo_target)
    wire = await dial(server)
    await wire.send(CHUNKED + b"1;")
    for _ in range(60):
        await wire.send(b"x" * 10_000)
    assert (await wire.reply()).status == 431
    assert (await (await dial(server)).ask(get("/"))).status == 200


async def test_a_flood_of_pipelined_requests_waits_unread(serve: Serve, dial: Dial) -> None:
    waiting: list[Exchange] = []
    server = await serve(waiting.append)
    wire = await dial(server)
    flood = asyncio.ensure_future(wire.send(post("/", b"x" * 1000) * 50_000))
    other = await dial(server)
    await other.send(get("/other"))
    await until(lambda: len(waiting) == 2, "both clients' first requests")
    assert server.held_bytes < 1_000_000
    assert not flood.done()
    next(it for it in waiting if it.path == "/other").respond(200, b"served")
    assert (await other.reply()).body == b"served"
    flood.cancel()
    wire.writer.transport.abort()  # or closing would wait until all is sent


async def test_many_offers_to_upgrade_are_passed_over_and_what_follows_is_refused(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo_target))
    offer = get("/offer", "connection: upgrade", "upgrade: h2c")
    await wire.send(offer * 1500 + b"GET / HTTP/0.9\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n")
    assert [(await wire.reply()).body for _ in range(1500)] == [b"/offer"] * 1500
    assert (await wire.reply()).status == 400


async def test_a_flood_of_connections_leaves_room_for_the_next(serve: Serve, dial: Dial) -> None:
    server = await serve(echo_target, max_connections=20)
    wires = [await dial(server) for _ in range(40)]
    for wire in wires[20:]:
        assert (await wire.reply()).status == 503
    for wire in wires:
        await wire.close()
    await until(lambda: server.connections == 0, "all to have left")
    assert (await (await dial(server)).ask(get("/"))).status == 200
