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
    dtype = DTYPES[datatype]
    if dtype.itemsize > 2 or dtype.kind == "b":  # the field's own type
        return np.fromiter(values, dtype, len(values))
    wide = np.fromiter(values, np.int64, len(values))
    low, high = INTEGER_RANGES[datatype]
    outside = (wide < low) | (wide > high)
    if outside.any():
        index = int(outside.argmax())
        raise TensorInvalid(f"value {index} of input {name!r} is {wide[index]}; {datatype} goes from {low} to {high}")
    return wide.astype(dtype)


def _texts(name: str, values: Any) -> Array:
    texts: list[str] = []
    for value in values:
        try:
            texts.append(str(value, "utf-8"))
        except UnicodeDecodeError as error:
            raise TensorInvalid(f"string {len(texts)} of input {name!r} is not UTF-8, as ONNX strings are") from error
    return objects(texts)
