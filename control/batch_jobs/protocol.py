"""The Open Inference Protocol with binary tensors, as far as batch jobs speak it."""

import struct
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from contracts.errors import HeadraceError
from control.batch_jobs.tensors import DTYPES, Array

LOWEST_PRIORITY: Final = 9
"""The request parameter `priority` of a batch job's requests; 1 is the highest."""
HEADER_LENGTH: Final = "Inference-Header-Content-Length"


class AnswerUnreadable(HeadraceError):
    """The gateway's answer is not one of the protocol."""

    title = "Answer unreadable"


class _OutputParameters(Struct, frozen=True):
    binary_data_size: int | None = None


class _Output(Struct, frozen=True):
    name: str
    shape: list[int]
    datatype: str
    parameters: _OutputParameters = _OutputParameters()


class _Answer(Struct, frozen=True):
    outputs: list[_Output]


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_NAMES: Final = {dtype: name for name, dtype in DTYPES.items()}


def encode_request(inputs: dict[str, Array]) -> tuple[bytes, int]:
    """The body of a request, and the length of its JSON header."""
    tensors: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for name, array in inputs.items():
        data = _strings(array) if array.dtype.kind == "O" else np.ascontiguousarray(array).tobytes()
        size = {"binary_data_size": len(data)}
        tensors.append({"name": name, "shape": array.shape, "datatype": _NAMES[array.dtype], "parameters": size})
        parts.append(data)
    header = msgspec.json.encode({"inputs": tensors, "parameters": {"binary_data_output": True, "priority": LOWEST_PRIORITY}})
    return b"".join((header, *parts)), len(header)


def decode_answer(body: bytes, header_length: str | None) -> dict[str, Array]:
    """The outputs by name. Raises AnswerUnreadable."""
    try:
        length = len(body) if header_length is None else int(header_length)
        outputs: dict[str, Array] = {}
        for tensor in _ANSWER.decode(body[:length]).outputs:
            size = tensor.parameters.binary_data_size
            if size is None:
                raise AnswerUnreadable(f"output {tensor.name!r} did not come in binary")
            outputs[tensor.name] = _decode(tensor, memoryview(body)[length : length + size])
            length += size
    except (msgspec.DecodeError, ValueError, struct.error) as error:
        raise AnswerUnreadable(f"the gateway's answer cannot be read: {error}") from error
    return outputs


def _decode(tensor: _Output, data: memoryview) -> Array:
    if tensor.datatype == "BYTES":
        items = np.empty(int(np.prod(tensor.shape)), np.object_)
        items[:] = _split_strings(data)
        return items.reshape(tensor.shape)
    return np.frombuffer(data, DTYPES[tensor.datatype]).reshape(tensor.shape)


def _strings(array: Array) -> bytes:
    return b"".join(struct.pack("<I", len(it)) + it for it in array.ravel())


def _split_strings(data: memoryview) -> list[bytes]:
    items: list[bytes] = []
    position = 0
    while position < len(data):
        (size,) = struct.unpack_from("<I", data, position)
        position += 4
        items.append(bytes(data[position : position + size]))
        position += size
    return items
