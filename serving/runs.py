"""One batch through the model: inputs joined, outputs told apart, and what failed together tried one by one.

May happen in any thread: it touches its own batch and the model, nothing else.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from time import monotonic_ns

import numpy as np

from contracts.errors import HeadraceError
from serving.batches import Batch
from serving.errors import ModelClosed, ModelFailed
from serving.outcomes import Outcome, outcome_of
from serving.padding import PaddingRule
from serving.requests import InferRequest
from serving.tensors import Array

logger = logging.getLogger(__name__)

Run = Callable[[dict[str, Array], tuple[str, ...]], list[Array]]
"""Runs the model on inputs by name for the outputs named; raises HeadraceError."""


class Runs:
    """Runs batches of one model."""

    def __init__(self, name: str, run: Run, padding: PaddingRule | None) -> None:
        self._name, self._model, self._padding = name, run, padding

    def run(self, batch: Batch) -> list[Batch]:
        """Run `batch` and write into it what became of it; if a shared run failed, each ticket becomes a batch by itself."""
        if len(batch.tickets) == 1:
            self._run_alone(batch)
            return [batch]
        try:
            self._run_joined(batch)
        except Exception as error:
            logger.debug("a joined run failed, running its requests one by one: %s", error)
            alone = [Batch([it], it.request.rows, "alone") for it in batch.tickets]
            for it in alone:
                self._run_alone(it)
            return alone
        return [batch]

    def close(self) -> None:
        """Let go of the model."""
        self._model = self._refuse

    def _run_alone(self, batch: Batch) -> None:
        request = batch.tickets[0].request
        started_ns = batch.started_ns = monotonic_ns()
        try:
            outputs = self._model(request.inputs, request.outputs)
            batch.results = [outcome_of(tuple(request.inputs.values()), outputs, request.rows)]
        except HeadraceError as error:
            batch.results, batch.has_answers = [error], False
        except Exception:
            logger.exception("running model %s failed", self._name)
            batch.results, batch.has_answers = [ModelFailed(f"model {self._name!r} failed")], False
        batch.run_ns = monotonic_ns() - started_ns

    def _run_joined(self, batch: Batch) -> None:
        """Raises whatever the run raises, and ModelFailed if the outputs cannot be told apart."""
        requests = [it.request for it in batch.tickets]
        batch.started_ns = monotonic_ns()
        inputs = self._join(requests)
        joined_ns = monotonic_ns()
        outputs = self._model(inputs, requests[0].outputs)
        ended_ns = monotonic_ns()
        for output in outputs:
            if output.shape[:1] != (batch.rows,):
                raise ModelFailed(f"{batch.rows} rows gave an output of shape {output.shape}")
        if self._padding is None:
            outcome = outcome_of(tuple(inputs.values()), outputs, batch.rows)
            batch.results, batch.is_shared = [outcome] * len(requests), True
        else:
            batch.results = [*_cut_apart(self._padding, requests, outputs)]
        batch.input_ns, batch.run_ns, batch.output_ns = (
            joined_ns - batch.started_ns,
            ended_ns - joined_ns,
            monotonic_ns() - ended_ns,
        )

    def _join(self, requests: Sequence[InferRequest]) -> dict[str, Array]:
        names = requests[0].inputs
        if self._padding is not None:
            return {name: self._padding.join(requests, name) for name in names}
        return {name: np.concatenate([it.inputs[name] for it in requests]) for name in names}

    def _refuse(self, _inputs: dict[str, Array], _names: tuple[str, ...]) -> list[Array]:
        raise ModelClosed(self._name)


def _cut_apart(padding: PaddingRule, requests: Sequence[InferRequest], outputs: Sequence[Array]) -> Iterator[Outcome]:
    """Each request's rows of all outputs, without what was filled up."""
    end = 0
    for request in requests:
        begin, end = end, end + request.rows
        own = padding.cut([it[begin:end] for it in outputs], request)
        yield outcome_of(tuple(request.inputs.values()), own, request.rows)
