"""One batch through the model: inputs joined, outputs told apart, and what failed together tried one by one.

May happen in any thread: it touches its own batch and the model, nothing else.
"""

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np

from contracts.errors import HeadraceError
from serving.batch_statistics import Closed
from serving.errors import ModelClosed, ModelFailed
from serving.padding import PaddingRule
from serving.queueing import Batch
from serving.requests import InferRequest
from serving.tensors import Array
from serving.tickets import Result, Ticket

logger = logging.getLogger(__name__)

Run = Callable[[dict[str, Array], tuple[str, ...]], list[Array]]
"""Runs the model on inputs by name for the outputs named; raises HeadraceError."""


class Outcome:
    """What became of the tickets of one run. Times are nanoseconds."""

    __slots__ = ("closed", "input_ns", "output_ns", "results", "rows", "run_ns", "started_ns", "tickets")

    def __init__(self, tickets: list[Ticket], rows: int, closed: Closed) -> None:
        self.tickets, self.rows = tickets, rows
        self.closed: Closed = closed
        self.results: list[Result] = []
        """In the order of the tickets."""
        self.started_ns = time.monotonic_ns()
        self.input_ns = 0
        self.run_ns = 0
        self.output_ns = 0


class Runs:
    """Runs batches of one model."""

    def __init__(self, name: str, run: Run, padding: PaddingRule | None) -> None:
        self._name, self._model, self._padding = name, run, padding

    def run(self, batch: Batch) -> list[Outcome]:
        """One outcome, or if a shared run failed one for each ticket."""
        if len(batch.tickets) == 1:
            return [self._alone(batch.tickets[0], batch.closed)]
        try:
            return [self._joined(batch)]
        except Exception as error:
            logger.debug("a joined run failed, running its requests one by one: %s", error)
            return [self._alone(it, "alone") for it in batch.tickets]

    def close(self) -> None:
        """Let go of the model."""
        self._model = self._refuse

    def _alone(self, ticket: Ticket, closed: Closed) -> Outcome:
        request = ticket.request
        outcome = Outcome([ticket], request.rows, closed)
        try:
            outcome.results.append(self._model(request.inputs, request.outputs))
        except HeadraceError as error:
            outcome.results.append(error)
        except Exception:
            logger.exception("running model %s failed", self._name)
            outcome.results.append(ModelFailed(f"model {self._name!r} failed"))
        outcome.run_ns = time.monotonic_ns() - outcome.started_ns
        return outcome

    def _joined(self, batch: Batch) -> Outcome:
        """Raises whatever the run raises, and ModelFailed if the outputs cannot be told apart."""
        outcome = Outcome(batch.tickets, batch.rows, batch.closed)
        requests = [it.request for it in batch.tickets]
        inputs = self._join(requests)
        joined_ns = time.monotonic_ns()
        outputs = self._model(inputs, requests[0].outputs)
        ended_ns = time.monotonic_ns()
        for output in outputs:
            if output.shape[:1] != (batch.rows,):
                raise ModelFailed(f"{batch.rows} rows gave an output of shape {output.shape}")
        outcome.results += self._split(requests, outputs)
        outcome.input_ns, outcome.run_ns = joined_ns - outcome.started_ns, ended_ns - joined_ns
        outcome.output_ns = time.monotonic_ns() - ended_ns
        return outcome

    def _join(self, requests: Sequence[InferRequest]) -> dict[str, Array]:
        names = requests[0].inputs
        if self._padding is not None:
            return {name: self._padding.join(requests, name) for name in names}
        return {name: np.concatenate([it.inputs[name] for it in requests]) for name in names}

    def _split(self, requests: Sequence[InferRequest], outputs: Sequence[Array]) -> list[list[Array]]:
        """Each request's rows of all outputs."""
        results: list[list[Array]] = []
        end = 0
        for request in requests:
            begin, end = end, end + request.rows
            results.append([it[begin:end] for it in outputs])
        if self._padding is None:
            return results
        names = requests[0].outputs
        return [
            [self._padding.cut(output, name, request) for name, output in zip(names, result, strict=True)]
            for request, result in zip(requests, results, strict=True)
        ]

    def _refuse(self, _inputs: dict[str, Array], _names: tuple[str, ...]) -> list[Array]:
        raise ModelClosed(self._name)
