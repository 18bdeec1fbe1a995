"""Dynamic batching in front of one model: what queued while the last run was busy runs together.

Tickets may share a run if they agree in everything but the first dimension: shapes of the inputs behind it (up to a padding rule)
and the outputs asked for. A model without a common first dimension runs each ticket alone. An idle model starts at once, unless
`max_delay_us` says otherwise; right behind a run there may be a short wait for those it answered (`rejoining.py`). A joined run
that fails is repeated ticket by ticket, so that one bad request fails alone.

There is one run at a time. Those of few enough rows happen on the event loop, the others in the model's thread. All methods
belong to the loop's thread, but `close`.
"""

import asyncio
import threading
from collections.abc import Callable, Hashable
from operator import attrgetter
from time import monotonic_ns
from typing import Final

from msgspec import Struct

from serving.batch_statistics import Statistics
from serving.batches import Batch
from serving.errors import CallerLeft, ModelClosed, QueueFull, RequestTimedOut
from serving.model_thread import ModelThread
from serving.padding import PaddingRule
from serving.queueing import Queue
from serving.rejoining import Rejoining
from serving.requests import InferRequest
from serving.runs import Run, Runs
from serving.tickets import Caller, Ticket

__all__ = ["BatchPlan", "Batcher", "Caller", "Run", "Ticket"]

SWEEP_S: Final = 0.05
"""How late the model's time-out may be noticed: one timer a model, and only while something is queued or runs."""
SWEEP_AT_LEAST_S: Final = 0.005
"""How late a deadline of a request's own may be noticed."""
TIMER_S: Final = 0.001
"""uvloop's timers count milliseconds; what is left below one is waited for tick by tick."""
RETRY_AFTER_S: Final = (1.0, 60.0)
"""The least and the most that who finds the queue full is told to wait."""


class BatchPlan(Struct, frozen=True, kw_only=True):
    """How the requests to one model are run."""

    joins: bool
    """Tickets may share a run."""
    has_fixed_rows: bool = False
    """All rows have the same shape."""
    inline_rows: int = 0
    """Up to how many rows a run is so quick that it happens on the loop."""
    max_batch_size: int = 64
    max_delay_us: int = 0
    """How long a ticket waits for company, even if the model is idle."""
    rejoin_us: int = 0
    """How long, right after a run, those it answered are waited for. Less than a millisecond: it is waited tick by tick."""
    max_queue_rows: int = 10_000
    timeout_s: float = 30.0
    padding: PaddingRule | None = None


class Batcher:
    """The queue of one model and the thread that runs it."""

    def __init__(self, name: str, run: Run, plan: BatchPlan) -> None:
        self._name = name
        self._key = _key_of(plan)
        self._delay_ns = plan.max_delay_us * 1000 if plan.joins else 0
        self._timeout_ns = int(plan.timeout_s * 1e9)
        self._inline_rows, self._max_queue_rows = plan.inline_rows, plan.max_queue_rows
        self._queue = Queue(plan.max_batch_size, joins=plan.joins)
        self._rejoining = Rejoining(plan.rejoin_us, plan.max_batch_size) if plan.rejoin_us and plan.joins else None
        self._runs = Runs(name, run, plan.padding)
        self._thread = ModelThread(f"model-{name}")
        self._running: list[Ticket] = []
        self._loop: asyncio.AbstractEventLoop
        self._wake: asyncio.Handle | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._sweep_ns = 0
        self._is_closed = False
        self._idle = threading.Event()
        """Set when nothing is in flight any more, once it is closed."""
        self.statistics = Statistics()
        self.in_flight = 0
        """Tickets queued or running."""

    @property
    def queued_rows(self) -> int:
        return self._queue.rows

    def submit(self, request: InferRequest, caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        """Queue `request`. Raises QueueFull or ModelClosed."""
        if self._is_closed:
            raise ModelClosed(self._name)
        queued = self._queue.rows
        if queued and queued + request.rows > self._max_queue_rows:
            raise QueueFull(self._name, queued, self._retry_after_s())
        ticket = Ticket(request, caller, settle)
        if not self.in_flight:
            self._loop = asyncio.get_running_loop()
        self.in_flight += 1
        if request.timeout_us:
            self._heed_deadline(ticket, request.timeout_us)
        group = self._queue.put(ticket, self._key(request), request.priority)
        if not self._running and (self._wake is None or (self._delay_ns and self._queue.is_full(group))):
            self._schedule()
        return ticket

    def close(self, timeout_s: float) -> None:
        """Take no more, wait until everything queued is settled, end the thread, and let go of the run.

        Blocks, and so not for the loop's thread.
        """
        self._is_closed = True
        if self.in_flight:
            self._idle.wait(timeout_s)
        self._thread.close()
        self._runs.close()

    def _schedule(self) -> None:
        """Run what is due at the end of this tick of the loop, so that all its arrivals share the run; or when it will be due."""
        if self._wake is not None:
            self._wake.cancel()
        left_s = self._queue.wait_ns(monotonic_ns(), self._delay_ns) / 1e9 if self._delay_ns else 0.0
        if left_s < TIMER_S:
            self._wake = self._loop.call_soon(self._flush)
        else:
            self._wake = self._loop.call_later(left_s - left_s % TIMER_S, self._flush)
        if self._sweeper is None:
            self._sweep_by(0, monotonic_ns())

    def _flush(self) -> None:
        self._wake = None
        if self._delay_ns and self.in_flight and self._queue.wait_ns(monotonic_ns(), self._delay_ns):
            self._schedule()
            return
        if self._rejoining is not None and self._rejoining.goes_on(self._queue.next_rows, monotonic_ns()):
            self._wake = self._loop.call_soon(self._flush)
            return
        batch, dropped = self._queue.take()
        self._running = batch.tickets
        if dropped:
            self.in_flight -= len(dropped)
            self._drop(dropped, monotonic_ns())
        if not batch.tickets:
            self._rest()
            return
        if self._delay_ns and batch.closed == "idle":
            batch.closed = "delay"
        if batch.rows <= self._inline_rows:
            self._settle(self._runs.run(batch))
        else:
            self._thread.run(lambda: self._runs.run(batch), self._loop, self._settle)

    def _settle(self, batches: list[Batch]) -> None:
        self.in_flight -= len(self._running)
        self._running = []
        queued_rows = self._queue.next_rows if self._rejoining is not None else 0
        if self.in_flight:
            self._schedule()
        for batch in batches:
            self._finish(batch)
        if self._rejoining is not None:
            self._rejoining.begin(sum([it.rows for it in batches]), queued_rows, monotonic_ns())
        self._rest()

    def _finish(self, batch: Batch) -> None:
        """Hand out the results of one run, and count it."""
        started_ns, run_ns, rows = batch.started_ns, batch.run_ns, batch.rows
        queue_ns = count = begin = 0
        for ticket, result in zip(batch.tickets, batch.results, strict=True):
            if not ticket.is_over:  # or it timed out meanwhile, and was counted then
                waited_ns = ticket.queue_ns = started_ns - ticket.enqueued_ns
                ticket.infer_ns, ticket.batch_rows = run_ns, rows
                queue_ns += waited_ns
                count += 1
                ticket.finish(result, begin)
            if batch.is_shared:
                begin += ticket.request.rows
        self.statistics.add_batch(batch, count, queue_ns)

    def _sweep(self) -> None:
        """Answer for what has waited too long, queued or running."""
        self._sweeper = None
        now_ns = monotonic_ns()
        oldest_ns = now_ns - self._timeout_ns
        late = self._queue.expire(now_ns, self._timeout_ns)
        self.in_flight -= len(late)
        self._drop(late, now_ns)
        self._drop([it for it in self._running if it.enqueued_ns <= oldest_ns or 0 < it.deadline_ns <= now_ns], now_ns)
        self._rest()
        if self.in_flight and self._sweeper is None:
            self._sweep_by(self._queue.soonest_deadline_ns(), now_ns)

    def _sweep_by(self, deadline_ns: int, now_ns: int) -> None:
        """Sweep at `deadline_ns`, but neither at once nor later than without it (0)."""
        left_s = (deadline_ns - now_ns) / 1e9 if deadline_ns else SWEEP_S
        left_s = min(max(left_s, SWEEP_AT_LEAST_S), SWEEP_S)
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._sweeper, self._sweep_ns = self._loop.call_later(left_s, self._sweep), now_ns + int(left_s * 1e9)

    def _heed_deadline(self, ticket: Ticket, timeout_us: int) -> None:
        """Give `ticket` the deadline its request asks for, if it comes before the model's."""
        deadline_ns = ticket.enqueued_ns + timeout_us * 1000
        if timeout_us * 1000 >= self._timeout_ns:
            return
        ticket.deadline_ns = deadline_ns
        if self._sweeper is None or deadline_ns + int(SWEEP_AT_LEAST_S * 1e9) < self._sweep_ns:
            self._sweep_by(deadline_ns, ticket.enqueued_ns)

    def _drop(self, tickets: list[Ticket], now_ns: int) -> None:
        """Settle those that get no answer: their caller left, or it waited too long."""
        for ticket in tickets:
            if ticket.is_over:
                continue
            waited_ns = now_ns - ticket.enqueued_ns
            self.statistics.dropped.add(waited_ns)
            limit_ns = (ticket.deadline_ns or ticket.enqueued_ns + self._timeout_ns) - ticket.enqueued_ns
            ticket.finish(RequestTimedOut(self._name, limit_ns / 1e9) if waited_ns >= limit_ns else CallerLeft())

    def _retry_after_s(self) -> float:
        """How long what is queued takes, judging from the runs so far."""
        least, most = RETRY_AFTER_S
        return min(max(self._queue.rows * self.statistics.row_ns / 1e9, least), most)

    def _rest(self) -> None:
        if self._is_closed and not self.in_flight:
            self._idle.set()


def _key_of(plan: BatchPlan) -> Callable[[InferRequest], Hashable]:
    """What requests must agree in to share a run. (Their datatypes are the model's, so they always do in those.)"""
    if not plan.joins:
        return lambda _: None
    if plan.padding is not None:
        return plan.padding.key
    if plan.has_fixed_rows:
        return attrgetter("outputs")
    return _outputs_and_shapes


def _outputs_and_shapes(request: InferRequest) -> Hashable:
    return request.outputs, *[it.shape[1:] for it in request.inputs.values()]
