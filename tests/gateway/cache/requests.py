"""Requests and answers for the tests of the cache, and whoever waits for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from serving.batcher import Ticket
from serving.requests import InferRequest
from serving.tensors import Array

TEXTS = st.text(max_size=5)
NUMBERS = st.sampled_from(["?", "u1", "i1", "<i2", "<u4", "<i8", "<f2", "<f4", "<f8"])
SHAPES = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
ARRAYS: st.SearchStrategy[Array] = st.one_of(
    NUMBERS.flatmap(lambda it: npst.arrays(np.dtype(it), SHAPES)),
    npst.arrays(np.dtype(object), SHAPES, elements=TEXTS),
)


def asking(inputs: Mapping[str, Any], outputs: tuple[str, ...] = ("y",), timeout_us: int | None = None) -> InferRequest:
    """A request for `outputs`, by its inputs' arrays."""
    arrays = {name: np.asarray(it) for name, it in inputs.items()}
    rows = len(next(iter(arrays.values()))) if arrays and next(iter(arrays.values())).ndim else 1
    return InferRequest(arrays, rows, outputs, (False,) * len(outputs), timeout_us=timeout_us)


def row(value: float, timeout_us: int | None = None) -> InferRequest:
    """One row of one number."""
    return asking({"x": np.array([[value]], np.float32)}, timeout_us=timeout_us)


def are_same(left: Array, right: Array) -> bool:
    """Whether two arrays agree in type, shape and every bit."""
    if (left.dtype, left.shape) != (right.dtype, right.shape):
        return False
    return left.tolist() == right.tolist() if left.dtype.kind == "O" else left.tobytes() == right.tobytes()


class Waiting:
    """A caller, and the tickets it got back."""

    def __init__(self) -> None:
        self.is_gone = False
        self.over: list[Ticket] = []

    def settle(self, ticket: Ticket) -> None:
        self.over.append(ticket)

    @property
    def ticket(self) -> Ticket:
        """The one it got."""
        (ticket,) = self.over
        return ticket

    @property
    def answer(self) -> list[Any]:
        """The values of the only output of the one it got."""
        assert self.ticket.error is None
        (output,) = self.ticket.outputs
        return output.tolist()
