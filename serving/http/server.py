"""The listening side: accepts connections, keeps their times by one sweep, and drains them at the end."""

import asyncio
import contextlib
import math
import socket
import ssl
from collections.abc import Callable
from email.utils import formatdate
from typing import Final

from serving.http.connection import Connection
from serving.http.exchange import STATUS_LINES, Exchange, Head
from serving.http.handshakes import Handshakes
from serving.http.limits import Limits

Application = Callable[[Exchange], None]
"""Called on the loop's thread with each complete request; must not block."""

BACKLOG: Final = 2048
IN_USE_S: Final = 2.0
"""A connection heard of within this time is in use; the time is kept by the sweep, so half of it is sure."""
SETTLE_S: Final = 1.0
"""How long a drain waits for the TLS handshakes under way."""
MAX_KNOWN_HEADS: Final = 4096
MAX_KNOWN_HEAD: Final = 2048
"""Bytes; with the number of them this bounds what clients can make the server remember."""


class Server:
    """Serves `application` on the sockets it was started on, until drained."""

    def __init__(self, application: Application, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        self.application, self.limits, self._tls = application, limits, tls
        self.is_draining = False
        self.held_bytes = 0
        """Bytes of all bodies not yet answered."""
        self.now = 0.0
        """The loop's time at the last sweep: good enough for timeouts, and free."""
        self.heads: dict[bytes, Head] = {}
        """Heads that were parsed before, by their bytes."""
        self.prefixes: dict[tuple[int, bytes], bytes] = {}
        self._connections: set[Connection] = set()
        self._listener: asyncio.Server | Handshakes
        self._emptied = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        shortest = min(limits.head_timeout_s, limits.stall_timeout_s, limits.idle_timeout_s, limits.linger_timeout_s)
        self._interval_s = min(1.0, shortest / 4)
        self._sweep()

    async def start(self, bound: socket.socket) -> None:
        """Begin to accept on `bound`."""
        bound.setblocking(False)  # for all processes that have it: a blocking copy would make theirs blocking too
        self._bound = bound.dup()
        if self._tls is None:
            self._listener = await self._loop.create_server(lambda: Connection(self), sock=bound, backlog=BACKLOG)
            return
        bound.listen(BACKLOG)
        self._listener = Handshakes(bound, self._tls, lambda: Connection(self), self._room, self.limits)

    @property
    def port(self) -> int:
        """The TCP port; useful where 0 was asked for."""
        return self._listener.sockets[0].getsockname()[1]

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def drain(self, timeout_s: float, farewell_s: float = 0.0, *, is_handed_on: bool = False) -> None:
        """Accept no more, answer what has begun, and close; after `timeout_s` close without answering.

        If the listening socket `is_handed_on` to a process that has it too, connections go on to be made there.

        A connection that is in use may be sending its next request at this moment, which would be lost if it was closed: for
        `farewell_s` it is told so with its next answer instead.
        """
        self.is_draining = True
        self._listener.close()
        await self._accept_rest()
        with self._bound, contextlib.suppress(OSError):
            if not is_handed_on:  # closing would not do: whoever has it too would leave the kernel taking clients in
                self._bound.shutdown(socket.SHUT_RDWR)
        await asyncio.sleep(0)  # one more turn of the loop reads the requests that have already reached us
        self._end_idle(self._loop.time() - IN_USE_S if farewell_s else math.inf)
        if farewell_s and not await self._is_empty_within(min(farewell_s, timeout_s)):
            self._end_idle(math.inf)
        await self._is_empty_within(timeout_s - farewell_s)
        for connection in list(self._connections):
            connection.abort()
        self._timer.cancel()

    def learn(self, opening: bytes, head: Head) -> None:
        """Know `head` from now on by its bytes; when there are too many the oldest is forgotten."""
        if len(opening) > MAX_KNOWN_HEAD:
            return
        if len(self.heads) >= MAX_KNOWN_HEADS:
            del self.heads[next(iter(self.heads))]
        self.heads[opening] = head

    def prefix(self, status: int, content_type: bytes) -> bytes:
        """How an answer begins: status line, date and content type, rendered once a sweep."""
        prefix = self.prefixes.get((status, content_type))
        if prefix is None:
            date = formatdate(usegmt=True).encode()
            prefix = b"%sdate: %s\r\ncontent-type: %s\r\n" % (STATUS_LINES[status], date, content_type)
            self.prefixes[status, content_type] = prefix
        return prefix

    def admit(self, connection: Connection) -> bool:
        """Take `connection` into account; False if it is one too many."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.max_connections

    def forget(self, connection: Connection) -> None:
        """Called once `connection` is closed."""
        self._connections.discard(connection)
        if not self._connections:
            self._emptied.set()

    async def _accept_rest(self) -> None:
        """Take in the connections that were made and not accepted yet: with the socket the kernel would reset them."""
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self._bound.accept()
                accepted.setblocking(False)
                if isinstance(self._listener, Handshakes):
                    self._listener.begin(accepted)
                else:
                    await self._loop.connect_accepted_socket(lambda: Connection(self), accepted)
        if isinstance(self._listener, Handshakes):
            await self._listener.settle(SETTLE_S)

    def _room(self) -> int:
        return self.limits.max_connections - len(self._connections)

    def _end_idle(self, unheard_since: float) -> None:
        for connection in list(self._connections):
            connection.end(unheard_since)

    async def _is_empty_within(self, timeout_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._connections:
                    self._emptied.clear()
                    await self._emptied.wait()
        return not self._connections

    def _sweep(self) -> None:
        self.now = self._loop.time()
        self.prefixes.clear()
        for connection in list(self._connections):
            connection.sweep(self.now)
        self._timer = self._loop.call_later(self._interval_s, self._sweep)


async def listen(
    application: Application,
    limits: Limits,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    reuse_port: bool = False,
    bound: socket.socket | None = None,
    tls: ssl.SSLContext | None = None,
) -> Server:
    """Serve `application` on `bound`, or on a new socket for `host` and `port` (0: any free one); with `tls`, over TLS.

    Raises OSError if the port is taken.
    """
    server = Server(application, limits, tls)
    await server.start(bound or _bind(host, port, reuse_port))
    return server


def _bind(host: str, port: int, reuse_port: bool) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
