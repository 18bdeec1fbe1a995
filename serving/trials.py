"""Running a model on made-up inputs before it serves, to warm it up and to see how it may be served."""

import logging
import math
import time
from collections.abc import Iterable
from itertools import chain
from typing import Final

import numpy as np

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.datatypes import DTYPES
from serving.requests import RequestDecoder
from serving.runs import Run
from serving.sessions import Signature
from serving.tensors import Array

logger = logging.getLogger(__name__)

FREE_DIMENSIONS: Final = (64, 224, 32, 8, 1)
"""Sizes tried for free dimensions behind the first, until the model takes one; the first are those that are seen in earnest."""
MAX_TRIAL_ELEMENTS: Final = 4_000_000

LONG_TEXT: Final = "some words " * 2000
TEXT_RUNS: Final = 5
DEARER: Final = 5.0
"""What is made of a text of 22,000 characters may cost so many times an empty one's: categories are looked up, not read."""

Inputs = dict[str, Array]


def find_trial(signature: Signature, run: Run, example: str | None) -> Inputs | None:
    """Inputs that the model takes: the file's own example, or made up, one row; None if neither works."""
    for inputs in chain(_from_example(signature, example), _made_up(signature)):
        try:
            run(inputs, signature.output_names)
        except HeadraceError:
            continue
        return inputs
    logger.warning("found no input to warm up with; the model is served one request a run")
    return None


def _made_up(signature: Signature) -> Iterable[Inputs]:
    random = np.random.default_rng(0)
    for size in FREE_DIMENSIONS:
        if max((math.prod(_made_up_shape(it, size)) for it in signature.inputs), default=0) <= MAX_TRIAL_ELEMENTS:
            yield {it.name: _made_up_tensor(it, size, random) for it in signature.inputs}


def _made_up_tensor(tensor: Tensor, size: int, random: np.random.Generator) -> Array:
    dtype, shape = DTYPES[tensor.datatype], _made_up_shape(tensor, size)
    if dtype.kind == "O":
        return np.full(shape, "", np.object_)
    return (random.random(shape) if dtype.kind == "f" else random.integers(0, 2, shape)).astype(dtype)


def _made_up_shape(tensor: Tensor, size: int) -> tuple[int, ...]:
    return tuple(extent if extent >= 0 else 1 if axis == 0 else size for axis, extent in enumerate(tensor.shape))


def _from_example(signature: Signature, example: str | None) -> Iterable[Inputs]:
    if example is None:
        return
    try:
        decoder = RequestDecoder(signature.inputs, signature.outputs, is_batched=False)
        yield decoder.decode(b'{"inputs":%s}' % example.encode()).inputs
    except HeadraceError as error:
        logger.warning("the file's headrace.example does not fit its own inputs: %s", error)


def reads_texts(row: Inputs, run: Run, names: tuple[str, ...]) -> bool:
    """Whether a run of `row` takes much longer if its texts are long; what cannot be tried does."""
    if not any(it.dtype.kind == "O" for it in row.values()):
        return False
    long = {name: np.full_like(it, LONG_TEXT) if it.dtype.kind == "O" else it for name, it in row.items()}
    try:
        return _quickest_s(long, run, names) > DEARER * _quickest_s(row, run, names)
    except HeadraceError:
        return True


def _quickest_s(inputs: Inputs, run: Run, names: tuple[str, ...]) -> float:
    times: list[float] = []
    for _ in range(TEXT_RUNS):
        started = time.perf_counter()
        run(inputs, names)
        times.append(time.perf_counter() - started)
    return min(times)


def is_rowwise(trial: Inputs, run: Run, names: tuple[str, ...]) -> bool:
    """Whether different rows give the same together as alone; a model that mixes its rows must never be joined."""
    variants = [{name: vary(array) for name, array in trial.items()} for vary in (_same_again, _shifted, _opposite)]
    try:
        alone = [run(it, names) for it in variants]
        together = run({name: np.concatenate([it[name] for it in variants]) for name in trial}, names)
    except HeadraceError:
        return False
    rows = len(next(iter(trial.values())))
    return all(
        all(part.shape[0] == rows for part in parts) and is_equal(joined, np.concatenate(parts))
        for joined, *parts in zip(together, *alone, strict=True)
    )


def _same_again(array: Array) -> Array:
    return array


def _shifted(array: Array) -> Array:
    if array.dtype.kind == "f":
        return (array * 2 + 1).astype(array.dtype)
    return 1 - array.clip(0, 1) if array.dtype.kind in "iu" else array


def _opposite(array: Array) -> Array:
    """Negative numbers; indices had better stay what they are."""
    return -array if array.dtype.kind == "f" else ~array if array.dtype.kind == "b" else array


def is_equal(joined: Array, parts: Array) -> bool:
    """Whether these are the same answers but for rounding."""
    if joined.shape != parts.shape:
        return False
    if joined.dtype.kind == "f":  # a larger matrix product may add up in another order
        return bool(np.allclose(joined, parts, rtol=1e-3, atol=1e-5, equal_nan=True))
    return bool((joined == parts).all())
