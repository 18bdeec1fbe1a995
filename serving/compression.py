"""Request bodies behind a Content-Encoding, decompressed within bounds."""

import zlib
from typing import Final

from contracts.errors import TooLarge
from serving.errors import EncodingUnsupported, RequestMalformed

WINDOWS: Final = {b"gzip": 16 + zlib.MAX_WBITS, b"x-gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
"""What zlib must be told; HTTP's deflate is a zlib stream."""


def is_compressed(encoding: bytes | None) -> bool:
    """Whether a Content-Encoding header asks for `decompress`."""
    return encoding is not None and encoding.strip().lower() not in (b"", b"identity")


def decompress(body: bytes | bytearray, encoding: bytes, limit: int) -> bytes:
    """The plain body, at most `limit` bytes of it. Raises EncodingUnsupported, RequestMalformed or TooLarge."""
    encoding = encoding.strip().lower()
    if encoding not in WINDOWS:
        raise EncodingUnsupported(f"Content-Encoding {encoding.decode('latin-1')!r} is not supported; use gzip or deflate")
    stream = zlib.decompressobj(WINDOWS[encoding])
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise RequestMalformed(f"the body is not {encoding.decode()}: {error}") from error
    if len(plain) > limit:
        raise TooLarge(f"the decompressed body is larger than {limit} bytes")
    if not stream.eof or stream.unused_data:
        raise RequestMalformed(f"the {encoding.decode()} body is cut off or followed by other bytes")
    return plain
