"""One run, or look-up, that several identical requests wait for. It belongs to none of them: each may leave."""

import time
from collections.abc import Callable
from typing import Final

from contracts.errors import HeadraceError
from serving.batcher import Ticket
from serving.errors import CallerLeft, RequestTimedOut
from serving.requests import InferRequest

LEAST_LEFT_US: Final = 5_000
"""With less time left than that it is not worth running again."""


class Flight:
    """Those who wait, the oldest first."""

    __slots__ = ("began_ns", "is_looking", "key", "name", "waiters")

    def __init__(self, name: object, key: bytes, first: Ticket) -> None:
        self.name, self.key = name, key
        self.waiters = [first]
        self.is_looking = False
        self.began_ns = 0
        """When it was submitted to the model, by `time.monotonic_ns`."""

    @property
    def request(self) -> InferRequest:
        """What all of them ask."""
        return self.waiters[0].request

    @property
    def is_gone(self) -> bool:
        """Nobody waits any more."""
        return all(it.caller.is_gone for it in self.waiters)

    def fail(self, waiters: list[Ticket], error: HeadraceError, run_alone: Callable[[Ticket, InferRequest], None]) -> None:
        """Hand `error` to all, but let those run for themselves who joined late and whose time is not over."""
        now_ns = time.monotonic_ns()
        for ticket in waiters:
            again = self._again(ticket, error, now_ns)
            if again is None or ticket.caller.is_gone:
                ticket.finish(error)
            else:
                run_alone(ticket, again)

    def _again(self, ticket: Ticket, error: HeadraceError, now_ns: int) -> InferRequest | None:
        """What `ticket` may still ask by itself, in the time that it has left."""
        request = ticket.request
        if isinstance(error, CallerLeft) and not request.timeout_us:  # it joined when the batcher had looked who is there
            return request
        if isinstance(error, CallerLeft | RequestTimedOut):
            limit_us = request.timeout_us or (now_ns - self.began_ns) // 1000  # all have the same, and the flight used it up
            left_us = limit_us - (now_ns - ticket.enqueued_ns) // 1000
            return _with_timeout(request, left_us) if left_us >= LEAST_LEFT_US else None
        return None


def _with_timeout(request: InferRequest, timeout_us: int) -> InferRequest:
    return InferRequest(request.inputs, request.rows, request.outputs, request.binary, request.id, request.priority, timeout_us)
