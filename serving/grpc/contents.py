"""From a tensor's typed contents in a request to a numpy array of the declared shape and datatype."""

import math
from typing import Any, Final

import numpy as np

from serving.datatypes import DTYPES, INTEGER_RANGES
from serving.errors import ShapeMismatch, TensorInvalid
from serving.tensors import Array, Shape, objects, shaped

FIELDS: Final = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
"""By datatype where its values go; FP16 has no such field."""
AT_ONCE: Final = 16_384
"""Values that are read in one go. Nobody else gets Python's lock meanwhile: all of 60 million were two seconds."""


def from_contents(name: str, datatype: str, shape: Shape, contents: Any) -> Array:
    """The array in an InferTensorContents. Raises ShapeMismatch or TensorInvalid."""
    field = FIELDS.get(datatype)
    if field is None:
        raise TensorInvalid(f"input {name!r} is {datatype}, which goes in raw_input_contents only")
    for other, _ in contents.ListFields():
        if other.name != field:
            raise TensorInvalid(f"input {name!r} has {other.name}; {datatype} goes in {field}")
    values, count = getattr(contents, field), math.prod(shape)
    if len(values) != count:
        raise ShapeMismatch(f"input {name!r} of shape {list(shape)} takes {count} values, {len(values)} were given")
    if datatype == "BYTES":
        return shaped(name, shape, _texts(name, values))
    return shaped(name, shape, _numbers(name, datatype, values))


def _numbers(name: str, datatype: str, values: Any) -> Array:
    dtype, count = DTYPES[datatype], len(values)
    is_exact = dtype.itemsize > 2 or dtype.kind == "b"  # the field's own type
    array = np.empty(count, dtype)
    for begin in range(0, count, AT_ONCE):
        some = values[begin : begin + AT_ONCE]
        part = np.fromiter(some, dtype if is_exact else np.int64, len(some))
        if not is_exact:
            _check_range(name, datatype, part, begin)
        array[begin : begin + AT_ONCE] = part
    return array


def _check_range(name: str, datatype: str, part: Array, begin: int) -> None:
    """`part` are the values from the one at `begin` on."""
    low, high = INTEGER_RANGES[datatype]
    outside = (part < low) | (part > high)
    if outside.any():
        index = int(outside.argmax())
        raise TensorInvalid(f"value {begin + index} of input {name!r} is {part[index]}; {datatype} goes from {low} to {high}")


def _texts(name: str, values: Any) -> Array:
    texts: list[str] = []
    for value in values:
        try:
            texts.append(str(value, "utf-8"))
        except UnicodeDecodeError as error:
            raise TensorInvalid(f"string {len(texts)} of input {name!r} is not UTF-8, as ONNX strings are") from error
    return objects(texts)
