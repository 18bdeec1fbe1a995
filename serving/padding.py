"""Padding: requests of different lengths share a run, their inputs filled up to one length and their outputs cut back.

What may be filled are the free axes behind the first. Filling may waste at most as much again for each of them: requests share a
run only if their lengths lie in the same bucket, or, where no buckets are given, between the same powers of two.
"""

import math
from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from contracts.workers import Choice
from serving.errors import ModelFailed
from serving.requests import InferRequest
from serving.tensors import Array

SHORT: Final = 16
"""Lengths up to this may always be filled up to one another; there is little to waste."""
MAX_FILLED_BYTES: Final = 16 << 20
MAX_FILLED: Final = 4
"""Filling up must not make more than either of this out of an input, whatever its buckets are."""


class Source(Struct, frozen=True):
    """An axis of an input, whose length an axis of an output repeats."""

    name: str
    axis: int


class PaddingRule(Struct, frozen=True):
    """How a model's inputs are filled and its outputs cut back."""

    value: float
    buckets: tuple[int, ...]
    """Ascending; lengths an axis is filled up to. Empty: up to the longest in the batch."""
    axes: Mapping[str, tuple[int, ...]]
    """Of each input, the axes that may be filled."""
    cuts: Mapping[str, Mapping[int, Source]]
    """Of each output, the axes to be cut back, and to the length of what."""

    def describe(self) -> Choice:
        """For people."""
        upto = " or ".join(map(str, self.buckets)) or "the longest of the batch"
        reason = "Made-up requests of different lengths were given the same answers together as alone."
        return Choice("padding", f"{self.value:g} up to {upto}", reason, True)

    def key(self, request: InferRequest) -> Hashable:
        """Requests of the same key may share a run."""
        return request.outputs, *[
            self._class(request.inputs[name].shape[axis]) for name, axes in self.axes.items() for axis in axes
        ]

    def join(self, requests: Sequence[InferRequest], name: str) -> Array:
        """The input `name` of all `requests`, below one another. Raises ModelFailed if that were mostly filling, and much."""
        arrays = [it.inputs[name] for it in requests]
        axes = self.axes.get(name, ())
        shape = [sum(it.shape[0] for it in arrays), *arrays[0].shape[1:]]
        for axis in axes:
            shape[axis] = self.length([it.shape[axis] for it in arrays])
        if all(list(it.shape[1:]) == shape[1:] for it in arrays):
            return np.concatenate(arrays)
        given = sum([it.nbytes for it in arrays])
        if math.prod(shape) * arrays[0].itemsize > max(MAX_FILLED_BYTES, MAX_FILLED * given):
            raise ModelFailed(f"{given} bytes would be filled up to the shape {shape}")
        joined = np.full(shape, filler(self.value, arrays[0].dtype), arrays[0].dtype)
        end = 0
        for array in arrays:
            begin, end = end, end + array.shape[0]
            joined[(slice(begin, end), *map(slice, array.shape[1:]))] = array
        return joined

    def cut(self, outputs: Sequence[Array], request: InferRequest) -> list[Array]:
        """The `outputs` of `request` as they would be had it run alone."""
        return [self._cut(output, name, request) for name, output in zip(request.outputs, outputs, strict=True)]

    def length(self, lengths: Sequence[int]) -> int:
        """What an axis of these lengths, all of one class, is filled up to."""
        longest = max(lengths)
        bucket = bisect_left(self.buckets, longest)
        return self.buckets[bucket] if bucket < len(self.buckets) else longest

    def _cut(self, output: Array, name: str, request: InferRequest) -> Array:
        cuts = self.cuts.get(name)
        if not cuts:
            return output
        ends = {axis: request.inputs[it.name].shape[it.axis] for axis, it in cuts.items()}
        return output[tuple(slice(ends.get(axis)) for axis in range(output.ndim))]

    def _class(self, length: int) -> int:
        if not self.buckets:
            return (max(length, SHORT) - 1).bit_length()
        bucket = bisect_left(self.buckets, length)
        return self.buckets[bucket] if bucket < len(self.buckets) else length


def filler(value: float, dtype: np.dtype[np.generic]) -> object:
    """`value` as an element of `dtype`; text is filled with empty text."""
    return "" if dtype.kind == "O" else dtype.type(value)
