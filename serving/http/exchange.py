"""One request and its answer."""

import http
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

import orjson
from msgspec import Struct

from serving.buffers import Buffer

if TYPE_CHECKING:
    from serving.http.connection import Connection

JSON: Final = b"application/json"
OCTETS: Final = b"application/octet-stream"
PLAIN: Final = b"text/plain; charset=utf-8"

STATUS_LINES: Final = {it.value: f"HTTP/1.1 {it.value} {it.phrase}\r\n".encode() for it in http.HTTPStatus}

LARGE: Final = 64 * 1024
"""From this size on, head and body are handed over apart rather than copied into one."""


class Head:
    """Request line and headers. Requests to one server that begin with the same bytes share one."""

    __slots__ = ("connection_line", "content_length", "headers", "is_head", "keeps_alive", "memo", "method", "path", "target")

    def __init__(self, method: bytes, target: bytes, headers: dict[bytes, bytes], keeps_alive: bool) -> None:
        self.method = method
        self.target = target
        """Path and query as they were sent."""
        self.headers = headers
        """Those of `connection.KEPT_HEADERS` that were sent, by lower-case name; a repeated one is joined by commas."""
        self.is_head = method == b"HEAD"
        self.keeps_alive = keeps_alive
        says_so = b"keep-alive" in headers.get(b"connection", b"").lower()
        self.connection_line = b"connection: keep-alive\r\n" if says_so else b""  # an HTTP/1.0 client must be told
        """What the answer says of the connection if it stays open."""
        self.path = _decoded(target)
        """The decoded path; bytes that are not UTF-8 come as U+FFFD."""
        self.content_length = 0
        self.memo: Any = None
        """The application's: what it found out from this head, and wants to find here again."""


class Exchange(Struct, eq=False):
    """A complete request. The application answers it once, on the loop's thread, now or later.

    Requests of one connection come one by one.
    """

    connection: "Connection"
    head: Head
    body: Buffer
    """A memoryview only if a header says that tensors lie in it."""
    arrived_ns: int
    """When the request was complete, by `time.monotonic_ns`."""
    extra_headers: bytes = b""
    """Whole header lines, each with its line end, that the answer carries whatever it is."""
    is_answered: bool = False
    is_gone: bool = False
    """Whether the client left before its answer."""

    @property
    def method(self) -> bytes:
        return self.head.method

    @property
    def target(self) -> bytes:
        """Path and query as they were sent."""
        return self.head.target

    @property
    def headers(self) -> dict[bytes, bytes]:
        """As `Head.headers`."""
        return self.head.headers

    @property
    def path(self) -> str:
        """As `Head.path`."""
        return self.head.path

    @property
    def query(self) -> bytes:
        """What follows the question mark, as it was sent."""
        return self.target.partition(b"?")[2]

    @property
    def address(self) -> str:
        """The IP address at the other end of the connection; empty if it has none."""
        return self.connection.address

    def respond(
        self, status: int, body: bytes | Sequence[Buffer] = b"", content_type: bytes = JSON, headers: bytes = b""
    ) -> None:
        """Answer; a client that left is passed over.

        `body` may come in pieces; `headers` are whole lines, each with its line end. Raises RuntimeError if answered already.
        """
        if self.is_answered:
            raise RuntimeError("the request has been answered already")
        self.is_answered = True
        if not self.is_gone:
            self.connection.send(self, status, body, content_type, headers)

    def hold_instead(self, body: Buffer) -> bool:
        """Keep `body`, made of the one that was sent, in its place; False if the server holds too much for that.

        Not for a client that left.
        """
        return self.connection.hold_instead(self, body)

    def refuse(self, status: int, error: str, headers: bytes = b"") -> None:
        """Answer `{"error": error}`."""
        self.respond(status, error_body(error), JSON, headers)


def error_body(error: str) -> bytes:
    """The protocol's error object; what cannot be UTF-8 in `error` is replaced."""
    return orjson.dumps({"error": error.encode(errors="replace").decode()})


def _decoded(target: bytes) -> str:
    if target.startswith(b"/") and b"%" not in target and b"?" not in target:
        return target.decode("latin-1")  # it is ASCII: httptools takes nothing else
    return unquote_to_bytes(_raw_path(target)).decode(errors="replace")


def _raw_path(target: bytes) -> bytes:
    """The path as it was sent: without query, and without scheme and host should the client have sent those."""
    path = target.partition(b"?")[0]
    return path if path.startswith(b"/") else b"/" + path.partition(b"://")[2].partition(b"/")[2]
