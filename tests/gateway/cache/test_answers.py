"""Answers come back from their bytes as they were; any other bytes are no answer."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.answers import CHECKED_FROM, HEAD, AnswerUnreadable, pack, size_of, unpack
from serving.tensors import Array
from tests.gateway.cache.requests import ARRAYS, are_same

KEY = bytes(range(32))
OUTPUTS = st.lists(ARRAYS, max_size=3)


@given(OUTPUTS, st.integers(0, 2**64 - 1))
def test_an_answer_comes_back_as_it_was(outputs: list[Array], end_ms: int) -> None:
    found, end = unpack(KEY, pack(KEY, outputs, end_ms))
    assert end == end_ms
    assert len(found) == len(outputs)
    assert all(are_same(*it) for it in zip(found, outputs, strict=True))
    assert not any(it.flags.writeable for it in found)
    assert all(it.flags.aligned for it in found)


@given(OUTPUTS)
def test_another_key_s_answer_is_none(outputs: list[Array]) -> None:
    with pytest.raises(AnswerUnreadable):
        unpack(bytes(32), pack(KEY, outputs, 1))


@given(OUTPUTS, st.data())
def test_a_damaged_answer_is_none(outputs: list[Array], data: st.DataObject) -> None:
    blob = bytearray(pack(KEY, outputs, 1))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AnswerUnreadable):
        unpack(KEY, bytes(blob))


@given(OUTPUTS, st.data())
def test_a_torn_answer_is_none(outputs: list[Array], data: st.DataObject) -> None:
    blob = pack(KEY, outputs, 1)
    with pytest.raises(AnswerUnreadable):
        unpack(KEY, blob[: data.draw(st.integers(0, len(blob) - 1))])


@given(OUTPUTS, st.data())
def test_what_somebody_else_wrote_does_no_harm(outputs: list[Array], data: st.DataObject) -> None:
    blob = bytearray(pack(KEY, outputs, 1))
    for _ in range(data.draw(st.integers(1, 8))):
        blob[data.draw(st.integers(HEAD.size - 8, len(blob) - 1))] = data.draw(st.integers(0, 255))
    blob[4:CHECKED_FROM] = zlib.crc32(memoryview(blob)[CHECKED_FROM:]).to_bytes(4, "little")
    try:
        found, _ = unpack(KEY, bytes(blob))
    except AnswerUnreadable:
        return
    assert size_of(found) < 100_000


@given(st.binary(max_size=200))
def test_any_bytes_are_no_answer(blob: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        unpack(KEY, blob)


def test_texts_count_with_their_length() -> None:
    assert size_of([np.array(["x" * 1000, "y" * 1000], object)]) > 2000
