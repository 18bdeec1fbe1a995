"""Answers on their way into Redis: sent without waiting, on a connection where no look-up waits behind them, or not at all."""

import asyncio
import logging
from typing import Any, Final

from gateway.cache.link import Link, keep

logger = logging.getLogger(__name__)

MAX_VALUE_BYTES: Final = 256 * 1024
"""Larger answers are not shared: it takes longer to read one than most models take to run."""
MAX_UNSENT_BYTES: Final = 4 << 20
"""Of answers on their way; beyond that they are dropped."""
MAX_MEMORY_SHARE: Final = 0.3
"""Of a Redis that evicts nothing: beyond it the memory is the request log's and the routes'."""
WATCH_S: Final = 1.0


class Storing:
    """Stores in the Redis at `url`, while `run` runs."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._link: Link | None = None
        self._has_room = True
        self.stored = 0
        """Answers Redis has taken since the start."""
        self.dropped = 0
        """Answers it was not sent, or would not take."""

    @property
    def is_up(self) -> bool:
        """Whether answers are stored now."""
        return self._link is not None and self._has_room

    async def run(self) -> None:
        """Keep the connection, and an eye on Redis' memory, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(keep(self._url, "storing", self._use))
            group.create_task(self._watch_memory())

    def put(self, key: bytes, blob: bytes, ttl_s: float) -> None:
        """Store `blob` for so long, now or never."""
        link = self._link
        if link is None or not self._has_room or link.is_full or link.unsent_bytes + len(blob) > MAX_UNSENT_BYTES:
            self.dropped += 1
        else:
            link.send(self._note, "SET", key, blob, "PX", max(1, int(ttl_s * 1000)))

    def _use(self, link: Link | None) -> None:
        self._link = link

    def _note(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            self.dropped += 1
            self._has_room = False  # until it is looked at again
            logger.debug("Redis did not store an answer: %s", reply)
        else:
            self.stored += 1

    async def _watch_memory(self) -> None:
        seen = -1
        while True:
            if self._link is not None and seen != self.stored + self.dropped:
                seen = self.stored + self.dropped
                self._link.send(self._note_memory, "INFO", "memory")
            await asyncio.sleep(WATCH_S)

    def _note_memory(self, reply: Any) -> None:
        """(A Redis that forbids INFO says itself when it is full.)"""
        has_room = not isinstance(reply, bytes) or has_room_by(reply)
        if has_room != self._has_room:
            logger.warning("Redis has %s for answers of the cache", "room again" if has_room else "no more room")
        self._has_room = has_room


def has_room_by(info: bytes) -> bool:
    """Whether Redis may be given more, judging from its `INFO memory`."""
    facts = dict(it.split(":", 1) for it in info.decode(errors="replace").splitlines() if ":" in it)
    limit = int(facts.get("maxmemory", 0))
    if limit and facts.get("maxmemory_policy", "noeviction") != "noeviction":
        return True
    limit = limit or int(facts.get("total_system_memory", 0))
    return not limit or int(facts.get("used_memory", 0)) < MAX_MEMORY_SHARE * limit
