"""A ticket: one request on its way through a model, and whoever waits for it."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct, field

from contracts.errors import HeadraceError
from serving.requests import InferRequest
from serving.tensors import Array

logger = logging.getLogger(__name__)

Result = list[Array] | HeadraceError
"""A request's outputs, in the order asked for, or why there are none."""


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
    """Called once, on the loop's thread, when `outputs` or `error` is there."""
    enqueued_ns: int = field(default_factory=time.monotonic_ns)
    deadline_ns: int = 0
    """By when the request itself wants its answer; 0 where it does not say."""
    queue_ns: int = 0
    infer_ns: int = 0
    batch_rows: int = 0
    """Rows of the run it was part of; 0 if there was none."""
    outputs: list[Array] = []
    """Those of `request.outputs`, in that order."""
    error: HeadraceError | None = None
    is_over: bool = False
    """It was settled; whatever comes of it now is dropped."""
    cache: str = ""
    """What a cache in front of the model says of it: "hit", "miss", or nothing."""

    def finish(self, result: Result) -> None:
        """Settle it, unless it is settled already; `settle` and `caller` are gone then."""
        if self.is_over:
            return
        self.is_over = True
        if isinstance(result, list):
            self.outputs = result
        else:
            self.error = result
        settle = self.settle
        del self.settle, self.caller  # they know this ticket: a circle keeps the arrays until the next garbage collection
        try:
            settle(self)
        except Exception:  # the caller's defect must not cost the rest of the batch its answers
            logger.exception("settling a request failed")
