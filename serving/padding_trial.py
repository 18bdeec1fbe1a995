"""Proof that a model bears padding: requests of different lengths are run alone and together, and must get the same answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from contracts.errors import HeadraceError
from contracts.routes import Padding
from contracts.signature import Tensor
from serving.datatypes import DTYPES
from serving.errors import ModelFailed, PaddingRefused
from serving.padding import PaddingRule, Source
from serving.requests import InferRequest
from serving.runs import Run
from serving.sessions import Signature
from serving.tensors import Array
from serving.trials import is_equal

Axes = Mapping[str, Mapping[int, str]]
"""Of each input the axes that may be filled, by name; axes of one name always have one length."""
Lengths = Mapping[str, int]
"""By name of the axis."""

STRETCHES: Final = ((1.0, 1), (1.5, 2), (2.0, 3))
"""What the length that is known to work is multiplied with and lengthened by, for one request each."""
APART: Final = 7
"""Lengths of differently named axes differ by this, so that an output's axis tells which of them it follows."""


def prove_padding(padding: Padding, signature: Signature, axes: Axes, run: Run, length: int) -> PaddingRule:
    """The rule by which requests may be padded. `length` is one that the model takes for all free axes.

    Raises PaddingRefused with what stands against it.
    """
    names = list(dict.fromkeys(name for it in axes.values() for name in it.values()))
    if not names:
        raise PaddingRefused("none of its inputs has a free axis behind the first")
    _check_value(padding.value, [it for it in signature.inputs if axes[it.name]])
    lengths = [{name: int(length * by) + more + APART * at for at, name in enumerate(names)} for by, more in STRETCHES]
    random = np.random.default_rng(0)
    requests = [_make_up(signature, axes, it, random, is_plain=plain) for plain in (True, False) for it in lengths]
    alone = [_run(run, it.inputs, signature.output_names) for it in requests]
    cuts = {name: _cuts(name, index, axes, lengths, alone) for index, name in enumerate(signature.output_names)}
    rule = PaddingRule(
        padding.value,
        tuple(sorted(padding.buckets)),
        {name: tuple(it) for name, it in axes.items()},
        {name: it for name, it in cuts.items() if it},
    )
    try:
        joined = {name: rule.join(requests, name) for name in axes}
    except ModelFailed as error:
        raise PaddingRefused(f"its buckets are too large for a trial: {error}") from error
    together = _run(run, joined, signature.output_names)
    for row, (request, expected) in enumerate(zip(requests, alone, strict=True)):
        answered = rule.cut([it[row : row + 1] for it in together], request)
        for name, seen, wanted in zip(signature.output_names, answered, expected, strict=True):
            if not is_equal(seen, wanted):
                raise PaddingRefused(f"filled up with {padding.value:g}, an input gives another {name!r} than by itself")
    return rule


def _check_value(value: float, inputs: Iterable[Tensor]) -> None:
    for tensor in inputs:
        dtype = DTYPES[tensor.datatype]
        if dtype.kind in "iu" and not (value.is_integer() and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max):
            raise PaddingRefused(f"{value:g} is no value of its input {tensor.name!r}, which is {tensor.datatype}")
        if dtype.kind == "b" and value not in (0.0, 1.0):
            raise PaddingRefused(f"{value:g} is no value of its input {tensor.name!r}, which is BOOL")


def _make_up(signature: Signature, axes: Axes, lengths: Lengths, random: np.random.Generator, *, is_plain: bool) -> InferRequest:
    """One row. Whole numbers are 1, or unless `is_plain` 0 or 1 with a 1 in front: they may be masks, and nobody masks all."""
    inputs: dict[str, Array] = {}
    for tensor in signature.inputs:
        shape = [1, *tensor.shape[1:]]
        for axis, name in axes[tensor.name].items():
            shape[axis] = lengths[name]
        dtype = DTYPES[tensor.datatype]
        if dtype.kind == "O":
            inputs[tensor.name] = np.full(shape, "a", np.object_)
        elif dtype.kind == "f":
            inputs[tensor.name] = (random.random(shape) * 2 - 1).astype(dtype)
        else:
            values = np.ones(shape) if is_plain else random.integers(0, 2, shape)
            values[..., 0] = 1
            inputs[tensor.name] = values.astype(dtype)
    names = signature.output_names
    return InferRequest(inputs, 1, names, (False,) * len(names), None)


def _run(run: Run, inputs: dict[str, Array], names: tuple[str, ...]) -> list[Array]:
    try:
        return run(inputs, names)
    except HeadraceError as error:
        shapes = ", ".join(f"{name} {list(it.shape)}" for name, it in inputs.items())
        raise PaddingRefused(f"a trial with the made-up inputs {shapes} failed: {error}") from error


def _cuts(name: str, index: int, axes: Axes, lengths: Sequence[Lengths], alone: Sequence[Sequence[Array]]) -> dict[int, Source]:
    """Which axes of an output are as long as which of an input: known from requests whose lengths are all different."""
    outputs = [it[index] for it in alone[: len(lengths)]]
    cuts: dict[int, Source] = {}
    for axis in range(1, outputs[0].ndim):
        extents = [it.shape[axis] for it in outputs]
        if len(set(extents)) == 1:
            continue
        follows = next((it for it in lengths[0] if extents == [own[it] for own in lengths]), None)
        if follows is None:
            raise PaddingRefused(f"axis {axis} of its output {name!r} is neither fixed nor as long as an axis of an input")
        cuts[axis] = next(Source(tensor, at) for tensor, named in axes.items() for at, it in named.items() if it == follows)
    return cuts
