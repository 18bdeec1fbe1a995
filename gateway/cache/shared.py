"""Answers that all gateways share through Redis. When it is away or slow there are none."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway.cache.answers import AnswerUnreadable, pack, size_of, unpack
from gateway.cache.lookups import LookUps
from gateway.cache.storing import MAX_VALUE_BYTES, Storing
from serving.tensors import Array

PREFIX: Final = b"headrace:cache:"

Found = Callable[[tuple[list[Array], float] | None], None]
"""Gets the outputs, which are read-only, and for how many seconds they are still good; or None."""


class SharedStore:
    """The answers in the Redis at `url`, while `run` runs."""

    def __init__(self, url: str) -> None:
        self.lookups, self.storing = LookUps(url), Storing(url)

    async def run(self) -> None:
        """Keep the connections until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.lookups.run())
            group.create_task(self.storing.run())

    def ask(self, key: bytes, found: Found) -> bool:
        """Look for an answer; False if that cannot be done now: then `found` is never called. It waits 5 ms at most."""
        return self.lookups.ask(PREFIX + key, lambda blob: found(_read(key, blob)))

    def put(self, key: bytes, outputs: Sequence[Array], ttl_s: float) -> None:
        """Share `outputs`, if that can be done without waiting."""
        if size_of(outputs) <= MAX_VALUE_BYTES:
            self.storing.put(PREFIX + key, pack(key, outputs, int((time.time() + ttl_s) * 1000)), ttl_s)


def _read(key: bytes, blob: bytes | None) -> tuple[list[Array], float] | None:
    if blob is None:
        return None
    try:
        outputs, end_ms = unpack(key, blob)
    except AnswerUnreadable:
        return None
    left_s = end_ms / 1000 - time.time()
    return (outputs, left_s) if left_s > 0 else None
