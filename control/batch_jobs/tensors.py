"""From the values of rows to arrays, with a reason for every row that has no right value."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from control.batch_jobs.layout import Feature, Layout
from control.batch_jobs.rows import MISSING, UNREADABLE, Rows

Array = NDArray[Any]
Values = Array | list[Array]
"""One item a row: an array with the rows first, or where the rows' shapes differ a list."""

DTYPES: Final[dict[str, np.dtype[Any]]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(np.object_),
}
"""The protocol's datatypes."""
FLOATS: Final = frozenset({"FP16", "FP32", "FP64"})
SHOWN_VALUE: Final = 40
EXACT_FLOATS: Final = 2**53
"""Below this every whole number is a float."""


class ValueWrong(ValueError):
    """A value does not fit; `str(error)` says why."""


def encode(rows: Rows, layout: Layout) -> tuple[dict[str, Values], dict[int, str]]:
    """Arrays by input, one item for each row, and the reasons of the rows (by index) whose items mean nothing."""
    arrays: dict[str, Values] = {}
    reasons: dict[int, str] = {}
    for feature in layout.features:
        found = [_encode_column(rows.column(name), feature, name, rows.are_texts, reasons) for name in feature.columns]
        arrays[feature.input] = np.stack(found, axis=1) if _is_spread(feature) else found[0]
    return arrays, reasons


def _is_spread(feature: Feature) -> bool:
    """Whether single values of columns are put side by side. (One column named like an input of one value is both.)"""
    return len(feature.columns) > 1 or feature.shape == (1,)


def _encode_column(values: list[Any], feature: Feature, name: str, are_texts: bool, reasons: dict[int, str]) -> Any:
    is_single = _is_spread(feature) or not feature.shape
    convert = _single(feature.datatype, are_texts) if is_single else _nested(feature, are_texts)
    if is_single and (array := _all_at_once(values, feature.datatype, are_texts)) is not None:
        return array
    items: list[Any] = []
    for index, value in enumerate(values):
        try:
            items.append(convert(value))
        except ValueWrong as error:
            reasons.setdefault(index, f"column {name!r}: {error}")
            items.append(None)
    return _filled(items, DTYPES[feature.datatype], is_single)


def _filled(items: list[Any], dtype: np.dtype[Any], is_single: bool) -> Values:
    """The items as one array if that is possible; None becomes whatever has the right shape."""
    if is_single:
        nothing = b"" if dtype.kind == "O" else 0
        return np.array([nothing if it is None else it for it in items], dtype)
    good = [it for it in items if it is not None]
    nothing = np.zeros_like(good[0]) if good else np.zeros(0, dtype)
    filled = [nothing if it is None else it for it in items]
    is_even = bool(filled) and all(it.shape == nothing.shape for it in filled)
    return np.stack(filled) if is_even else filled


def _all_at_once(values: list[Any], datatype: str, are_texts: bool = False) -> Array | None:
    """The usual case: floats and integers that need no second look."""
    kinds = set(map(type, values))
    if are_texts and datatype in FLOATS and kinds == {str}:
        return _texts_at_once(values, datatype)
    if datatype in FLOATS and kinds <= {int, float}:
        with np.errstate(over="ignore"):
            array = np.array(values, np.float64).astype(DTYPES[datatype])
        return array if np.isfinite(array).all() else None
    if datatype.lstrip("U").startswith("INT") and kinds == {int}:
        limits = np.iinfo(DTYPES[datatype])
        is_within = limits.min <= min(values) and max(values) <= limits.max
        return np.array(values, DTYPES[datatype]) if is_within else None
    return None


def _texts_at_once(texts: list[str], datatype: str) -> Array | None:
    try:
        numbers = pa.array(texts, pa.string()).cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    with np.errstate(over="ignore"):
        array = numbers.astype(DTYPES[datatype])
    return array if np.isfinite(array).all() else None


def _single(datatype: str, are_texts: bool) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        _refuse_absent(value)
        if are_texts and datatype != "BYTES":
            value = _parse_text(value, datatype)
        return check(value, datatype)

    return convert


def _parse_text(text: str, datatype: str) -> Any:
    """The value that a cell of a CSV file means; an empty one is none."""
    text = text.strip()
    if not text:
        return None
    if datatype == "BOOL":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if "_" in text:  # Python takes it as a separator of digits
        return text
    return _parse_float(text, datatype) if datatype in FLOATS else _parse_whole(text)


def _parse_float(text: str, datatype: str) -> float | str:
    """The text itself if it is no number. Raises ValueWrong."""
    try:
        number = float(text)
    except ValueError:
        return text
    if math.isinf(number) and "inf" not in text.lower():
        raise ValueWrong(f"{_shown(text)} is too large for {datatype}")
    return number


def _parse_whole(text: str) -> int | float | str:
    """`5.0` as well, which tables with gaps have for 5; the text itself if it is no number, or too large a float to be exact."""
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        return number if abs(number := float(text)) < EXACT_FLOATS else text
    return text


def check(value: Any, datatype: str) -> Any:
    """`value` as it goes into an array of `datatype`. Raises ValueWrong."""
    if datatype == "BYTES":
        return _check_bytes(value)
    if datatype == "BOOL":
        if not isinstance(value, bool):
            raise ValueWrong(f"{_shown(value)} is not true or false")
        return value
    if datatype in FLOATS:
        return _check_float(value, datatype)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueWrong(f"{_shown(value)} is not a whole number")
    limits = np.iinfo(DTYPES[datatype])
    if not limits.min <= value <= limits.max:
        raise ValueWrong(f"{_shown(value)} is not from {limits.min} to {limits.max}, as {datatype} needs")
    return value


def _check_float(value: Any, datatype: str) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        raise ValueWrong(f"{_shown(value)} is not a number")
    limit = float(np.finfo(DTYPES[datatype]).max)
    if abs(value) > limit and not math.isinf(value):
        raise ValueWrong(f"{_shown(value)} is too large for {datatype}")
    return float(value)


def _check_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise ValueWrong(f"{_shown(value)} is not text")


def _nested(feature: Feature, are_texts: bool) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        _refuse_absent(value)
        if are_texts:
            value = _parse_list(value)
        items: list[Any] = []
        shape = _flatten(value, len(feature.shape), items)
        if len(shape) != len(feature.shape) or any(want not in (-1, has) for want, has in zip(feature.shape, shape, strict=True)):
            raise ValueWrong(f"a list of shape {list(shape)} was found, the model takes {list(feature.shape)}")
        array = _all_at_once(items, feature.datatype)
        if array is None:
            array = np.array([check(it, feature.datatype) for it in items], DTYPES[feature.datatype])
        return array.reshape(shape)

    return convert


def _parse_list(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueWrong(f"{_shown(text)} is no list in JSON: {error}") from error


def _flatten(value: Any, rank: int, into: list[Any]) -> tuple[int, ...]:
    """Add the innermost values of `rank` nested lists; the answer is their shape. Raises ValueWrong."""
    if not isinstance(value, list):
        raise ValueWrong(f"{_shown(value)} is no list of {rank} dimensions")
    if rank == 1:
        into += value
        return (len(value),)
    shapes = {_flatten(it, rank - 1, into) for it in value}
    if len(shapes) > 1:
        raise ValueWrong("the lists within the list are not of one length")
    return (len(value), *(shapes.pop() if shapes else (0,) * (rank - 1)))


def _refuse_absent(value: Any) -> None:
    if value is MISSING:
        raise ValueWrong("the row has no such field")
    if value is UNREADABLE:
        raise ValueWrong("the value cannot be read")


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= SHOWN_VALUE else f"{text[:SHOWN_VALUE]}…"


def pick(values: Values, indices: Sequence[int]) -> Values:
    """Some of the items."""
    return values[list(indices)] if isinstance(values, np.ndarray) else [values[it] for it in indices]
