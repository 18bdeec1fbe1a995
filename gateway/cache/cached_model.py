"""A model behind its cache: what was answered before is answered again, and identical requests under way share one run."""

import time
from collections.abc import Callable
from typing import Final, Protocol
from uuid import UUID

import numpy as np

from contracts.errors import HeadraceError
from contracts.routes import Cache
from gateway.cache.answers import size_of
from gateway.cache.flight import Flight
from gateway.cache.keys import key_of
from gateway.cache.local import Answer, LocalStore
from gateway.cache.shared import SharedStore
from gateway.traffic import CacheCounts
from serving.batch_statistics import Statistics
from serving.batcher import Caller, Ticket
from serving.errors import QueueFull
from serving.requests import InferRequest
from serving.tensors import Array

MAX_FOLLOWERS: Final = 10_000
"""Requests that may wait for the runs of others; further ones are answered 503."""
LEAST_LOOK_UP_US: Final = 20_000
"""Requests that must be answered sooner are not looked up in Redis."""


class Backing(Protocol):
    """What answers a request that the cache has no answer to: a Model."""

    @property
    def name(self) -> str: ...
    @property
    def statistics(self) -> Statistics: ...
    def submit(self, request: InferRequest, caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        """Raises HeadraceError."""
        ...


class CachedModel:
    """`submit` stands for the model's. Errors are handed to all who wait for a run, and never kept."""

    def __init__(
        self, model: Backing, settings: Cache, revision_id: UUID, shared: SharedStore | None, counts: CacheCounts
    ) -> None:
        self._model, self._ttl_s, self._shared, self._counts = model, settings.ttl_s, shared, counts
        self._revision = revision_id.bytes
        self._flights: dict[object, Flight] = {}
        self._followers = 0
        self.local = LocalStore(settings.max_bytes)

    def submit(self, request: InferRequest, caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        """Answer `request` from the cache, maybe before this returns, or by a run. Raises as the model's `submit`."""
        key = key_of(request, self._revision)
        if key is None:
            return self._model.submit(request, caller, settle)
        ticket = Ticket(request, caller, settle)
        outputs = self.local.get(key)
        if outputs is not None:
            self._counts.local += 1
            self._hand_out(ticket, outputs, "hit")
            return ticket
        name = (key, request.timeout_us or 0, request.priority)  # who would wait less, or come first, runs apart
        flight = self._flights.get(name)
        if flight is not None:
            self._join(flight, ticket)
            return ticket
        self._flights[name] = flight = Flight(name, key, ticket)
        if not self._look_up(flight):
            self._take_off(flight)
        return ticket

    def release(self) -> None:
        """Look nothing up any more: what waits for Redis runs now. To be called before the model is closed."""
        self._shared = None
        for flight in [it for it in self._flights.values() if it.is_looking]:
            self._run(flight)

    def _join(self, flight: Flight, ticket: Ticket) -> None:
        if self._followers >= MAX_FOLLOWERS:
            raise QueueFull(self._model.name, self._followers, 1.0)
        self._followers += 1
        flight.waiters.append(ticket)

    def _look_up(self, flight: Flight) -> bool:
        timeout_us = flight.request.timeout_us
        if self._shared is None or (timeout_us and timeout_us < LEAST_LOOK_UP_US):
            return False
        flight.is_looking = self._shared.ask(flight.key, lambda found: self._found(flight, found))
        return flight.is_looking

    def _found(self, flight: Flight, found: tuple[list[Array], float] | None) -> None:
        if not flight.is_looking:  # it runs already
            return
        if found is None or len(found[0]) != len(flight.request.outputs):
            self._run(flight)
            return
        outputs, left_s = found
        self._keep(flight.key, outputs, min(left_s, self._ttl_s))
        waiters = self._land(flight)
        self._counts.shared += len(waiters)
        for ticket in waiters:
            self._hand_out(ticket, outputs, "hit")

    def _run(self, flight: Flight) -> None:
        """Take off, with whoever has joined; they are told if that fails."""
        flight.is_looking = False
        try:
            self._take_off(flight)
        except HeadraceError as error:
            for ticket in flight.waiters:
                ticket.finish(error)

    def _take_off(self, flight: Flight) -> None:
        """Raises as the model's `submit`; then the flight is over."""
        flight.began_ns = time.monotonic_ns()
        try:
            self._model.submit(flight.request, flight, lambda run: self._settle(flight, run))
        except BaseException:
            self._land(flight)
            raise

    def _settle(self, flight: Flight, run: Ticket) -> None:
        waiters = self._land(flight)
        if run.error is not None:
            flight.fail(waiters, run.error, self._run_alone)
            return
        first, *others = waiters
        self._counts.joined += len(others)
        if self.local.takes(size_of(run.outputs)):
            self._keep(flight.key, [_copy(it) for it in run.outputs], self._ttl_s)
        self._hand_out_run(first, run)
        for ticket in others:
            self._hand_out(ticket, run.outputs, "hit")
        if self._shared is not None:
            self._shared.put(flight.key, run.outputs, self._ttl_s)

    def _land(self, flight: Flight) -> list[Ticket]:
        del self._flights[flight.name]
        self._followers -= len(flight.waiters) - 1
        return flight.waiters

    def _keep(self, key: bytes, outputs: list[Array], ttl_s: float) -> None:
        self.local.put(key, Answer(outputs, size_of(outputs), time.monotonic_ns() + int(ttl_s * 1e9)))

    def _run_alone(self, ticket: Ticket, request: InferRequest) -> None:
        """Run `request` for `ticket`, whose flight came to nothing."""
        try:
            self._model.submit(request, ticket.caller, lambda run: self._hand_out_run(ticket, run))
        except HeadraceError as error:
            ticket.finish(error)

    def _hand_out_run(self, ticket: Ticket, run: Ticket) -> None:
        ticket.queue_ns, ticket.infer_ns, ticket.batch_rows = run.queue_ns, run.infer_ns, run.batch_rows
        if run.error is not None:
            ticket.finish(run.error)
            return
        self._counts.misses += 1
        self._hand_out(ticket, run.outputs, "miss")

    def _hand_out(self, ticket: Ticket, outputs: list[Array], cache: str) -> None:
        ticket.cache = cache
        statistics = self._model.statistics
        tally = statistics.cache_hit if cache == "hit" else statistics.cache_miss
        tally.add(time.monotonic_ns() - ticket.enqueued_ns)
        ticket.answer(list(outputs))


def _copy(output: Array) -> Array:
    """What is handed out is part of a whole batch, which it would keep in memory."""
    copied = np.array(output)
    copied.flags.writeable = False
    return copied
