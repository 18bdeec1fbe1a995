"""Dynamic batching in front of one model: what queued while the last run was busy runs together.

A *ticket* is one request in the queue. Tickets may share a run if they agree in everything but the first dimension: shapes of
the inputs behind it, and the outputs asked for. A model without a common first dimension runs each ticket alone. An idle model
is never kept waiting, unless `max_delay_us` says so. A run that fails is repeated ticket by ticket, so that one bad request fails
alone. A ticket whose caller has left is dropped.

All methods but those named `_run…` belong to the event loop's thread.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import numpy as np

from contracts.errors import HeadraceError
from contracts.routes import Batching
from serving.errors import CallerLeft, QueueFull, RequestTimedOut
from serving.requests import Array, InferRequest

SWEEP_S: Final = 0.05
"""How late a time-out may be noticed: one timer a model, and only while something is queued."""

Run = Callable[[dict[str, Array], tuple[str, ...]], list[Array]]
"""Runs the model on inputs by name for the outputs named; raises HeadraceError."""


class Caller(Protocol):
    """Who waits for a ticket."""

    is_gone: bool


class Ticket:
    """One request on its way through the model. `settle` is called exactly once, on the loop."""

    __slots__ = (
        "batch_rows",
        "caller",
        "deadline",
        "enqueued_ns",
        "error",
        "infer_ns",
        "is_over",
        "key",
        "names",
        "outputs",
        "queue_ns",
        "request",
        "settle",
    )

    def __init__(
        self,
        request: InferRequest,
        names: tuple[str, ...],
        key: object,
        caller: Caller,
        settle: Callable[["Ticket"], None],
        deadline: float,
    ) -> None:
        self.request = request
        self.names = names
        """The outputs to give, in order."""
        self.key = key
        self.caller = caller
        self.settle = settle
        self.deadline = deadline
        """On the monotonic clock."""
        self.enqueued_ns = time.monotonic_ns()
        self.queue_ns = 0
        self.infer_ns = 0
        self.batch_rows = 0
        """Rows of the run it was part of; 0 if there was none."""
        self.outputs: list[Array] = []
        self.error: HeadraceError | None = None
        self.is_over = False
        """It was settled; whatever comes of it now is dropped."""

    def finish(self, error: HeadraceError | None) -> None:
        """Settle it, once."""
        if not self.is_over:
            self.is_over = True
            self.error = error
            self.settle(self)


class Batcher:
    """The queue of one model and the thread that runs it."""

    def __init__(
        self, name: str, run: Run, batching: Batching, *, joins: bool, inline: bool, queue_rows: int, timeout_s: float
    ) -> None:
        self._name, self._run_model = name, run
        self._max_rows = batching.max_batch_size if joins else 1
        self._delay_s = batching.max_delay_us / 1e6 if joins else 0.0
        self._joins, self._inline = joins, inline
        self._queue_rows, self._timeout_s = queue_rows, timeout_s
        self._queue: deque[Ticket] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"model-{name}")
        self._is_busy = False
        self._is_scheduled = False
        self._sweeper: asyncio.TimerHandle | None = None
        self._running: list[Ticket] = []
        self._idle = threading.Event()
        self._idle.set()
        self.queued_rows = 0
        self.in_flight = 0
        """Tickets queued or running; one whose caller left, or whose time was up, counts until its turn comes."""

    def submit(self, request: InferRequest, names: tuple[str, ...], caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        """Queue `request` for the outputs `names`. Raises QueueFull."""
        if self.queued_rows and self.queued_rows + request.rows > self._queue_rows:
            raise QueueFull(self._name, self.queued_rows)
        key = tuple(it.shape[1:] for it in request.inputs.values()) if self._joins else None
        ticket = Ticket(request, names, (key, tuple(request.inputs), names), caller, settle, time.monotonic() + self._timeout_s)
        self._queue.append(ticket)
        self.queued_rows += request.rows
        self.in_flight += 1
        self._idle.clear()
        if not self._is_busy and not self._is_scheduled:
            self._schedule()
        return ticket

    def close(self, timeout_s: float) -> None:
        """Wait until everything queued is settled, and end the thread. Blocks, and so not for the loop's thread."""
        self._idle.wait(timeout_s)
        self._thread.shutdown(wait=True)

    def _schedule(self) -> None:
        """Run what is there at the end of this tick of the loop, so that all its arrivals share the run."""
        loop = self._loop = self._loop or asyncio.get_running_loop()
        self._is_scheduled = True
        if self._delay_s and self.queued_rows < self._max_rows:
            loop.call_later(self._delay_s, self._flush)
        else:
            loop.call_soon(self._flush)
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_S, self._sweep)

    def _flush(self) -> None:
        self._is_scheduled = False
        if self._is_busy:
            return
        batch = self._take()
        if not batch:
            self._rest()
            return
        self._is_busy = True
        self._running = batch
        if self._inline:
            self._settle(batch, self._run_batch(batch))
            return
        assert self._loop is not None
        self._thread.submit(self._run_in_thread, batch, self._loop)

    def _take(self) -> list[Ticket]:
        """The oldest ticket and those behind it that may share its run, in order of arrival."""
        queue, batch, passed_over, rows = self._queue, list[Ticket](), list[Ticket](), 0
        while queue:
            ticket = queue.popleft()
            if ticket.is_over or ticket.caller.is_gone:
                self._leave(ticket)
                self.in_flight -= 1
                ticket.finish(CallerLeft())
            elif not batch:
                batch.append(ticket)
                rows = ticket.request.rows
            elif self._joins and ticket.key == batch[0].key and rows + ticket.request.rows <= self._max_rows:
                batch.append(ticket)
                rows += ticket.request.rows
            else:
                passed_over.append(ticket)
                if not self._joins or rows >= self._max_rows:
                    break
        queue.extendleft(reversed(passed_over))
        for ticket in batch:
            self._leave(ticket)
        return batch

    def _leave(self, ticket: Ticket) -> None:
        self.queued_rows -= ticket.request.rows

    def _run_in_thread(self, batch: list[Ticket], loop: asyncio.AbstractEventLoop) -> None:
        results = self._run_batch(batch)
        loop.call_soon_threadsafe(self._settle, batch, results)

    def _run_batch(self, batch: list[Ticket]) -> "list[list[Array] | HeadraceError]":
        """Each ticket's outputs, or why it failed."""
        started = time.monotonic_ns()
        rows = sum(it.request.rows for it in batch)
        for ticket in batch:
            ticket.queue_ns = started - ticket.enqueued_ns
            ticket.batch_rows = rows
        results = self._run_joined(batch) if len(batch) > 1 else [self._run_alone(batch[0])]
        took = time.monotonic_ns() - started
        for ticket in batch:
            ticket.infer_ns = took
        return results

    def _run_joined(self, batch: list[Ticket]) -> "list[list[Array] | HeadraceError]":
        names = batch[0].request.inputs
        joined = {name: np.concatenate([it.request.inputs[name] for it in batch]) for name in names}
        try:
            outputs = self._run_model(joined, batch[0].names)
        except HeadraceError:
            return [self._run_alone(it) for it in batch]
        rows = [it.request.rows for it in batch]
        if any(it.shape[:1] != (sum(rows),) for it in outputs):
            return [self._run_alone(it) for it in batch]
        return list(_split(outputs, rows))

    def _run_alone(self, ticket: Ticket) -> "list[Array] | HeadraceError":
        try:
            return self._run_model(ticket.request.inputs, ticket.names)
        except HeadraceError as error:
            return error

    def _settle(self, batch: list[Ticket], results: "list[list[Array] | HeadraceError]") -> None:
        self._is_busy = False
        self._running = []
        if self._queue:
            self._schedule()
        for ticket, result in zip(batch, results, strict=True):
            self.in_flight -= 1
            if isinstance(result, HeadraceError):
                ticket.finish(result)
            else:
                ticket.outputs = result
                ticket.finish(None)
        if not self._queue and not self._is_busy:
            self._rest()

    def _sweep(self) -> None:
        """Answer for what has waited too long, queued or running."""
        now = time.monotonic()
        for ticket in [*self._queue, *self._running]:
            if ticket.deadline < now:
                ticket.finish(RequestTimedOut(self._name, self._timeout_s))
        self._sweeper = None
        if (self._queue or self._running) and self._loop is not None:
            self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)

    def _rest(self) -> None:
        if not self._queue and not self._is_busy:
            self._idle.set()


def _split(outputs: Sequence[Array], rows: Sequence[int]) -> list[list[Array]]:
    """Each ticket's slice of the joined outputs."""
    ends = np.cumsum(rows).tolist()
    return [[it[end - count : end] for it in outputs] for count, end in zip(rows, ends, strict=True)]
