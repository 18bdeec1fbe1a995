"""A model whose runs the test holds back, and counts."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from serving.batch_statistics import Statistics
from serving.batcher import Batcher, BatchPlan, Caller, Ticket
from serving.errors import InputRefusedByModel
from serving.requests import InferRequest
from serving.tensors import Array

REFUSED = 13.0
PATIENCE_S = 20.0


class GatedModel:
    """Answers `y` = `x` + `plus`, and refuses a batch with `REFUSED` in it; runs wait in their thread until `gate` is set."""

    name = "gated"

    def __init__(self, *, plus: float = 0.0, is_open: bool = False, timeout_s: float = PATIENCE_S, **plan: Any) -> None:
        self.gate = threading.Event()
        self.plus = plus
        self.rows: list[float] = []
        """The first value of every row that was run."""
        self._batcher = Batcher("gated", self._run, BatchPlan(joins=True, timeout_s=timeout_s, **plan))
        if is_open:
            self.gate.set()

    @property
    def statistics(self) -> Statistics:
        return self._batcher.statistics

    @property
    def in_flight(self) -> int:
        return self._batcher.in_flight

    def submit(self, request: InferRequest, caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        return self._batcher.submit(request, caller, settle)

    def close(self) -> None:
        self.gate.set()
        self._batcher.close(PATIENCE_S)

    def _run(self, inputs: dict[str, Array], names: tuple[str, ...]) -> list[Array]:
        assert self.gate.wait(PATIENCE_S)
        values = inputs["x"]
        self.rows += values[:, 0].tolist()
        if (values == REFUSED).any():
            raise InputRefusedByModel("13 is refused")
        return [values + np.float32(self.plus) for _ in names]
