"""Bodies behind a Content-Encoding: those of requests decompressed within bounds, those of answers compressed if asked for."""

import zlib
from collections.abc import Iterable
from typing import Final

from contracts.errors import TooLarge
from serving.buffers import Buffer
from serving.errors import EncodingUnsupported, RequestMalformed

WINDOWS: Final = {b"gzip": 16 + zlib.MAX_WBITS, b"x-gzip": 16 + zlib.MAX_WBITS, b"deflate": zlib.MAX_WBITS}
"""What zlib must be told; HTTP's deflate is a zlib stream."""
OFFERED: Final = (b"gzip", b"deflate")
"""What answers can be compressed with, the better liked first; the protocol's clients know nothing else."""
LEVEL: Final = 1
"""zlib's quickest: higher ones take three times as long for a tenth less of a body of numbers."""
WORTHWHILE: Final = 1024
"""Bytes; a smaller answer is sent as it is, since it fits one packet either way."""


def is_compressed(encoding: bytes | None) -> bool:
    """Whether a Content-Encoding header asks for `decompress`."""
    return encoding is not None and encoding.strip().lower() not in (b"", b"identity")


def decompress(body: Buffer, encoding: bytes, limit: int) -> bytes:
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


def choose_encoding(accepted: bytes) -> bytes | None:
    """The encoding for an answer to a request with this Accept-Encoding; None to send it as it is.

    What cannot be read in the header is passed over: it is a wish, and the plain answer suits everybody.
    """
    weights = dict(map(_weighted, accepted.lower().split(b",")))
    if b"x-gzip" in weights:
        weights.setdefault(b"gzip", weights[b"x-gzip"])
    anything = weights.get(b"*", 0.0)
    plain = weights.get(b"identity", 0.0)
    best = max(OFFERED, key=lambda it: weights.get(it, anything))
    weight = weights.get(best, anything)
    return best if weight > 0 and weight >= plain else None


def compress(pieces: Iterable[bytes], encoding: bytes) -> bytes:
    """The body made of `pieces`, in one of the encodings `OFFERED`."""
    stream = zlib.compressobj(LEVEL, wbits=WINDOWS[encoding])
    return b"".join([*map(stream.compress, pieces), stream.flush()])


def _weighted(item: bytes) -> tuple[bytes, float]:
    """One item of Accept-Encoding, as in `gzip;q=0.5`; weight 0 if that makes no sense."""
    name, _, parameter = item.partition(b";")
    key, _, value = parameter.partition(b"=")
    try:
        weight = float(value) if key.strip() == b"q" else 1.0
    except ValueError:
        weight = 0.0
    return name.strip(), weight if 0 <= weight <= 1 else 0.0
