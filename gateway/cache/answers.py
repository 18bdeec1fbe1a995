"""An answer on its way through Redis: a short head, then each output's type, shape and bytes as they lie in memory.

The head holds a checksum and the key the answer belongs to, so what was damaged, or was put there by somebody else, is told
from an answer of ours; and the time at which it ends, because an answer may not live longer here than it does there.
"""

import math
import struct
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from serving.datatypes import DTYPES
from serving.tensors import Array

MAGIC: Final = b"hra1"
HEAD: Final = struct.Struct("<4sI32sQQ")
"""Magic, CRC-32 of what follows it, key, end in milliseconds since the epoch, number of outputs."""
CHECKED_FROM: Final = 8
TENSOR: Final = struct.Struct("<4sIQ")
"""Type as numpy spells it, dimensions, and bytes of the values; then the dimensions, eight bytes each, and the values."""
ALIGNMENT: Final = 8
TEXT: Final = b"text"
TYPES: Final = {it.str.encode().ljust(4, b"\0"): it for it in DTYPES.values() if it.kind != "O"}
NAMES: Final = {it: name for name, it in TYPES.items()}
MAX_DIMENSIONS: Final = 32
ARRAY_OVERHEAD: Final = 128
TEXT_OVERHEAD: Final = 64


class AnswerUnreadable(Exception):
    """The bytes are not an answer to this key."""


def size_of(outputs: Sequence[Array]) -> int:
    """About how many bytes `outputs` take in memory."""
    texts = sum([len(text) + TEXT_OVERHEAD for it in outputs if it.dtype.kind == "O" for text in it.ravel()])
    return sum([it.nbytes + ARRAY_OVERHEAD for it in outputs]) + texts


def pack(key: bytes, outputs: Sequence[Array], end_ms: int) -> bytes:
    """The bytes of `outputs`, which end at `end_ms`."""
    pieces = [HEAD.pack(MAGIC, 0, key, end_ms, len(outputs))]
    for output in outputs:
        name, values = (TEXT, _pack_texts(output)) if output.dtype.kind == "O" else (NAMES[output.dtype], output.tobytes())
        shape = struct.pack(f"<{output.ndim}Q", *output.shape)
        pieces += (TENSOR.pack(name, output.ndim, len(values)), shape, values, bytes(-len(values) % ALIGNMENT))
    blob = b"".join(pieces)
    checksum = zlib.crc32(memoryview(blob)[CHECKED_FROM:])
    return b"".join((MAGIC, checksum.to_bytes(4, "little"), memoryview(blob)[CHECKED_FROM:]))


def unpack(key: bytes, blob: bytes) -> tuple[list[Array], int]:
    """The outputs, which are read-only, and when they end. Raises AnswerUnreadable."""
    try:
        magic, checksum, owner, end_ms, count = HEAD.unpack_from(blob)
        if (magic, owner) != (MAGIC, key) or zlib.crc32(memoryview(blob)[CHECKED_FROM:]) != checksum:
            raise AnswerUnreadable
        outputs: list[Array] = []
        at = HEAD.size
        for _ in range(min(count, len(blob))):
            output, at = _unpack_tensor(blob, at)
            outputs.append(output)
    except (struct.error, ValueError, KeyError, OverflowError) as error:
        raise AnswerUnreadable from error
    if at != len(blob) or len(outputs) != count:
        raise AnswerUnreadable
    return outputs, end_ms


def _unpack_tensor(blob: bytes, at: int) -> tuple[Array, int]:
    """The tensor at `at`, and where the next one begins. Raises ValueError, KeyError or struct.error."""
    name, dimensions, size = TENSOR.unpack_from(blob, at)
    if dimensions > MAX_DIMENSIONS:
        raise ValueError("too many dimensions")
    shape = struct.unpack_from(f"<{dimensions}Q", blob, at + TENSOR.size)
    begin = at + TENSOR.size + 8 * dimensions
    end = begin + size
    if end > len(blob):
        raise ValueError("the values run past the end")
    count = math.prod(shape)
    if name == TEXT:
        array = _unpack_texts(blob[begin:end], count)
    elif count * TYPES[name].itemsize != size:
        raise ValueError("shape and size disagree")
    else:
        array = np.frombuffer(blob, TYPES[name], count, begin) if count else np.empty(0, TYPES[name])
    array = array.reshape(shape)
    array.flags.writeable = False
    return array, end + -size % ALIGNMENT


def _pack_texts(array: Array) -> bytes:
    texts = [it.encode(errors="surrogatepass") for it in array.ravel()]
    return b"".join([struct.pack(f"<{len(texts)}Q", *map(len, texts)), *texts])


def _unpack_texts(blob: bytes, count: int) -> Array:
    if count * 8 > len(blob):
        raise ValueError("too few bytes for so many texts")
    ends = np.cumsum(np.frombuffer(blob, "<u8", count), dtype=np.uint64).tolist()
    if (ends[-1] if ends else 0) != len(blob) - count * 8:
        raise ValueError("the texts' lengths do not add up")
    array = np.empty(count, np.object_)
    begin = 8 * count
    for index, end in enumerate(ends):
        stop = end + 8 * count
        array[index] = blob[begin:stop].decode(errors="surrogatepass")
        begin = stop
    return array
