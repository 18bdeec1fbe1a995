"""A ticket: one request on its way through a model, and whoever waits for it."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct, field

from contracts.errors import HeadraceError
from serving.outcomes import Outcome, outcome_of
from serving.requests import InferRequest
from serving.tensors import Array

logger = logging.getLogger(__name__)

Result = Outcome | HeadraceError
"""What the run gave, or why it gave nothing."""


class Caller(Protocol):
    """Whoever waits for a ticket."""

    @property
    def is_gone(self) -> bool:
        """It waits no more; its ticket need not run."""
        ...


class Ticket(Struct, eq=False):
    """One request on its way through the model. (A Struct, because that is made in half the time.)"""

    request: InferRequest
    caller: Caller
    settle: Callable[["Ticket"], None]
    """Called once, on the loop's thread, when `outcome` or `error` is there."""
    enqueued_ns: int = field(default_factory=time.monotonic_ns)
    deadline_ns: int = 0
    """By when the request itself wants its answer; 0 where it does not say."""
    queue_ns: int = 0
    infer_ns: int = 0
    batch_rows: int = 0
    """Rows of the run it was part of; 0 if there was none."""
    outcome: Outcome | None = None
    """Of the run it was part of."""
    begin: int = 0
    """Its first row in `outcome`."""
    error: HeadraceError | None = None
    is_over: bool = False
    """It was settled; whatever comes of it now is dropped."""
    cache: str = ""
    """What a cache in front of the model says of it: "hit", "miss", or nothing."""

    @property
    def outputs(self) -> list[Array]:
        """Those of `request.outputs`, in that order; none without an outcome."""
        return [] if self.outcome is None else self.outcome.outputs_of(self.begin, self.request.rows)

    def answer(self, outputs: list[Array]) -> None:
        """Settle it with `outputs` that it shares with nobody."""
        request = self.request
        self.finish(outcome_of(tuple(request.inputs.values()), outputs, request.rows))

    def finish(self, result: Result, begin: int = 0) -> None:
        """Settle it, unless it is settled already; `settle` and `caller` are gone then.

        Of an outcome it owns the rows from `begin` on.
        """
        if self.is_over:
            return
        self.is_over = True
        if isinstance(result, Outcome):
            self.outcome, self.begin = result, begin
        else:
            self.error = result
        settle = self.settle
        del self.settle, self.caller  # they know this ticket: a circle keeps the arrays until the next garbage collection
        try:
            settle(self)
        except Exception:  # the caller's defect must not cost the rest of the batch its answers
            logger.exception("settling a request failed")
