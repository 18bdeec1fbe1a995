"""Which columns of a file make up which inputs of a model.

* An input of one number or text a row (shape [-1] or [-1, 1]) is the column of the input's name.
* An input of N of them (shape [-1, N]) is N columns: named by the model's metadata `headrace.features` if it is the only input
  and that lists N names, otherwise `<input>_0`, `<input>_1`, …
* Any input can be one column of the input's name that holds (nested) lists, in CSV as JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from contracts.signature import Tensor
from control.batch_jobs.errors import InputRefused

FEATURES_KEY: Final = "headrace.features"
SHOWN_NAMES: Final = 6


class Feature(Struct, frozen=True):
    """One input of the model."""

    input: str
    datatype: str
    shape: tuple[int, ...]
    """Of one row; -1 is a free dimension."""
    columns: tuple[str, ...]
    """One column whose values have this shape, or as many columns of single values as `shape` (of one dimension) says."""


class Layout(Struct, frozen=True):
    """How rows become requests."""

    features: tuple[Feature, ...]
    is_batched: bool
    """A request can hold several rows."""
    has_row_axis: bool
    """Inputs and outputs have a first dimension for the rows, even if it is always 1."""


def lay_out(inputs: Sequence[Tensor], metadata: Mapping[str, str], columns: Sequence[str]) -> Layout:
    """Raises InputRefused if `columns` lack one that the model needs."""
    first_dimensions = {it.shape[0] if it.shape else None for it in inputs}
    has_row_axis = first_dimensions <= {-1, 1}
    names = feature_names(metadata) if len(inputs) == 1 else ()
    features = tuple(_feature(it, it.shape[1:] if has_row_axis else it.shape, names, columns) for it in inputs)
    return Layout(features, first_dimensions == {-1}, has_row_axis)


def feature_names(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The names of a single input's values, if the file's metadata has them."""
    try:
        found = msgspec.json.decode(metadata.get(FEATURES_KEY, "[]"), type=list[str | dict[str, Any]])
    except (msgspec.DecodeError, UnicodeError):
        return ()
    return tuple(it if isinstance(it, str) else str(it.get("name", "")) for it in found)


def _feature(tensor: Tensor, shape: tuple[int, ...], names: tuple[str, ...], columns: Sequence[str]) -> Feature:
    candidates = list(_candidates(tensor.name, shape, names))
    there = set(columns)
    for candidate in candidates:
        if there.issuperset(candidate):
            return Feature(tensor.name, tensor.datatype, shape, candidate)
    wanted = candidates[0]
    lacking = next(name for name in wanted if name not in there)
    alternative = "" if wanted == (tensor.name,) else f" (or one column {tensor.name!r} with lists)"
    raise InputRefused(
        f"the file has no column {lacking!r}; the model's input {tensor.name!r} needs {_listed(wanted)}{alternative}, "
        f"the file has {_listed(columns)}"
    )


def _candidates(input: str, shape: tuple[int, ...], names: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
    if shape == ():
        return [names, (input,)] if len(names) == 1 else [(input,)]
    if len(shape) != 1 or shape[0] < 1:
        return [(input,)]
    numbered = tuple(f"{input}_{it}" for it in range(shape[0]))
    named = [names] if len(names) == shape[0] else []
    return [*named, (input,), numbered] if shape[0] == 1 else [*named, numbered, (input,)]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:SHOWN_NAMES]))
    return f"{shown} and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else shown or "none"
