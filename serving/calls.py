"""One inference call from its bytes to its answer, whatever protocol it came by."""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from contracts.errors import HeadraceError
from serving.batcher import Caller, Ticket
from serving.errors import AnswerUnencodable, CallerLeft, CallFailed
from serving.models import Model
from serving.requests import InferRequest

logger = logging.getLogger(__name__)

PREPARING: Final = ThreadPoolExecutor(2, thread_name_prefix="prepare")
"""Decompresses and decodes. Few threads: each that decodes keeps the event loop waiting for Python's lock, 5 ms at a time."""
Submit = Callable[[InferRequest, Caller, Callable[[Ticket], None]], Ticket]
"""`Model.submit`, or what stands in front of it. Raises HeadraceError."""


class Call(ABC):
    """A protocol says how to decode, to answer and to refuse; the rest is the same for all. Times are nanoseconds.

    `begin` never raises: what goes wrong is told to the caller, and `on_over` is called exactly once, right after the answer
    was handed over.
    """

    __slots__ = (
        "_on_over",
        "arrived_ns",
        "context",
        "decode_ns",
        "encode_ns",
        "error",
        "headers",
        "model",
        "request",
        "size_bytes",
        "status",
        "ticket",
    )

    def __init__(self, arrived_ns: int, size_bytes: int) -> None:
        self.arrived_ns = arrived_ns
        """By `time.monotonic_ns`."""
        self.size_bytes = size_bytes
        """Of the encoded request, which its arrays may be views of."""
        self.status = 200
        """As HTTP counts."""
        self.error = ""
        """Class name of the error; empty on success."""
        self.headers = b""
        """Whole header lines, each with its line end, that the answer carries."""
        self.decode_ns = self.encode_ns = 0
        self.request: InferRequest | None = None
        """None if the request could not be decoded; what is there before `begin` was decoded by then."""
        self.ticket: Ticket | None = None
        """None if it was never queued."""
        self.context: Any = None
        """What `on_over` wants to know of it."""
        self.model: Model
        self._on_over: Callable[[Call], None]

    @property
    @abstractmethod
    def is_gone(self) -> bool:
        """The caller left; nobody reads the answer."""

    @abstractmethod
    def decode(self, model: Model) -> InferRequest:
        """Raises HeadraceError."""

    @abstractmethod
    def answer(self, ticket: Ticket) -> None:
        """Encode what `ticket` was given, and send it."""

    @abstractmethod
    def refuse(self, error: HeadraceError) -> None:
        """Send `error`."""

    def begin(self, model: Model, submit: Submit, on_over: Callable[["Call"], None]) -> None:
        """Decode, queue, and answer when the model has."""
        self.model, self._on_over = model, on_over
        try:
            request = self.request = self.request or self.decode(model)
            self.decode_ns = time.monotonic_ns() - self.arrived_ns
            self.ticket = submit(request, self, self._settle)
        except HeadraceError as error:
            self._fail(error)
        except Exception:
            logger.exception("a request to model %s failed", model.name)
            self._fail(CallFailed())

    def begin_aside(
        self, prepare: Callable[[], InferRequest], model: Model, submit: Submit, on_over: Callable[["Call"], None]
    ) -> None:
        """As `begin`, once `prepare` has decoded the request in a thread. It raises HeadraceError."""
        preparing = asyncio.get_running_loop().run_in_executor(PREPARING, prepare)
        preparing.add_done_callback(lambda it: self._begin_prepared(it, model, submit, on_over))

    def why_not_go_on(self) -> HeadraceError | None:
        """Asked when a request was decoded aside: what has come between; None if nothing has."""
        return CallerLeft() if self.is_gone else None

    def reject(self, error: HeadraceError, on_over: Callable[["Call"], None]) -> None:
        """Refuse before it began."""
        self._on_over = on_over
        self._fail(error)

    def _begin_prepared(
        self, preparing: asyncio.Future[InferRequest], model: Model, submit: Submit, on_over: Callable[["Call"], None]
    ) -> None:
        # not raised here: its traceback would be a circle with this frame, and keep what was decompressed in memory
        error = preparing.exception() or self.why_not_go_on()
        if error is None:
            self.request = preparing.result()
            Call.begin(self, model, submit, on_over)
        elif isinstance(error, HeadraceError):
            self.reject(error, on_over)
        else:
            logger.error("decoding a request failed", exc_info=error)
            self.reject(CallFailed(), on_over)

    def _fail(self, error: HeadraceError) -> None:
        self.status, self.error = error.status, type(error).__name__
        if not self.is_gone:
            self.refuse(error)
        self._on_over(self)

    def _settle(self, ticket: Ticket) -> None:
        self.ticket = ticket  # a cache may settle before `submit` has returned
        if ticket.error is not None:
            self._fail(ticket.error)
            return
        if self.is_gone:
            self._fail(CallerLeft())
            return
        started = time.monotonic_ns()
        try:
            self.answer(ticket)
        except HeadraceError as error:
            self._fail(error)
            return
        except Exception:
            logger.exception("encoding an answer of model %s failed", self.model.name)
            self._fail(AnswerUnencodable(self.model.name))
            return
        self.encode_ns = time.monotonic_ns() - started
        self._on_over(self)
