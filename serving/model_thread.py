"""One thread that runs one model. A queue and a plain thread, since handing work to an executor costs several times as much."""

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

logger = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")
Job = Callable[[], None]


class ModelThread:
    """Starts with its first work; `close` waits for its end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def run(self, work: Callable[[], Outcome], loop: asyncio.AbstractEventLoop, done: Callable[[Outcome], None]) -> None:
        """Do `work`, which must not raise, in the thread, and then `done` with what it gave on `loop`.

        Once closed there is no thread, and the work is done by the caller's.
        """

        def job() -> None:
            _hand_over(work(), loop, done)

        with self._lock:
            if not self._is_closed:
                self._start()
                self._jobs.put(job)
                return
        job()

    def close(self) -> None:
        """Blocks until the work at hand is done."""
        with self._lock:
            self._is_closed = True
            self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # or the last batch would stay until the next comes


def _hand_over(outcome: Outcome, loop: asyncio.AbstractEventLoop, done: Callable[[Outcome], None]) -> None:
    try:
        loop.call_soon_threadsafe(done, outcome)
    except RuntimeError:  # the loop has been closed, and with it all who waited
        logger.debug("a run ended after its event loop")
