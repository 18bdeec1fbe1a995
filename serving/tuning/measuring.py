"""Measuring what runs of a model cost, within a time budget."""

import time
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from contracts.errors import HeadraceError
from contracts.workers import CurvePoint
from serving.runs import Run
from serving.tensors import Array

MAX_ROWS: Final = 128
POINT_S: Final = 0.0015
"""How long runs of one size are repeated at least; the quickest counts, because others on the machine only ever slow it down."""
POINT_RUNS: Final = 3
SLOW_S: Final = 0.03
"""A run that takes longer is repeated once only."""
MAX_BYTES: Final = 64 << 20
"""Of a run's inputs and outputs."""
FALLING: Final = 2
"""After so many sizes in a row that gave fewer rows a second than the best, larger ones are not tried."""

Inputs = dict[str, Array]


def measure_rows(
    run: Run, names: tuple[str, ...], row: Inputs, sizes: Iterable[int], threads: int, ends: float
) -> list[CurvePoint]:
    """What a run of each of `sizes` times the rows of `row` costs; the first size in any case, the others until `ends`.

    `ends` is a time of `time.perf_counter`. Sizes ascend. They are given up when the model refuses one, when rows per second
    fall, and when the next would not be done in time or takes too much memory.
    """
    points: list[CurvePoint] = []
    fallen, best = 0, 0.0
    rows_of_one = max((it.shape[0] if it.ndim else 1 for it in row.values()), default=1)
    for size in sizes:
        inputs = {name: np.concatenate([it] * size) for name, it in row.items()} if size > 1 else row
        try:
            run_s, run_bytes = _measure(run, names, inputs)
        except HeadraceError:
            break
        points.append(CurvePoint(size * rows_of_one, threads, round(run_s * 1e6, 2)))
        fallen = fallen + 1 if size / run_s < best else 0
        best = max(best, size / run_s)
        next_s = 2 * run_s * (2 if run_s > SLOW_S else 1 + POINT_RUNS)
        if fallen == FALLING or run_bytes * 2 > MAX_BYTES or time.perf_counter() + next_s > ends:
            break
    return points


def doublings(most: int) -> Iterator[int]:
    """1, 2, 4 … and `most` itself."""
    size = 1
    while size < most:
        yield size
        size *= 2
    yield most


def thread_counts(cores: int) -> list[int]:
    """What is worth comparing, in this order: all cores, one, and doublings between."""
    return list(dict.fromkeys([cores, *doublings(cores)]))


def _measure(run: Run, names: tuple[str, ...], inputs: Inputs) -> tuple[float, int]:
    """Seconds of the quickest run after a first, and bytes of its inputs and outputs."""
    clock = time.perf_counter
    outputs = run(inputs, names)
    quickest, begun, runs = float("inf"), clock(), 0
    while runs < POINT_RUNS or clock() - begun < POINT_S:
        started = clock()
        run(inputs, names)
        quickest = min(quickest, clock() - started)
        runs += 1
        if quickest > SLOW_S:
            break
    return max(quickest, 1e-9), sum(it.nbytes for it in (*inputs.values(), *outputs))
