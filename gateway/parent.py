"""The parent of several workers that share one port: starts them, starts crashed ones again, ends with them."""

import asyncio
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Final

from gateway.redis_client import backoff

logger = logging.getLogger(__name__)

STEADY_S: Final = 30.0
"""A worker that ran this long before it crashed is started again at once."""
STOP_S: Final = 6.0
"""How long the workers may take to end before they are killed; longer than a worker gives itself."""


class Worker:
    """One child process, kept running until `stop`."""

    def __init__(self, index: int, environment: dict[str, str]) -> None:
        self._index, self._environment = index, environment
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Return once `stop` was called and the process has ended."""
        delays = backoff(0.1, 5.0)
        while not self._stopping.is_set():
            started = time.monotonic()
            status = await self._run_once()
            if self._stopping.is_set():
                return
            logger.error("worker %d ended with status %d, starting it again", self._index, status)
            if time.monotonic() - started > STEADY_S:
                delays = backoff(0.1, 5.0)
            with suppress(TimeoutError):
                async with asyncio.timeout(next(delays)):
                    await self._stopping.wait()

    def stop(self, number: signal.Signals) -> None:
        """Send `number` to the process and do not start it again."""
        self._stopping.set()
        self._send(number)

    async def _run_once(self) -> int:
        command = (sys.executable, "-m", "gateway", "worker", str(self._index))
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, env=os.environ | self._environment
        )
        if self._stopping.is_set():  # told to stop while it was being started
            self._send(signal.SIGTERM)
        return await self._process.wait()

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


async def run_workers(count: int, port: int) -> int:
    """Keep `count` workers on `port` until SIGTERM or SIGINT; returns the exit status."""
    environment = {"HEADRACE_INFERENCE_PORT": str(port)}
    workers = [Worker(index, environment) for index in range(count)]
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    tasks = [asyncio.create_task(it.run(), name=f"worker {index}") for index, it in enumerate(workers)]
    await stopping.wait()
    for worker in workers:
        worker.stop(signal.SIGTERM)
    _, pending = await asyncio.wait(tasks, timeout=STOP_S)
    for worker in workers if pending else []:
        worker.stop(signal.SIGKILL)
    await asyncio.wait(tasks)
    return 0
