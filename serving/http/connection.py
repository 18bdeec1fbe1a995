"""One client's connection: bytes to exchanges and answers to bytes.

Requests are handed to the application one at a time, in order; what a client pipelines beyond that waits, and meanwhile nothing
more is read from it. A connection that must be closed with a message is half-closed and listened to for a moment: closing it
with bytes unread would make the kernel reset it, and the client might never see why.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final, cast

import httptools

from serving.buffers import Buffer
from serving.http.exchange import JSON, LARGE, Exchange, Head, error_body
from serving.http.large_body import LargeBody

if TYPE_CHECKING:
    from serving.http.server import Server

logger = logging.getLogger(__name__)

BINARY: Final = b"inference-header-content-length"
"""With this header, behind so many bytes of the body lie tensors as they are in memory."""
KEPT_HEADERS: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"authorization",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        BINARY,
        b"traceparent",
        b"transfer-encoding",
        b"x-headrace-timing",
    }
)
CLOSE: Final = b"connection: close\r\n"
END_OF_HEAD: Final = b"\r\n\r\n"
UNUSUAL_HEADERS: Final = frozenset({b"expect", b"transfer-encoding"})
"""A request with one of these is more than its head and as many bytes as announced."""
MAX_LENGTH_DIGITS: Final = 20
"""Of a Content-Length; the parser takes any number of leading zeros, which Python's `int` does not."""
HEADER_OVERHEAD: Final = 32
"""What a header is counted for beyond its bytes, so that many empty ones add up too."""


class Refused(Exception):
    """The request cannot be read to its end; the connection is told why and closed."""

    def __init__(self, status: int, error: str, headers: bytes = b"") -> None:
        super().__init__(error)
        self.status, self.headers = status, headers


class Stage(IntEnum):
    """How much of the next request has arrived."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class Connection(asyncio.Protocol):
    """Made by the server for each client."""

    __slots__ = (
        "_body",
        "_current",
        "_ending_since",
        "_fed_bytes",
        "_head_bytes",
        "_headers",
        "_heard_at",
        "_held",
        "_is_advancing",
        "_is_ending",
        "_is_replaying",
        "_large",
        "_opening",
        "_owes_continue",
        "_parser",
        "_read_at",
        "_refusal",
        "_server",
        "_stage",
        "_stage_at",
        "_stuck_bytes",
        "_stuck_since",
        "_target",
        "_transport",
        "_unsent",
        "_waiting",
        "memo",
    )

    def __init__(self, server: "Server") -> None:
        self.memo: object = None
        """Whatever the application wants to remember of this connection."""
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._current: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._refusal: Refused | None = None
        self._is_advancing = self._is_ending = self._is_replaying = self._owes_continue = False
        self._ending_since = self._read_at = self._stuck_since = 0.0
        self._heard_at = self._stage_at = server.now
        self._stage = Stage.NOTHING
        self._large: LargeBody | None = None
        self._held = 0
        self._target, self._body = b"", cast("bytes | bytearray", b"")
        self._head_bytes, self._headers = 0, dict[bytes, bytes]()
        self._fed_bytes: int | None = None
        """Bytes fed after those in which the head began or some of the body was; None if some of it just was."""
        self._unsent = self._stuck_bytes = 0
        """Bytes the client has not read: at the last sweep, and when it got stuck."""
        self._opening = b""
        """The bytes in which the current request began, if it began with them."""

    # -- what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._server.admit(self):
            self._refuse(Refused(503, "too many connections; try again", b"retry-after: 1\r\n"))

    def connection_lost(self, exc: Exception | None) -> None:
        for exchange in (self._current, *self._waiting):
            if exchange is not None:
                exchange.is_gone = True
        self._waiting.clear()
        self._server.held_bytes -= self._held
        self._held = 0
        self._is_ending = True
        self._server.forget(self)

    def eof_received(self) -> None:
        """A client that closes its side has left: the transport closes ours."""

    def pause_writing(self) -> None:
        self._stuck_since = self._read_at = self._server.now
        self._unsent = self._stuck_bytes = self._transport.get_write_buffer_size()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._stuck_since = 0.0
        self._ending_since = self._server.now
        self._advance()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._server.now
        if self._is_ending or self._refusal:
            return
        if self._stage is Stage.NOTHING and self._current is None and not self._waiting:
            end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
            head = self._server.heads.get(data[:end])
            if head is not None and head.content_length == len(data) - end:  # a whole request: the parser need not see it
                try:
                    self._hold(head.content_length)
                except Refused as refused:
                    self._refuse(refused)
                else:
                    self._begin(Exchange(self, head, data[end:], time.monotonic_ns()))
                return
            self._opening = data
        read = self._feed(data)
        while self._is_replaying:
            self._replay(self._parser.get_method())
            read += self._feed(memoryview(data)[read:])
        if self._stage is Stage.BODY and BINARY in self._headers and not self._is_ending and not self._refusal:
            self._read_directly()

    # -- what the parser tells

    def on_message_begin(self) -> None:
        self._stage, self._stage_at = Stage.HEAD, self._server.now
        self._target = self._body = b""
        self._head_bytes, self._fed_bytes, self._headers = 0, None, {}

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + HEADER_OVERHEAD
        name = name.lower()
        if name in KEPT_HEADERS and self._stage is Stage.HEAD:  # trailers are not headers
            headers = self._headers
            headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        self._check_head(self._head_bytes)
        self._stage = Stage.BODY
        headers, version = self._headers, self._parser.get_http_version()
        if version != "1.1":
            self._check_version(version, headers)
        if self._parser.should_upgrade():
            self._is_replaying = True
            return
        if b"transfer-encoding" in headers or b"expect" in headers:
            self._check_framing(headers)
        if b"content-length" in headers and _announced(headers) > self._server.limits.max_body_bytes:
            raise self._too_large()

    def on_body(self, chunk: bytes) -> None:
        if len(self._body) + len(chunk) > self._server.limits.max_body_bytes:
            raise self._too_large()
        self._hold(len(chunk))
        self._fed_bytes = None
        if not self._body:
            self._body = chunk
            return
        if isinstance(self._body, bytes):
            self._body = bytearray(self._body)
        self._body += chunk

    def on_message_complete(self) -> None:
        if self._is_replaying:
            return
        self._check_head(self._head_bytes)  # trailers count as well
        self._stage = Stage.NOTHING
        head = self._head()
        if self._opening:
            self._learn(head)
        body, self._body = self._body, b""
        self._take(Exchange(self, head, body, time.monotonic_ns()))

    # -- what a large body tells

    def large_body_grew(self, size: int) -> None:
        self._heard_at = self._server.now
        large = self._large
        if large is None:
            return
        try:
            self._hold(size)
        except Refused as refused:
            self._refuse(refused)
        if self._is_ending or self._refusal:
            self._leave_large_body()
        elif large.received == len(large.content):
            self._leave_large_body()
            head = self._head()
            self._stage, self._parser = Stage.NOTHING, httptools.HttpRequestParser(self)
            self._take(Exchange(self, head, large.content, time.monotonic_ns()))

    # -- what exchanges and the server ask for

    @property
    def address(self) -> str:
        """The client's IP address; empty on a socket without one."""
        peer = self._transport.get_extra_info("peername")
        return peer[0] if isinstance(peer, tuple) else ""

    def send(self, exchange: Exchange, status: int, body: bytes | Sequence[Buffer], content_type: bytes, headers: bytes) -> None:
        """Write the answer of the current exchange, and go on with the next."""
        if self._is_ending:
            return
        head, server = exchange.head, self._server
        keeps_alive = head.keeps_alive and not (server.is_draining and not self._waiting)
        headers += exchange.extra_headers + (head.connection_line if keeps_alive else CLOSE)
        if type(body) is bytes and len(body) < LARGE and not head.is_head:  # as `_write` does, in fewer steps
            prefix = server.prefixes.get((status, content_type)) or server.prefix(status, content_type)
            self._transport.write(b"%scontent-length: %d\r\n%s\r\n%s" % (prefix, len(body), headers, body))
        else:
            self._write(status, body, content_type, headers, is_head=head.is_head)
        self._finish(exchange, keeps_alive)

    def hold_instead(self, exchange: Exchange, body: Buffer) -> bool:
        """Keep `body` for `exchange` in place of its own; False if all bodies would be too large together."""
        more = len(body) - len(exchange.body)
        if self._server.held_bytes + more > self._server.limits.max_held_bytes:
            return False
        exchange.body = body
        self._held += more
        self._server.held_bytes += more
        return True

    def end(self, unheard_since: float) -> None:
        """Close as soon as what has begun is answered; at once if nothing has, and nothing was heard since then."""
        is_idle = self._current is None and not self._waiting and self._stage is Stage.NOTHING
        if is_idle and self._heard_at < unheard_since:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, whatever is unsent."""
        self._transport.abort()

    def sweep(self, now: float) -> None:
        """Close what has taken too long."""
        limits = self._server.limits
        if self._stuck_since:
            if self._reads_too_slowly(now):
                self._transport.abort()
        elif self._is_ending:
            if now - self._ending_since > limits.linger_timeout_s:
                self._transport.abort()
        elif self._current is not None or self._waiting:
            return
        elif self._stage is Stage.HEAD:
            if now - self._stage_at > limits.head_timeout_s:
                self._refuse(Refused(408, f"the request's headers took longer than {limits.head_timeout_s:g} s"))
        elif self._stage is Stage.BODY:
            if now - self._heard_at > limits.stall_timeout_s:
                self._refuse(Refused(408, f"no more of the body came for {limits.stall_timeout_s:g} s"))
            elif now - self._stage_at > limits.stall_timeout_s + self._received() / limits.min_body_bytes_per_s:
                self._refuse(Refused(408, f"the body comes slower than {limits.min_body_bytes_per_s:g} bytes a second"))
        elif now - self._heard_at > limits.idle_timeout_s:
            self._transport.close()

    # -- how it is done

    def _feed(self, data: Buffer) -> int:
        """Have the parser read `data`; how much of it was read, which ends where an upgrade was offered."""
        if self._is_ending or self._refusal:
            return len(data)
        try:
            self._parser.feed_data(data)
            if self._stage is not Stage.NOTHING:  # a header is counted when it is complete, which it may never be
                self._fed_bytes = 0 if self._fed_bytes is None else self._fed_bytes + len(data)
                self._check_head(self._fed_bytes)
        except httptools.HttpParserUpgrade as upgrade:
            return upgrade.args[0]
        except httptools.HttpParserCallbackError as error:
            self._refuse(error.__context__)
        except httptools.HttpParserError as error:
            self._refuse(Refused(400, f"malformed request: {error}"))
        except Refused as refused:
            self._refuse(refused)
        return len(data)

    def _read_directly(self) -> None:
        """Let the rest of the body past the parser, if it is large."""
        length, header_length = _announced(self._headers), self._headers[BINARY]
        if length - len(self._body) < self._server.limits.large_body_bytes:
            return
        aligned_at = int(header_length) if header_length.isdigit() and len(header_length) <= MAX_LENGTH_DIGITS else 0
        large = self._large = LargeBody(self, length, aligned_at)
        large.take(self._body)
        self._body = self._opening = b""
        self._let_read(large)

    def _leave_large_body(self) -> None:
        self._large = None
        self._let_read(self)

    def _let_read(self, protocol: asyncio.BaseProtocol) -> None:
        """Have `protocol` told what comes in; how the transport reads is decided when it begins to."""
        is_reading = self._transport.is_reading()
        if is_reading:
            self._transport.pause_reading()
        self._transport.set_protocol(protocol)
        if is_reading:
            self._transport.resume_reading()

    def _head(self) -> Head:
        """Of the request that the parser is at."""
        return Head(self._parser.get_method(), self._target, self._headers, self._parser.should_keep_alive())

    def _take(self, exchange: Exchange) -> None:
        if self._current is None and not self._waiting:
            self._begin(exchange)
        else:
            self._waiting.append(exchange)
            self._transport.pause_reading()

    def _learn(self, head: Head) -> None:
        """Remember `head` by its bytes, if the request was those, an empty line, and as much body as announced."""
        opening, body = self._opening, self._body
        self._opening = b""
        begin = opening.find(END_OF_HEAD)
        if begin < 0:  # it came in pieces: to know it by the first would be to take any request for it that begins alike
            return
        end = begin + len(END_OF_HEAD)
        is_plain = head.keeps_alive and head.headers.keys().isdisjoint(UNUSUAL_HEADERS)
        if is_plain and _announced(head.headers) == len(body) and opening[end:] == body:
            head.content_length = len(body)
            self._server.learn(opening[:end], head)

    def _begin(self, exchange: Exchange) -> None:
        self._current = exchange
        try:
            self._server.application(exchange)
        except Exception:
            logger.exception("answering %s failed", exchange.target)
            if not exchange.is_answered:
                exchange.refuse(500, "internal error")

    def _finish(self, exchange: Exchange, keeps_alive: bool) -> None:
        self._current = None
        self._heard_at = self._stage_at = self._server.now  # the next request's time begins now, if it has begun already
        if exchange.body:
            self._held -= len(exchange.body)
            self._server.held_bytes -= len(exchange.body)
        if not keeps_alive:
            self._end_gently()
        elif self._waiting or self._refusal or self._owes_continue:
            self._advance()

    def _advance(self) -> None:
        """Go on with what waits, as long as the client reads its answers."""
        if self._is_advancing:
            return
        self._is_advancing = True
        while self._waiting and self._current is None and not self._stuck_since and not self._is_ending:
            self._begin(self._waiting.popleft())
        self._is_advancing = False
        if self._current is not None or self._waiting or self._stuck_since or self._is_ending:
            return
        if self._refusal:
            self._refuse(self._refusal)
        elif self._owes_continue:
            self._continue()
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _received(self) -> int:
        """How much of the next request's body has come."""
        return len(self._body) if self._large is None else self._large.received

    def _reads_too_slowly(self, now: float) -> bool:
        """Whether the client has read nothing of the answer for too long, or too little since it got stuck."""
        limits = self._server.limits
        unsent = self._transport.get_write_buffer_size()
        if unsent != self._unsent:
            self._unsent, self._read_at = unsent, now
        patience_s = limits.stall_timeout_s + (self._stuck_bytes - unsent) / limits.min_body_bytes_per_s
        return now - self._read_at > limits.stall_timeout_s or now - self._stuck_since > patience_s

    def _check_version(self, version: str, headers: dict[bytes, bytes]) -> None:
        """Refuse what the parser takes and we do not: HTTP/0.9 and 2.0, and chunks before there were any (RFC 9112, 6.1)."""
        if version != "1.0":
            raise Refused(400, f"HTTP/{version} is not served here; use HTTP/1.1")
        if b"transfer-encoding" in headers:
            raise Refused(400, "HTTP/1.0 has no transfer codings")

    def _check_framing(self, headers: dict[bytes, bytes]) -> None:
        """Refuse codings of the body we do not know, and answer `Expect`. (httptools refuses ambiguous lengths.)"""
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise Refused(400, "the only transfer coding served is chunked")
        expected = headers.get(b"expect")
        if expected is None:
            return
        if expected.lower() != b"100-continue":
            raise Refused(417, "the only expectation met is 100-continue")
        if _announced(headers) <= self._server.limits.max_body_bytes:
            self._owes_continue = True
            if self._current is None and not self._waiting:
                self._continue()

    def _continue(self) -> None:
        self._owes_continue = False
        if self._stage is Stage.BODY:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _check_head(self, size: int) -> None:
        if size > self._server.limits.max_head_bytes:
            raise Refused(431, f"request line and headers are larger than {self._server.limits.max_head_bytes} bytes")

    def _hold(self, size: int) -> None:
        self._held += size
        self._server.held_bytes += size
        if self._server.held_bytes > self._server.limits.max_held_bytes:
            raise Refused(503, "too many large requests at once; try again", b"retry-after: 1\r\n")

    def _too_large(self) -> Refused:
        return Refused(413, f"the body is larger than {self._server.limits.max_body_bytes} bytes")

    def _replay(self, method: bytes) -> None:
        """Read the head of a request that offers an upgrade again, without its offer.

        The parser takes what follows such a head for another protocol, body and all; but Java's HTTP client offers h2c with
        every first request, and a server may pass an offer over.
        """
        self._is_replaying = False
        if method == b"CONNECT":
            self._refuse(Refused(405, "this is not a proxy"))
            return
        headers = {name: value for name, value in self._headers.items() if name != b"connection"}
        if b"close" in self._headers.get(b"connection", b"").lower():
            headers[b"connection"] = b"close"
        lines = b"".join([b"%s: %s\r\n" % it for it in headers.items()])
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"%s %s HTTP/1.1\r\n%s\r\n" % (method, self._target, lines))

    def _refuse(self, reason: BaseException | None) -> None:
        """Tell the client why, after its earlier requests are answered, and close."""
        if not isinstance(reason, Refused):
            logger.error("reading a request failed", exc_info=reason)
            reason = Refused(500, "internal error")
        self._refusal = reason
        if self._current is None and not self._waiting and not self._is_ending:
            headers = reason.headers + CLOSE
            self._write(reason.status, error_body(str(reason)), JSON, headers)
            self._end_gently()

    def _end_gently(self) -> None:
        self._is_ending, self._ending_since = True, self._server.now
        self._waiting.clear()
        if self._server.is_draining or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.resume_reading()

    def _write(
        self, status: int, body: bytes | Sequence[Buffer], content_type: bytes, headers: bytes, *, is_head: bool = False
    ) -> None:
        prefix = self._server.prefix(status, content_type)
        pieces = (body,) if isinstance(body, bytes) else body
        length = sum([len(it) for it in pieces])
        head = b"%scontent-length: %d\r\n%s\r\n" % (prefix, length, headers)
        if is_head:
            self._transport.write(head)
        elif length < LARGE:
            self._transport.write(b"".join((head, *pieces)))
        else:
            self._transport.writelines((head, *pieces))


def _announced(headers: dict[bytes, bytes]) -> int:
    """The length of the body, 0 where it is not announced. Raises Refused."""
    length = headers.get(b"content-length", b"0")
    if len(length) > MAX_LENGTH_DIGITS:
        raise Refused(400, "content-length has too many digits")
    return int(length)
