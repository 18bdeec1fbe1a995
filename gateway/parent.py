"""The parent of the workers on one port: starts them, starts crashed ones again, replaces them without a gap, ends with them.

Every worker has a listening socket of its own, made here and inherited; the kernel spreads clients among them. On SIGHUP each
worker in turn gets a successor on the same socket: so there is always somebody to accept, and no connection that waits in the
socket's queue is lost. The successor begins when its models are loaded, and only then is the old worker told to drain.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from contracts.errors import HeadraceError
from gateway.limits.shared_counts import SharedCounts
from gateway.redis_client import backoff

logger = logging.getLogger(__name__)

REPLACED: Final = signal.SIGUSR1
"""Tells a worker that its successor accepts on its socket; SIGTERM that there is none."""
STEADY_S: Final = 30.0
"""A worker that ran this long before it crashed is started again at once."""
END_S: Final = 3.0
"""How long a worker may take to end beyond its drain."""
SUCCESSORS: Final = 2
"""Processes that may run beside as many as there are workers: one that takes over, and one that failed to and is ending."""
READY_S: Final = 600.0
"""How long a successor may load its models; the worker it is to replace serves meanwhile."""


class Homes:
    """Numbers of the workers' folders, and of their columns in `counts`; a successor needs another one than who still runs."""

    def __init__(self, counts: SharedCounts) -> None:
        self.counts = counts
        self._taken: set[int] = set()

    def take(self) -> int:
        """The lowest that is free."""
        number = next(it for it in range(len(self._taken) + 1) if it not in self._taken)
        self._taken.add(number)
        return number

    def give_back(self, number: int) -> None:
        """Its worker has ended, whatever it had under way."""
        self.counts.clear(number)
        self._taken.discard(number)


class Process:
    """One worker process on its own handle of `bound`, which stays open here until the process has ended."""

    def __init__(self, homes: Homes, bound: socket.socket) -> None:
        self._homes, self.home = homes, homes.take()
        bound.setblocking(False)  # or `dup` makes it blocking, for who accepts on it as well
        self.bound = bound.dup()
        self.is_ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """True once it accepts connections, False if it has ended before."""
        self._process: asyncio.subprocess.Process | None = None
        self._signal: signal.Signals | None = None
        self.ended = asyncio.create_task(self._run(), name=f"worker {self.home}")
        """With its exit status."""

    async def _run(self) -> int:
        hear, tell = os.pipe()
        try:
            await self._start(tell)
            asyncio.get_running_loop().add_reader(hear, self._hear, hear)
            assert self._process is not None
            return await self._process.wait()
        finally:
            asyncio.get_running_loop().remove_reader(hear)
            os.close(hear)
            self.bound.close()
            self._homes.give_back(self.home)
            if not self.is_ready.done():
                self.is_ready.set_result(False)

    def stop(self, number: signal.Signals) -> None:
        """Send it `number`, as soon as there is somebody to send it to."""
        self._signal = number
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _start(self, tell: int) -> None:
        handles = (self.bound.fileno(), tell, self._homes.counts.handle)
        command = (sys.executable, "-m", "gateway", "worker", *map(str, (self.home, *handles)))
        try:
            self._process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, pass_fds=handles)
        finally:
            os.close(tell)
        if self._signal is not None:  # told to stop while it was being started
            self.stop(self._signal)

    def _hear(self, hear: int) -> None:
        asyncio.get_running_loop().remove_reader(hear)
        if not self.is_ready.done():
            self.is_ready.set_result(os.read(hear, 1) != b"")


class Slot:
    """One of the workers: a process at a time, but for the moments in which another takes over from it."""

    def __init__(self, homes: Homes, bind: Callable[[], socket.socket], end_s: float) -> None:
        """`bind` makes a socket on the shared port; `end_s` is how long a process may take to end."""
        self._homes, self._bind, self._end_s = homes, bind, end_s
        self._stopping = asyncio.Event()
        self._process: Process | None = None
        """The one that serves, or has ended and is about to be followed by another."""
        self._running: set[Process] = set()

    async def run(self) -> None:
        """Keep a process running; return once `stop` was called and all have ended."""
        delays = backoff(0.1, 5.0)
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                reason = f"ended with status {await self._run_once()}"
            except (OSError, HeadraceError) as error:  # this machine is out of something; it may pass
                reason = f"cannot be started: {error}"
            if self._stopping.is_set():
                break
            logger.error("a worker %s; starting it again", reason)
            if time.monotonic() - started > STEADY_S:
                delays = backoff(0.1, 5.0)
            with suppress(TimeoutError):
                async with asyncio.timeout(next(delays)):
                    await self._stopping.wait()
        if self._running:
            await asyncio.wait([it.ended for it in self._running])

    async def replace(self) -> bool:
        """Put another process in the place of the one there is, once it can serve; False if it could not."""
        retired = self._process
        if retired is None or retired.ended.done() or self._stopping.is_set():
            return False
        successor = self._begin(retired.bound)
        if not await self._becomes_ready(successor):
            successor.stop(signal.SIGKILL)
            return False
        replaced, self._process = self._process, successor
        if replaced is retired:
            await self._end(retired, REPLACED)
        elif replaced is not None:  # that crashed meanwhile, and this was started in its place, on a socket of its own
            await self._end(replaced, signal.SIGTERM)
        return True

    def stop(self) -> None:
        """Let all processes drain and end, and start no more."""
        self._stopping.set()
        for process in self._running:
            process.stop(signal.SIGTERM)

    def kill(self) -> None:
        """End them all at once."""
        for process in self._running:
            process.stop(signal.SIGKILL)

    def _begin(self, bound: socket.socket) -> Process:
        process = Process(self._homes, bound)
        self._running.add(process)
        process.ended.add_done_callback(lambda _: self._running.discard(process))
        return process

    async def _run_once(self) -> int:
        """The status of the last of those that followed one another."""
        if self._process is None or self._process.ended.done():  # or a successor took over from one that crashed
            with self._bind() as bound:
                self._process = self._begin(bound)
        status, process = 0, None
        while process is not self._process:  # replaced meanwhile
            process = self._process
            assert process is not None
            status = await process.ended
        return status

    async def _becomes_ready(self, process: Process) -> bool:
        try:
            async with asyncio.timeout(READY_S):
                return await asyncio.shield(process.is_ready)
        except TimeoutError:
            return False

    async def _end(self, process: Process, number: signal.Signals) -> None:
        process.stop(number)
        ended, _ = await asyncio.wait([process.ended], timeout=self._end_s)
        if not ended:
            process.stop(signal.SIGKILL)


async def run_workers(count: int, bind: Callable[[], socket.socket], drain_s: float) -> int:
    """Keep `count` workers until SIGTERM or SIGINT; returns the exit status."""
    homes, end_s = Homes(SharedCounts.create(count + SUCCESSORS)), drain_s + END_S
    slots = [Slot(homes, bind, end_s) for _ in range(count)]
    stopping, restarting = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, restarting.set)
    tasks = [asyncio.create_task(it.run(), name="workers") for it in slots]
    replacing = asyncio.create_task(_replace_all(slots, restarting), name="restart")
    await stopping.wait()
    for slot in slots:
        slot.stop()
    _, pending = await asyncio.wait(tasks, timeout=end_s)
    for slot in slots if pending else []:
        slot.kill()
    await asyncio.wait(tasks)
    replacing.cancel()
    return 0


async def _replace_all(slots: Sequence[Slot], asked: asyncio.Event) -> None:
    """One slot after the other, whenever it is `asked` for, until cancelled."""
    while True:
        await asked.wait()
        asked.clear()
        logger.info("replacing %d workers one by one", len(slots))
        for slot in slots:
            if not await slot.replace():
                logger.error("a new worker could not take over; the ones before it serve on")
                break
        else:
            logger.info("all workers are replaced")
