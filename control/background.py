"""Work that goes on beside the requests, for as long as the program runs."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

CANCEL_AGAIN_S: Final = 0.1


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Run `work`, which must see to its own failures, until the block ends."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        while not task.done():  # Python 3.11's wait_for loses a cancellation that comes together with its result
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)
        if not task.cancelled():
            task.result()
