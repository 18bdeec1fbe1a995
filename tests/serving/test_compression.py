"""Answers are compressed as the client would have them."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.compression import OFFERED, choose_encoding, compress, decompress


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (b"gzip", b"gzip"),
        (b"deflate", b"deflate"),
        (b"gzip, deflate", b"gzip"),
        (b"deflate, gzip;q=0.5", b"deflate"),
        (b"gzip;q=0.5, deflate;q=0.5", b"gzip"),
        (b"GZip ; q = 1.0", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"*", b"gzip"),
        (b"*;q=0.1, gzip;q=0", b"deflate"),
        (b"br, zstd", None),
        (b"identity", None),
        (b"identity;q=1, gzip;q=0.5", None),
        (b"identity;q=0.5, gzip", b"gzip"),
        (b"gzip;q=0", None),
        (b"gzip;q=0, *;q=0", None),
        (b"", None),
        (b"gzip;q=much", None),
        (b"gzip;q=-1, deflate;q=7", None),
        (b"gzip;q=nan", None),
        (b",;=,;q=,", None),
    ],
)
def test_the_encoding_is_the_best_liked_that_is_offered(accepted: bytes, chosen: bytes | None) -> None:
    assert choose_encoding(accepted) == chosen


@given(st.binary(max_size=60))
def test_no_header_is_too_odd_to_be_read(accepted: bytes) -> None:
    assert choose_encoding(accepted) in (None, *OFFERED)


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_what_was_compressed_is_read_by_others_and_by_us(pieces: list[bytes]) -> None:
    plain = b"".join(pieces)
    assert gzip.decompress(compress(pieces, b"gzip")) == plain
    assert zlib.decompress(compress(pieces, b"deflate")) == plain
    for encoding in OFFERED:
        assert decompress(compress(pieces, encoding), encoding, len(plain)) == plain
