"""One cell of a row: from its JSON to what numpy makes an array of."""

import math
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Raw

from gateway.predict.features import Column, Kind
from serving.datatypes import DTYPES, INTEGER_RANGES
from serving.errors import ShapeMismatch
from serving.tensors import Array, from_json

Cell = float | int | bool | str | None | Raw | Array
"""A single value, or nested lists, read or not."""

WORDS: Final[dict[Kind, str]] = {
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "string": "a string",
}
TAKEN: Final[dict[Kind, tuple[type, ...]]] = {"number": (float, int), "integer": (int,), "boolean": (bool,), "string": (str,)}


class CellInvalid(Exception):
    """`str(error)` says why."""


def read_cell(column: Column, data: Raw) -> Cell:
    """The cell in `data`. Raises CellInvalid, or HeadraceError for nested lists."""
    if column.shape:
        return read_nested(column, data)
    try:
        value: Any = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise CellInvalid(f"cannot be read: {error}") from error
    if value is None and column.is_nullable:
        return None
    if type(value) not in TAKEN[column.kind]:
        raise CellInvalid(f"takes {WORDS[column.kind]}, not {_shown(data)}")
    if column.kind != "boolean" and isinstance(value, (int, float)):
        _check_range(column.datatype, value)
    return value


def read_nested(column: Column, data: Cell) -> Array:
    """The array in `data`, of the column's shape. Raises CellInvalid, RequestMalformed, ShapeMismatch or TensorInvalid."""
    if not isinstance(data, Raw):
        assert isinstance(data, np.ndarray)
        return data
    shape = column.shape if -1 not in column.shape else _shape_of(column, data)
    return from_json(column.name, column.datatype, shape, data)


def _shape_of(column: Column, data: Raw) -> tuple[int, ...]:
    """The column's shape with its free lengths as they are along the first list of each depth; `from_json` checks the others."""
    try:
        value = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise CellInvalid(f"cannot be read: {error}") from error
    shape: list[int] = []
    for extent in column.shape:
        if not isinstance(value, list):
            raise ShapeMismatch(f"takes lists nested {len(column.shape)} deep, of the lengths {_lengths(column)}")
        shape.append(len(value) if extent == -1 else extent)
        value = value[0] if value else []
    return tuple(shape)


def _lengths(column: Column) -> str:
    return " x ".join("any" if it == -1 else str(it) for it in column.shape)


def _check_range(datatype: str, value: float) -> None:
    if datatype in INTEGER_RANGES:
        low, high = INTEGER_RANGES[datatype]
        if not low <= value <= high:
            raise CellInvalid(f"is {_number(value)}; {datatype} goes from {low} to {high}")
        return
    try:
        with np.errstate(over="ignore"):
            is_finite = math.isfinite(DTYPES[datatype].type(value))
    except OverflowError:
        is_finite = False
    if not is_finite:
        raise CellInvalid(f"is {_number(value)}, too large for {datatype}")


def _number(value: float) -> str:
    return str(value) if abs(value) < 1 << 100 or isinstance(value, float) else "a number of more than 30 digits"


def _shown(data: Raw) -> str:
    text = bytes(data).decode(errors="replace")
    return text if len(text) <= 40 else f"{text[:40]}…"
