"""The commonest request, decoded in one go: one input, a few numbers in a flat list, all outputs, nothing else asked for.

What is in any way different, or wrong, is left to `RequestDecoder`, which takes it apart with care.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec
import numpy as np

from contracts.signature import Tensor
from serving.buffers import Buffer
from serving.datatypes import DTYPES
from serving.tensors import FEW, PACKED, Array

MAX_BODY: Final = 1024
"""A longer body has more than a few numbers, or something else."""
Packer = tuple[list[int], Callable[..., bytes]]
"""The shape of so many numbers, and what makes bytes of them."""
ELEMENTS: Final = {"f": float, "i": int, "u": int}


class PlainDecoder:
    """Reads the plain requests to a model with the one input `tensor`."""

    def __init__(self, tensor: Tensor) -> None:
        """The input's first dimension must be free and the others fixed, and its elements numbers."""
        self._dtype = DTYPES[tensor.datatype]
        self._tail = list(tensor.shape[1:])
        self._width = int(np.prod(self._tail))
        self._packers: dict[int, Packer] = {}
        self._decode = msgspec.json.Decoder(_request_type(tensor, ELEMENTS[self._dtype.kind])).decode

    @staticmethod
    def takes(inputs: Sequence[Tensor]) -> bool:
        """Whether there can be plain requests to a model with these inputs."""
        if len(inputs) != 1:
            return False
        (tensor,) = inputs
        return tensor.shape[:1] == (-1,) and -1 not in tensor.shape[1:] and DTYPES[tensor.datatype].kind in ELEMENTS

    def decode(self, body: Buffer) -> tuple[Array, str | None] | None:
        """The input, of at least one row, and the request's id; None if the request is not plain."""
        try:
            request = self._decode(body)
            tensor = request.inputs[0]
            data = tensor.data
            shape, pack = self._packers.get(len(data)) or self._packer(len(data))
            if tensor.shape != shape:
                return None
            packed = pack(*data)
        except (msgspec.DecodeError, struct.error, OverflowError, IndexError, KeyError, RecursionError, UnicodeDecodeError):
            return None
        return np.ndarray(shape, self._dtype, packed), request.id

    def _packer(self, count: int) -> Packer:
        """Raises KeyError if there are no plain requests of so many numbers."""
        if not 0 < count <= FEW or count % self._width:
            raise KeyError(count)
        shape = [count // self._width, *self._tail]
        self._packers[count] = packer = shape, struct.Struct(f"<{count}{PACKED[self._dtype]}").pack
        return packer


def _request_type(tensor: Tensor, element: type) -> Any:
    """Unknown fields are not skipped but refused, so that nothing goes unread."""
    strict: dict[str, Any] = {"frozen": True, "gc": False, "forbid_unknown_fields": True}
    one = msgspec.defstruct(
        "PlainTensor",
        [
            ("name", Literal[tensor.name]),  # type: ignore[valid-type]
            ("shape", list[int]),
            ("datatype", Literal[tensor.datatype]),  # type: ignore[valid-type]
            ("data", list[element]),  # type: ignore[valid-type]
        ],
        **strict,
    )
    return msgspec.defstruct("PlainRequest", [("inputs", tuple[one]), ("id", str | None, None)], **strict)  # type: ignore[valid-type]
