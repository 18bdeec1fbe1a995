"""Large tensors past protobuf: their bytes stay where they arrived, and go out as they are.

A parser copies every `bytes` field into the message, and once more when it is asked for. So the raw contents of a request are
found by walking over its fields, which are few, and only the rest is parsed; those of an answer are appended to the rest when
that has been serialized. Source: protobuf.dev/programming-guides/encoding.
"""

from typing import Final

from serving.errors import RequestMalformed

RAW_INPUT_CONTENTS: Final = 7 << 3 | 2
RAW_OUTPUT_CONTENTS: Final = 6 << 3 | 2
INFER_RESPONSE: Final = 2 << 3 | 2
"""Field number and wire type (here always 2: length and bytes) of ModelInferRequest, -Response and ModelStreamInferResponse."""
MAX_FIELDS: Final = 16_384
"""Of one request. An empty input takes two bytes on the wire, and a hundred once it is parsed."""


def split_raw(message: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """A ModelInferRequest without its raw contents, and where each of those lies in `message`: offset and size.

    Raises RequestMalformed.
    """
    rest: list[bytes] = []
    found: list[tuple[int, int]] = []
    position = kept = count = 0
    end = len(message)
    while position < end:
        begin = position
        count += 1
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == 2:
            size, position = _varint(message, position)
            if tag == RAW_INPUT_CONTENTS:
                rest.append(message[kept:begin])
                found.append((position, size))
                kept = position + size
            position += size
        elif kind == 0:
            _, position = _varint(message, position)
        elif kind == 1 or kind == 5:
            position += 8 if kind == 1 else 4
        else:
            raise RequestMalformed(f"the request is no protobuf message: wire type {kind} at byte {begin}")
        if count > MAX_FIELDS:
            raise RequestMalformed(f"the request has more than {MAX_FIELDS} fields")
    if position != end:
        raise RequestMalformed("the request is no protobuf message: it ends in the middle of a field")
    if not found:
        return message, found
    rest.append(message[kept:])
    return b"".join(rest), found


def head(tag: int, size: int) -> bytes:
    """What stands before the `size` bytes of a field."""
    found = bytearray((tag,))
    while size > 0x7F:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    found.append(size)
    return bytes(found)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """The number at `position`, and where it ends."""
    value = shift = 0
    for byte in message[position : position + 10]:
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise RequestMalformed(f"the request is no protobuf message: no number ends at byte {position}")
