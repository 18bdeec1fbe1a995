"""From a tensor's data in a request, JSON or binary, to a numpy array of the declared shape and datatype.

Numbers in JSON take one of three ways. A few are packed one by one (4 of them: 0.5 µs, against 1.4 µs by way of a parser's
buffer); many are written into one buffer by simdjson (784 of them: 11 µs, against 32 µs by way of a Python list). Whatever
neither takes goes the careful way, value by value, which finds what is wrong and says where, or that nothing is: nulls, for one,
are fine in floating point, and mean NaN.
"""

import math
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np
import simdjson
from msgspec import Raw

from serving.buffers import Buffer
from serving.datatypes import DTYPES, INTEGER_RANGES
from serving.errors import RequestMalformed, ShapeMismatch, TensorInvalid

Array = np.ndarray[Any, np.dtype[Any]]
Shape = Sequence[int]

_WIDE: Final = {"f": ("d", np.dtype(np.float64)), "i": ("i", np.dtype(np.int64)), "u": ("u", np.dtype(np.uint64))}
"""What simdjson writes for each kind of number, and what numpy calls that."""
FEW: Final = 64
"""Up to here numbers are packed one by one."""
_FEW_DECODERS: Final = {"f": msgspec.json.Decoder(list[float]), "i": msgspec.json.Decoder(list[int])}
_FEW_DECODERS["u"] = _FEW_DECODERS["i"]
PACKED: Final = {np.dtype(it): it for it in "bBhHiIqQefd"}
"""The letters by which `struct` knows numpy's types, which are numpy's own."""
_FLAT_LISTS: Final = {"b": msgspec.json.Decoder(list[bool]), "O": msgspec.json.Decoder(list[str])}
_ELEMENTS: Final = {
    kind: frozenset[type](it)
    for kind, it in {"f": (float, int, type(None)), "i": (int,), "u": (int,), "b": (bool,), "O": (str,)}.items()
}
_WORDS: Final = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true and false", "O": "strings"}
_SAFE_SQUARES: Final = {np.dtype(it): float(np.finfo(it).max) ** 2 for it in (np.float16, np.float32)}
"""Numbers whose squares add up to less than this all fit into the type."""


def from_json(name: str, datatype: str, shape: Shape, data: Raw) -> Array:
    """The array in `data`: flat, or nested exactly as `shape` says. Raises RequestMalformed, ShapeMismatch or TensorInvalid."""
    dtype, count = DTYPES[datatype], math.prod(shape)
    if dtype.kind in _WIDE and count:
        array = _few(data, dtype, shape, count) if count <= FEW else _many(data, dtype, shape, count)
        if array is not None:
            return array
    values = _values(name, data, dtype.kind, shape)
    if len(values) != count:
        raise ShapeMismatch(f"input {name!r} of shape {list(shape)} takes {count} values, {len(values)} were given")
    return shaped(name, shape, _array(name, datatype, values))


def from_bytes(name: str, datatype: str, shape: Shape, body: Buffer, offset: int, size: int) -> Array:
    """The array in the `size` bytes of `body` at `offset`, not copied if it is aligned. Raises as `from_json`."""
    dtype, count = DTYPES[datatype], math.prod(shape)
    if dtype.kind == "O":
        return shaped(name, shape, _strings(name, shape, count, memoryview(body)[offset : offset + size]))
    if count * dtype.itemsize != size:
        needed = count * dtype.itemsize
        raise ShapeMismatch(f"input {name!r}, {datatype} of shape {list(shape)}, takes {needed} bytes, not {size}")
    if not count:
        return shaped(name, shape, np.empty(0, dtype))
    array = np.frombuffer(body, dtype, count, offset)
    if dtype.kind == "b" and array.view(np.uint8).max() > 1:
        raise TensorInvalid(f"input {name!r} is BOOL; its bytes must be 0 or 1")
    return (array if array.flags.aligned else array.copy()).reshape(shape)


def _few(data: Raw, dtype: np.dtype[Any], shape: Shape, count: int) -> Array | None:
    """The array in `data`, which is flat; None if it is not, or if something about it needs the careful way."""
    try:
        packed = struct.pack(f"<{count}{PACKED[dtype]}", *_FEW_DECODERS[dtype.kind].decode(data))
    except (msgspec.DecodeError, struct.error, OverflowError, RecursionError):
        return None
    return np.ndarray(shape, dtype, packed)


def _many(data: Raw, dtype: np.dtype[Any], shape: Shape, count: int) -> Array | None:
    """The array in `data`, flat or nested; None if something about it needs the careful way."""
    code, wide_type = _WIDE[dtype.kind]
    try:
        document: Any = simdjson.Parser().parse(data)
        wide = np.frombuffer(document.as_buffer(of_type=code), wide_type)
    except (ValueError, TypeError, RuntimeError, AttributeError):
        return None
    if wide.size != count or not _is_nested(document, bytes(data), shape):
        return None
    wide = wide.reshape(shape)
    if dtype == wide_type:
        return wide
    if dtype.kind == "f":
        return wide.astype(dtype) if np.vdot(wide, wide) < _SAFE_SQUARES[dtype] else None
    low, high = INTEGER_RANGES[dtype.name.upper()]
    return wide.astype(dtype) if low <= wide.min() and wide.max() <= high else None


def _is_nested(document: Any, data: bytes, shape: Shape) -> bool:
    """Whether numbers, as many as `shape` says, are flat or nested as it says.

    The buffer takes them out of any nesting, so the lists are measured here; that none hides among the innermost is seen from
    the number of brackets.
    """
    if data.find(b"[", 1) < 0:
        return True
    brackets = data.count(b"[")
    lists = sum(math.prod(shape[:depth]) for depth in range(len(shape)))
    return brackets == lists and _has_lengths(document, shape)


def _has_lengths(values: Any, shape: Shape) -> bool:
    if len(values) != shape[0]:
        return False
    return len(shape) == 1 or all(isinstance(it, simdjson.Array) and _has_lengths(it, shape[1:]) for it in values)


def _values(name: str, data: Raw, kind: str, shape: Shape) -> list[Any]:
    """The flat list of values in `data`."""
    try:
        if kind in _FLAT_LISTS:
            try:
                return _FLAT_LISTS[kind].decode(data)
            except msgspec.ValidationError:  # nested, or not what it should be
                pass
        return _flat(name, msgspec.json.decode(data), shape)
    except RecursionError as error:
        raise RequestMalformed(f"the data of input {name!r} is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise RequestMalformed(f"the data of input {name!r} cannot be read: {error}") from error


def _flat(name: str, data: Any, shape: Shape) -> list[Any]:
    if not isinstance(data, list):
        return [data]
    level: list[Any] = [data]
    if list not in set(map(type, data)):
        return data
    for depth, size in enumerate(shape):
        if set(map(type, level)) - {list} or set(map(len, level)) - {size}:
            raise ShapeMismatch(f"the data of input {name!r} is not nested as shape {list(shape)} says, in dimension {depth}")
        level = list(chain.from_iterable(level))
    return level


def _array(name: str, datatype: str, values: list[Any]) -> Array:
    dtype = DTYPES[datatype]
    taken = _ELEMENTS[dtype.kind]
    if not taken.issuperset(map(type, values)):
        index, value = next((index, it) for index, it in enumerate(values) if type(it) not in taken)
        shown = msgspec.json.encode(value).decode()[:40]
        raise TensorInvalid(f"value {index} of input {name!r} is {shown}; {datatype} takes {_WORDS[dtype.kind]}")
    if dtype.kind == "O":
        return objects(values)
    if dtype.kind in "iu":
        _check_range(name, datatype, values)
    return _floats(name, datatype, values) if dtype.kind == "f" else np.array(values, dtype)


def _check_range(name: str, datatype: str, values: list[int]) -> None:
    low, high = INTEGER_RANGES[datatype]
    if not values or (low <= min(values) and max(values) <= high):
        return
    index, value = next((index, it) for index, it in enumerate(values) if not low <= it <= high)
    shown = str(value) if abs(value) < 1 << 100 else "a number of more than 30 digits"
    raise TensorInvalid(f"value {index} of input {name!r} is {shown}; {datatype} goes from {low} to {high}")


def _floats(name: str, datatype: str, values: list[float | None]) -> Array:
    try:
        wide = np.array([math.nan if it is None else it for it in values], np.float64)
    except OverflowError as error:
        raise TensorInvalid(f"input {name!r} holds a number too large for {datatype}") from error
    with np.errstate(over="ignore"):
        narrow = wide.astype(DTYPES[datatype])
    if np.isinf(narrow).any():  # JSON cannot say infinity
        index = int(np.isinf(narrow).argmax())
        raise TensorInvalid(f"value {index} of input {name!r} is {values[index]}, too large for {datatype}")
    return narrow


def _strings(name: str, shape: Shape, count: int, data: memoryview) -> Array:
    if count * 4 > len(data):
        raise ShapeMismatch(f"input {name!r} of shape {list(shape)} has too few bytes for {count} strings")
    values: list[str] = []
    position = 0
    while position < len(data):
        begin = position + 4
        position = begin + int.from_bytes(data[position:begin], "little")
        if position > len(data):
            raise RequestMalformed(f"string {len(values)} of input {name!r} runs past the tensor's bytes")
        try:
            values.append(str(data[begin:position], "utf-8"))
        except UnicodeDecodeError as error:
            raise TensorInvalid(f"string {len(values)} of input {name!r} is not UTF-8, as ONNX strings are") from error
    if len(values) != count:
        raise ShapeMismatch(f"input {name!r} of shape {list(shape)} takes {count} strings, {len(values)} were given")
    return objects(values)


def objects(values: list[str]) -> Array:
    """An array of text, 1-D."""
    array = np.empty(len(values), np.object_)
    array[:] = values
    return array


def shaped(name: str, shape: Shape, array: Array) -> Array:
    """`array` in that shape. Raises ShapeMismatch."""
    try:
        return array.reshape(shape)
    except ValueError as error:  # a zero beside dimensions whose product no array can have
        raise ShapeMismatch(f"input {name!r} cannot have shape {list(shape)}") from error
