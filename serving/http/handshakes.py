"""The listening side of TLS: accepts connections and brings them through their handshakes.

Not `loop.create_server`: that would begin any number of handshakes, and tell nobody of connections that are still in theirs.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final

from serving.http.limits import Limits

logger = logging.getLogger(__name__)

PAUSE_S: Final = 0.1
"""After the system had no room for one more connection."""


class Handshakes:
    """Accepts on `bound`, which listens, until closed; each client that comes through gets a protocol of `make`."""

    def __init__(
        self,
        bound: socket.socket,
        context: ssl.SSLContext,
        make: Callable[[], asyncio.Protocol],
        room: Callable[[], int],
        limits: Limits,
    ) -> None:
        """`room` gives how many connections there may still be, those in their handshakes among them."""
        self.sockets = (bound,)
        self._context, self._make, self._room, self._limits = context, make, room, limits
        self._loop = asyncio.get_running_loop()
        self._under_way: set[asyncio.Task[None]] = set()
        bound.setblocking(False)
        self._accepting = self._loop.create_task(self._accept(bound), name="accepting TLS")

    def close(self) -> None:
        """Accept no more; handshakes under way go on."""
        self._accepting.cancel()
        for it in self.sockets:
            it.close()

    async def settle(self, timeout_s: float) -> None:
        """Wait for the handshakes under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=timeout_s)

    def begin(self, accepted: socket.socket) -> None:
        """Begin the handshake of a connection, or close it if it is one too many."""
        if len(self._under_way) >= self._room():
            accepted.close()
            return
        task = self._loop.create_task(self._shake(accepted))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _accept(self, bound: socket.socket) -> None:
        while True:
            try:
                accepted, _ = await self._loop.sock_accept(bound)
            except OSError as error:
                logger.error("a connection cannot be accepted: %s", error)
                await asyncio.sleep(PAUSE_S)
                continue
            self.begin(accepted)

    async def _shake(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._make,
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.head_timeout_s,
                ssl_shutdown_timeout=self._limits.linger_timeout_s,
            )
        except OSError as error:  # ssl.SSLError and time-outs are of its kind: not TLS, or no longer there
            logger.debug("a TLS handshake failed: %s", error)
            accepted.close()
