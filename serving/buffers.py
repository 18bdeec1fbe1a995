"""Bytes, as they come from a socket."""

Buffer = bytes | bytearray | memoryview


def as_text(body: Buffer) -> bytes | bytearray:
    """`body` for those who read it as text; a memoryview, which holds tensors where it is what it says it is, is copied."""
    return bytes(body) if isinstance(body, memoryview) else body
