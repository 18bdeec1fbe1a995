"""Dynamic batching in front of one model: what queued while the last run was busy runs together.

A *ticket* is one request in the queue. Tickets may share a run if they agree in everything but the first dimension: shapes of the
inputs behind it, and the outputs asked for; those that do form a *group*. Groups take turns. A model without a common first
dimension runs each ticket alone. An idle model is never waited for, unless `max_delay_us` says so. A joined run that fails is
repeated ticket by ticket, so that one bad request fails alone.

There is one run at a time. Those of few enough rows happen on the event loop, the others in the model's thread. All methods but
those named `_run…` belong to the loop's thread.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import numpy as np

from contracts.errors import HeadraceError
from contracts.routes import Batching
from serving.errors import CallerLeft, ModelClosed, ModelFailed, QueueFull, RequestTimedOut
from serving.requests import InferRequest
from serving.tensors import Array

logger = logging.getLogger(__name__)

MAX_BATCH_ROWS: Final = 64
"""Rows of one run where the deployment does not say."""
SWEEP_S: Final = 0.05
"""How late a time-out may be noticed: one timer a model, and only while something is queued or runs."""

Run = Callable[[dict[str, Array], tuple[str, ...]], list[Array]]
"""Runs the model on inputs by name for the outputs named; raises HeadraceError."""
Result = list[Array] | HeadraceError


class Caller(Protocol):
    """Whoever waits for a ticket."""

    @property
    def is_gone(self) -> bool:
        """It waits no more; its ticket need not run."""
        ...


class Ticket:
    """One request on its way through the model."""

    __slots__ = (
        "batch_rows",
        "cache",
        "caller",
        "enqueued_ns",
        "error",
        "infer_ns",
        "is_over",
        "outputs",
        "queue_ns",
        "request",
        "settle",
    )

    def __init__(self, request: InferRequest, caller: Caller, settle: Callable[["Ticket"], None]) -> None:
        self.request = request
        self.caller = caller
        self.settle = settle
        """Called once, on the loop's thread, when `outputs` or `error` is there."""
        self.enqueued_ns = time.monotonic_ns()
        self.queue_ns = 0
        self.infer_ns = 0
        self.batch_rows = 0
        """Rows of the run it was part of; 0 if there was none."""
        self.cache = ""
        """What a cache in front of the model says of it: "hit", "miss", or nothing."""
        self.outputs: list[Array] = []
        """Those of `request.outputs`, in that order."""
        self.error: HeadraceError | None = None
        self.is_over = False
        """It was settled; whatever comes of it now is dropped."""

    def finish(self, result: Result) -> None:
        """Settle it, unless it is settled already."""
        if self.is_over:
            return
        self.is_over = True
        if isinstance(result, HeadraceError):
            self.error = result
        else:
            self.outputs = result
        settle = self.settle
        del self.settle  # it knows this ticket: a circle would keep the arrays until the next garbage collection
        try:
            settle(self)
        except Exception:  # the caller's defect must not cost the rest of the batch its answers
            logger.exception("settling a request failed")


class Batcher:
    """The queue of one model and the thread that runs it."""

    def __init__(
        self,
        name: str,
        run: Run,
        batching: Batching,
        *,
        joins: bool,
        has_fixed_rows: bool,
        inline_rows: int,
        queue_rows: int,
        timeout_s: float,
    ) -> None:
        """`joins`: tickets may share a run; `has_fixed_rows`: all rows have the same shape; `inline_rows`: up to how many rows a
        run is so quick that it may happen on the loop."""
        self._name, self._run_model = name, run
        self._max_rows = batching.max_batch_size or MAX_BATCH_ROWS
        self._delay_ns = (batching.max_delay_us or 0) * 1000 if joins else 0
        self._joins, self._has_fixed_rows, self._inline_rows = joins, has_fixed_rows, inline_rows
        self._queue_rows, self._timeout_s = queue_rows, timeout_s
        self._groups: dict[Hashable, deque[Ticket]] = {}
        self._running: list[Ticket] = []
        self._loop: asyncio.AbstractEventLoop
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"model-{name}")
        self._wake: asyncio.Handle | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._idle = threading.Event()
        self._idle.set()
        self.queued_rows = 0
        self.in_flight = 0
        """Tickets queued or running."""

    def submit(self, request: InferRequest, caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        """Queue `request`. Raises QueueFull or ModelClosed."""
        if self._is_closed:
            raise ModelClosed(self._name)
        rows = request.rows
        if self.queued_rows and self.queued_rows + rows > self._queue_rows:
            raise QueueFull(self._name, self.queued_rows)
        ticket = Ticket(request, caller, settle)
        if not self.in_flight:
            self._idle.clear()
            self._loop = asyncio.get_running_loop()
        self.in_flight += 1
        self.queued_rows += rows
        key = self._key(request)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = deque()
        group.append(ticket)
        if not self._running and (self._wake is None or self._delay_ns):
            self._schedule()
        return ticket

    def close(self, timeout_s: float) -> None:
        """Take no more, wait until everything queued is settled, end the thread, and let go of the run.

        Blocks, and so not for the loop's thread.
        """
        self._is_closed = True
        self._idle.wait(timeout_s)
        self._thread.shutdown(wait=True)
        self._run_model = self._refuse_run

    def _key(self, request: InferRequest) -> Hashable:
        if not self._joins:
            return None
        if self._has_fixed_rows:
            return request.outputs
        return request.outputs, *[it.shape[1:] for it in request.inputs.values()]

    def _schedule(self) -> None:
        """Run what is due at the end of this tick of the loop, so that all its arrivals share the run; or when it will be due."""
        if self._wake is not None:
            self._wake.cancel()
        delay_s = self._wait_s() if self._delay_ns else 0.0
        self._wake = self._loop.call_later(delay_s, self._flush) if delay_s > 0 else self._loop.call_soon(self._flush)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)

    def _wait_s(self) -> float:
        """How long until the next group is full or has waited for company as long as it may."""
        now, soonest = time.monotonic_ns(), self._delay_ns
        for key, group in self._groups.items():
            left = self._delay_ns - (now - group[0].enqueued_ns)
            if left <= 0 or sum([it.request.rows for it in group]) >= self._max_rows:
                self._groups = {key: group} | self._groups  # it has the next turn
                return 0.0
            soonest = min(soonest, left)
        return soonest / 1e9

    def _flush(self) -> None:
        self._wake = None
        batch = self._take()
        if not batch:
            self._rest()
            return
        self._running = batch
        if sum([it.request.rows for it in batch]) <= self._inline_rows:
            self._settle(batch, self._run_batch(batch))
        else:
            self._thread.submit(self._run_in_thread, batch)

    def _take(self) -> list[Ticket]:
        """What runs next: the oldest tickets of the group whose turn it is."""
        batch: list[Ticket] = []
        rows = 0
        while self._groups and not batch:
            key, group = next(iter(self._groups.items()))
            del self._groups[key]
            while group and not (batch and (not self._joins or rows + group[0].request.rows > self._max_rows)):
                ticket = group.popleft()
                self.queued_rows -= ticket.request.rows
                if ticket.caller.is_gone:
                    self.in_flight -= 1
                    ticket.finish(CallerLeft())
                else:
                    batch.append(ticket)
                    rows += ticket.request.rows
            if group:
                self._groups[key] = group  # at the end: the others have their turns first
        return batch

    def _settle(self, batch: list[Ticket], results: list[Result]) -> None:
        self._running = []
        self.in_flight -= len(batch)
        if self._groups:
            self._schedule()
        for ticket, result in zip(batch, results, strict=True):
            ticket.finish(result)
        self._rest()

    def _sweep(self) -> None:
        """Answer for what has waited too long, queued or running."""
        self._sweeper = None
        oldest = time.monotonic_ns() - int(self._timeout_s * 1e9)
        late = [it for it in self._running if it.enqueued_ns < oldest]
        for key, group in list(self._groups.items()):
            while group and group[0].enqueued_ns < oldest:
                ticket = group.popleft()
                self.queued_rows -= ticket.request.rows
                self.in_flight -= 1
                late.append(ticket)
            if not group:
                del self._groups[key]
        for ticket in late:
            ticket.finish(RequestTimedOut(self._name, self._timeout_s))
        self._rest()
        if self.in_flight and self._sweeper is None:
            self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)

    def _rest(self) -> None:
        if not self.in_flight:
            self._idle.set()

    def _run_in_thread(self, batch: list[Ticket]) -> None:
        results = self._run_batch(batch)
        self._loop.call_soon_threadsafe(self._settle, batch, results)

    def _run_batch(self, batch: list[Ticket]) -> list[Result]:
        """Each ticket's outputs, or why it failed."""
        if len(batch) == 1:
            return [self._run_alone(batch[0])]
        try:
            return self._run_joined(batch)
        except Exception as error:
            logger.debug("a joined run failed, running its requests one by one: %s", error)
            return [self._run_alone(it) for it in batch]

    def _run_joined(self, batch: list[Ticket]) -> list[Result]:
        """Raises whatever the run raises, and ModelFailed if the outputs cannot be told apart."""
        requests = [it.request for it in batch]
        first = requests[0]
        joined = {name: np.concatenate([it.inputs[name] for it in requests]) for name in first.inputs}
        rows = sum([it.rows for it in requests])
        outputs = self._timed(batch, rows, joined)
        for output in outputs:
            if output.shape[:1] != (rows,):
                raise ModelFailed(f"{rows} rows gave an output of shape {output.shape}")
        results: list[Result] = []
        end = 0
        for request in requests:
            begin, end = end, end + request.rows
            results.append([it[begin:end] for it in outputs])
        return results

    def _run_alone(self, ticket: Ticket) -> Result:
        try:
            return self._timed([ticket], ticket.request.rows, ticket.request.inputs)
        except HeadraceError as error:
            return error
        except Exception:
            logger.exception("running model %s failed", self._name)
            return ModelFailed(f"model {self._name!r} failed")

    def _refuse_run(self, _inputs: dict[str, Array], _names: tuple[str, ...]) -> list[Array]:
        raise ModelClosed(self._name)

    def _timed(self, batch: list[Ticket], rows: int, inputs: dict[str, Array]) -> list[Array]:
        started = time.monotonic_ns()
        outputs = self._run_model(inputs, batch[0].request.outputs)
        took = time.monotonic_ns() - started
        for ticket in batch:
            ticket.queue_ns = started - ticket.enqueued_ns
            ticket.infer_ns = took
            ticket.batch_rows = rows
        return outputs
