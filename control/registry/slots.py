"""Room for looking into uploaded files: each takes a process with much memory, so only a few are looked into at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from control.registry.errors import UploadsBusy

AT_ONCE: Final = 2
MAX_WAITING: Final = 16


class Slots:
    """`AT_ONCE` of them; whoever finds none waits, and whoever finds `MAX_WAITING` others is refused."""

    def __init__(self) -> None:
        self.waiting = 0
        self._free = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def take(self) -> AsyncGenerator[None]:
        """One of them for as long as the block runs. Raises UploadsBusy."""
        if self.waiting >= MAX_WAITING:
            raise UploadsBusy(f"{MAX_WAITING} uploaded files wait to be looked into; try again", retry_after_s=10)
        self.waiting += 1
        try:
            async with self._free:
                yield
        finally:
            self.waiting -= 1
