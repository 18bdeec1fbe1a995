"""HTTP over TLS: the same server, a certificate that can be renewed, and clients that do not come through."""

import asyncio
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from contracts.errors import SettingInvalid
from serving.http import Application, Exchange, Limits, Server, listen
from serving.tls import Tls
from tests.certificates import Files, issue, trusting
from tests.gateway.waiting import until
from tests.serving.wire import PATIENCE_S, Wire, get, post

Serve = Callable[..., Awaitable[Server]]
Dial = Callable[..., Awaitable[Wire]]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return issue(tmp_path)


@pytest.fixture
def tls(files: Files) -> Tls:
    return Tls(*files)


@pytest.fixture
async def serve(tls: Tls) -> AsyncGenerator[Serve]:
    """As in the tests of plain HTTP."""
    servers: list[Server] = []

    async def start(application: Application, **limits: float) -> Server:
        servers.append(await listen(application, Limits(**limits), tls=tls.context))  # type: ignore[arg-type]
        return servers[-1]

    yield start
    for server in servers:
        await server.drain(1.0)


@pytest.fixture
async def dial() -> AsyncGenerator[Dial]:
    """As in the tests of plain HTTP."""
    wires: list[Wire] = []

    async def open_wire(server: Server, context: ssl.SSLContext | None = None) -> Wire:
        async with asyncio.timeout(PATIENCE_S):
            streams = await asyncio.open_connection("127.0.0.1", server.port, ssl=context or trusting())
        wires.append(Wire(*streams))
        return wires[-1]

    yield open_wire
    for wire in wires:
        wire.writer.transport.abort()


def echo(exchange: Exchange) -> None:
    exchange.respond(200, bytes(exchange.body))


def certificate_of(wire: Wire) -> bytes:
    """What the server showed."""
    return wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)


async def test_requests_are_answered_one_after_the_other(serve: Serve, dial: Dial) -> None:
    context = trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    wire = await dial(await serve(echo), context)
    assert wire.writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
    for body in (b"one", b"two", b"three" * 100_000):
        for _ in range(2):
            assert (await wire.ask(post("/", body))).body == body
            assert (await wire.ask(post("/", body, "Inference-Header-Content-Length: 3"))).body == body
    await wire.send(b"".join(post("/", b"%d" % it) for it in range(1000)))
    assert [(await wire.reply()).body for _ in range(1000)] == [b"%d" % it for it in range(1000)]


async def test_tls_1_1_is_refused(serve: Serve, dial: Dial) -> None:
    old = trusting()
    with pytest.deprecated_call():
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    server = await serve(echo)
    with pytest.raises((ssl.SSLError, ConnectionError)):  # an alert, or a reset right behind it
        await dial(server, old)
    recent = trusting()
    recent.maximum_version = ssl.TLSVersion.TLSv1_2
    assert (await (await dial(server, recent)).ask(get("/"))).status == 200


async def test_a_large_answer_arrives_whole_at_a_slow_reader(serve: Serve, dial: Dial) -> None:
    answer = bytes(range(256)) * 40_000

    def send_it(exchange: Exchange) -> None:
        exchange.respond(200, (answer, memoryview(answer)))

    wire = await dial(await serve(send_it))
    assert (await wire.ask(get("/"))).body == answer * 2


async def test_a_client_that_sends_on_after_its_refusal_still_reads_why(serve: Serve, dial: Dial) -> None:
    wire = await dial(await serve(echo, max_body_bytes=10))
    sending = asyncio.ensure_future(wire.send(post("/", b"x" * 4_000_000)))
    assert (await wire.reply()).status == 413
    sending.cancel()


async def test_a_refusal_is_followed_by_the_end(serve: Serve, dial: Dial) -> None:
    server = await serve(echo, linger_timeout_s=0.2)
    wire = await dial(server)
    reply = await wire.ask(b"nonsense\r\n\r\n")
    assert (reply.status, reply.headers["connection"]) == (400, "close")
    assert await wire.is_closed()
    await until(lambda: server.connections == 0, "the server to let go of it")


async def test_draining_answers_what_has_begun_and_closes_what_is_idle(serve: Serve, dial: Dial) -> None:
    waiting: asyncio.Queue[Exchange] = asyncio.Queue()
    server = await serve(waiting.put_nowait)
    idle, busy = await dial(server), await dial(server)
    await busy.send(get("/"))
    exchange = await waiting.get()
    await until(lambda: server.connections == 2, "both")
    draining = asyncio.create_task(server.drain(PATIENCE_S))
    assert await idle.is_closed()
    exchange.respond(200, b"done")
    assert (await busy.reply()).headers["connection"] == "close"
    await asyncio.wait_for(draining, PATIENCE_S)


async def test_an_exchange_knows_that_its_client_left(serve: Serve, dial: Dial) -> None:
    waiting: asyncio.Queue[Exchange] = asyncio.Queue()
    server = await serve(waiting.put_nowait)
    for leave in ("close", "abort"):
        wire = await dial(server)
        await wire.send(get("/"))
        exchange = await waiting.get()
        getattr(wire.writer.transport, leave)()
        await _gone(exchange)
        exchange.respond(200, b"nobody reads this")


async def _gone(exchange: Exchange) -> None:
    await until(lambda: exchange.is_gone, "the client to be gone")


@pytest.mark.parametrize("greeting", [get("/"), b"\x16\x03\x01\x00\x05hello", b"\x00" * 1000])
async def test_what_is_not_tls_is_closed(serve: Serve, dial: Dial, greeting: bytes) -> None:
    server = await serve(echo)
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        plain.sendall(greeting)
        plain.setblocking(False)
        async with asyncio.timeout(PATIENCE_S):
            while await asyncio.get_running_loop().sock_recv(plain, 1000):
                pass  # an alert, perhaps
    assert (await (await dial(server)).ask(get("/"))).status == 200


async def test_clients_that_never_shake_hands_are_bounded_and_given_up(serve: Serve, dial: Dial) -> None:
    server = await serve(echo, max_connections=3, head_timeout_s=1.0)
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
    ends = [asyncio.ensure_future(_ended(it)) for it in silent]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        assert [it.done() for it in ends] == [False, False, False, True]
        await asyncio.gather(*ends)
    assert (await (await dial(server)).ask(get("/"))).status == 200


async def _ended(client: socket.socket) -> None:
    with client:
        client.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(client, 1) == b""


async def test_a_renewed_certificate_is_shown_to_new_clients(serve: Serve, dial: Dial, tls: Tls, files: Files) -> None:
    server = await serve(echo)
    before = await dial(server)
    assert not await tls.renew()
    issue(files.certificate.parent)
    assert await tls.renew()
    after = await dial(server)
    assert certificate_of(before) != certificate_of(after)
    assert [(await it.ask(get("/"))).status for it in (before, after)] == [200, 200]
    assert not await tls.renew()


async def test_a_renewal_that_will_not_do_leaves_the_old_one(
    serve: Serve, dial: Dial, tls: Tls, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(echo)
    shown = certificate_of(await dial(server))
    good = files.certificate.read_bytes()
    for damaged in (b"", b"nonsense", good[: len(good) // 4]):
        files.certificate.write_bytes(damaged)
        assert not await tls.renew()
        assert certificate_of(await dial(server)) == shown
    files.key.unlink()
    assert not await tls.renew()
    assert certificate_of(await dial(server)) == shown
    assert "the old one goes on" in caplog.text
    issue(files.certificate.parent)
    assert await tls.renew()


def test_files_that_will_not_do_are_named(files: Files, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = issue(other)
    encrypted, nothing = tmp_path / "encrypted.pem", tmp_path / "nothing.pem"
    command = ["openssl", "pkey", "-in", str(files.key), "-aes256", "-passout", "pass:secret", "-out", str(encrypted)]
    subprocess.run(command, check=True)
    for certificate, key, reason in (
        (files.certificate, stranger.key, "the key is not the certificate's"),
        (files.certificate, encrypted, "encrypted with a password"),
        (files.key, files.certificate, "not PEM"),
        (files.certificate, nothing, r"nothing\.pem cannot be read: No such file"),
        (tmp_path, files.key, "cannot be read: Is a directory"),
        ("", files.key, "HEADRACE_TLS_CERTIFICATE is not set"),
        (files.certificate, "", "HEADRACE_TLS_KEY is not set"),
    ):
        with pytest.raises(SettingInvalid, match=reason):
            Tls.from_settings(str(certificate), str(key))
    assert Tls.from_settings("", "") is None


async def test_an_idle_connection_and_one_that_trickles_are_closed(serve: Serve, dial: Dial) -> None:
    server = await serve(echo, idle_timeout_s=0.1, head_timeout_s=0.1, linger_timeout_s=0.1)
    idle = await dial(server)
    assert (await idle.ask(get("/"))).status == 200
    assert await idle.is_closed()
    started = time.monotonic()
    trickling = await dial(server)
    assert (await trickling.ask(b"GET / HTTP/1.1\r\n")).status == 408
    assert time.monotonic() - started < PATIENCE_S
