"""From output arrays to the bytes of an answer, in JSON or with binary tensors.

JSON has no NaN and no infinity: they become null. Who needs them asks for binary output, which is exact.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson

from serving.datatypes import datatype_of
from serving.http import JSON, OCTETS
from serving.http.exchange import Buffer
from serving.requests import Array, InferRequest

HEADER_LENGTH: Final = b"inference-header-content-length: %d\r\n"

Answer = tuple[Sequence[Buffer], bytes, bytes]
"""Body in pieces, content type, further header lines."""


class ResponseEncoder:
    """Encodes answers of one model, whose names are rendered once."""

    def __init__(self, name: str, version: str, outputs: Sequence[str]) -> None:
        self._head = b'{"model_name":%s,"model_version":%s' % (orjson.dumps(name), orjson.dumps(version))
        self._names = {it: orjson.dumps(it) for it in outputs}

    def encode(self, request: InferRequest, names: Sequence[str], arrays: Sequence[Array]) -> Answer:
        """The answer to `request`: `arrays` are the outputs called `names`."""
        head = self._head if request.id is None else b'%s,"id":%s' % (self._head, orjson.dumps(request.id))
        is_binary = _binary_flags(request, len(names))
        tensors: list[bytes] = []
        blobs: list[bytes] = []
        for name, array, binary in zip(names, arrays, is_binary, strict=True):
            if binary:
                blob = _packed(array)
                blobs.append(blob)
                content = b'"parameters":{"binary_data_size":%d}' % len(blob)
            else:
                content = b'"data":%s' % _json_values(array)
            tensors.append(
                b'{"name":%s,"datatype":"%s","shape":%s,%s}'
                % (self._names[name], datatype_of(array.dtype).encode(), orjson.dumps(array.shape), content)
            )
        header = b'%s,"outputs":[%s]}' % (head, b",".join(tensors))
        if not blobs and not any(is_binary):
            return (header,), JSON, b""
        return (header, *blobs), OCTETS, HEADER_LENGTH % len(header)


def _binary_flags(request: InferRequest, count: int) -> list[bool]:
    if not request.outputs:
        return [request.binary_output] * count
    return [it.parameters.get("binary_data", request.binary_output) is True for it in request.outputs]


def _json_values(array: Array) -> bytes:
    if array.dtype.kind == "O":
        return orjson.dumps([_text(it) for it in array.ravel()])
    return orjson.dumps(np.ascontiguousarray(array).ravel(), option=orjson.OPT_SERIALIZE_NUMPY)


def _packed(array: Array) -> bytes:
    if array.dtype.kind != "O":
        return array.tobytes()
    values = [it if isinstance(it, bytes) else str(it).encode() for it in array.ravel()]
    return b"".join(len(it).to_bytes(4, "little") + it for it in values)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
