"""From output arrays to the bytes of an answer, in JSON or with binary tensors.

JSON has no NaN and no infinity: all three become null, as JavaScript would have it. Who needs to tell them apart asks for binary
output, which is exact.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from contracts.signature import Tensor
from serving.http import JSON, OCTETS
from serving.requests import InferRequest
from serving.tensors import Array

Answer = tuple[bytes | list[bytes], bytes, bytes]
"""Body, content type, further header lines."""

NUMPY: Final = orjson.OPT_SERIALIZE_NUMPY


class ResponseEncoder:
    """Encodes answers of one model; what is the same in all of them is rendered once."""

    def __init__(self, name: str, version: str, outputs: Sequence[Tensor]) -> None:
        self._head = b'{"model_name":%s,"model_version":%s' % (orjson.dumps(name), orjson.dumps(version))
        self._tensors = {
            it.name: b'{"name":%s,"datatype":"%s","shape":' % (orjson.dumps(it.name), it.datatype.encode()) for it in outputs
        }

    def encode(self, request: InferRequest, arrays: Sequence[Array]) -> Answer:
        """The answer to `request`: `arrays` are the outputs it asked for, in its order."""
        head = self._head if request.id is None else b'%s,"id":%s' % (self._head, orjson.dumps(request.id))
        if len(arrays) == 1 and not request.binary[0]:
            (array,) = arrays
            tensor = self._tensors[request.outputs[0]]
            return b'%s,"outputs":[%s%s,"data":%s}]}' % (head, tensor, orjson.dumps(array.shape), _json_values(array)), JSON, b""
        tensors: list[bytes] = []
        blobs: list[bytes] = []
        for name, array, is_binary in zip(request.outputs, arrays, request.binary, strict=True):
            if is_binary:
                blob = _packed(array)
                blobs.append(blob)
                content = b'"parameters":{"binary_data_size":%d}' % len(blob)
            else:
                content = b'"data":%s' % _json_values(array)
            tensors.append(b"%s%s,%s}" % (self._tensors[name], orjson.dumps(array.shape), content))
        header = b'%s,"outputs":[%s]}' % (head, b",".join(tensors))
        if not blobs:
            return header, JSON, b""
        return [header, *blobs], OCTETS, b"inference-header-content-length: %d\r\n" % len(header)


def _json_values(array: Array) -> bytes:
    if array.dtype.kind == "O":
        return orjson.dumps(array.ravel().tolist())
    return orjson.dumps(array.ravel(), option=NUMPY)


def _packed(array: Array) -> bytes:
    if array.dtype.kind != "O":
        return array.tobytes()
    values: list[bytes] = [it.encode() for it in array.ravel().tolist()]
    return b"".join([len(it).to_bytes(4, "little") + it for it in values])
