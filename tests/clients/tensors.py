"""Values of every datatype, and a model that gives them back."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto

from serving.datatypes import DTYPES
from tests.models import echo_model

KINDS = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def value(datatype: str) -> np.ndarray[Any, Any]:
    """Three rows of two, with the datatype's extremes."""
    if datatype == "BYTES":
        return np.array([["a", "é"], ["", "\0"], ["long" * 100, "z"]], np.object_)
    dtype = DTYPES[datatype]
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype) if dtype.kind in "iu" else None
    extremes = [0, 1] if limits is None else [limits.min, limits.max]
    return np.array([extremes, [0, 1], [1, 0]], dtype)


def every_datatype(path: Path, but: str = "") -> Path:
    """One input [N, 2] of each datatype, by its name in lower case; each comes back as `<name>_out`."""
    return echo_model(path, {name.lower(): kind for name, kind in KINDS.items() if name != but})


def assert_same(came: np.ndarray[Any, Any], sent: np.ndarray[Any, Any], name: str) -> None:
    """Equal to the last bit, whether texts came as `str` or as bytes."""
    if sent.dtype.kind == "O":
        texts = [it.decode() if isinstance(it, bytes) else it for it in came.ravel().tolist()]
        assert (texts, came.shape) == (sent.ravel().tolist(), sent.shape), name
    else:
        np.testing.assert_array_equal(came, sent, err_msg=name, strict=True)
