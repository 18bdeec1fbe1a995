"""A binary request decodes alike the first time and the next, and what differs in anything is not taken for the one before."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.layouts import MAX_HEADER, MAX_LAYOUTS
from serving.requests import RequestDecoder

INPUTS = (Tensor("a", "FP32", (-1, 2)), Tensor("b", "INT64", (-1,)), Tensor("flag", "BOOL", (-1,)))
OUTPUTS = (Tensor("y", "FP32", (-1,)), Tensor("z", "FP32", (-1, 3)))
ARRAYS = {"a": np.array([[1, 2], [3, 4]], np.float32), "b": np.array([5, 6]), "flag": np.array([True, False])}


def make_decoder(*names: str) -> RequestDecoder:
    return RequestDecoder([it for it in INPUTS if it.name in names], OUTPUTS, is_batched=True)


def request(*names: str, pad: int = 0, **more: Any) -> tuple[bytes, bytes]:
    """A body whose tensors are in the order of `names`, and the length of its header."""
    inputs = [
        {"name": it.name, "shape": ARRAYS[it.name].shape, "datatype": it.datatype, "parameters": {"binary_data_size": size}}
        for it in sorted((it for it in INPUTS if it.name in names), key=lambda it: names.index(it.name))
        if (size := ARRAYS[it.name].nbytes)
    ]
    header = json.dumps({"inputs": inputs} | more).encode() + b" " * pad
    return header + b"".join(ARRAYS[it].tobytes() for it in names), b"%d" % len(header)


def decoded(decoder: RequestDecoder, body: bytes | memoryview, length: bytes) -> Any:
    try:
        it = decoder.decode(body, length)
    except HeadraceError as error:
        return str(error)
    arrays = [(name, array.dtype, array.shape, array.tobytes()) for name, array in it.inputs.items()]
    return arrays, it.rows, it.outputs, it.binary, it.id, it.priority, it.timeout_us, it.classes


WISHES: list[dict[str, Any]] = [
    {},
    {"parameters": {"binary_data_output": True, "priority": 2, "timeout": 100}},
    {"outputs": [{"name": "z", "parameters": {"binary_data": True}}]},
    {"outputs": [{"name": "z", "parameters": {"classification": 2}}]},
    {"id": "one"},
]


@pytest.mark.parametrize("wish", WISHES, ids=str)
@pytest.mark.parametrize("names", ["a", "ab", "ba", ("a", "flag")])
@pytest.mark.parametrize("pad", range(4))
def test_it_decodes_alike_the_first_time_and_the_next(names: tuple[str, ...], wish: dict[str, Any], pad: int) -> None:
    decoder = make_decoder(*names)
    body, length = request(*names, pad=pad, **wish)
    first = decoded(decoder, body, length)
    assert [it[0] for it in first[0]] == [it.name for it in INPUTS if it.name in names]
    assert first[0] == [(it, ARRAYS[it].dtype, ARRAYS[it].shape, ARRAYS[it].tobytes()) for it, *_ in first[0]]
    assert decoded(decoder, body, length) == decoded(decoder, memoryview(body), length) == first


def test_other_values_behind_the_same_header_are_read() -> None:
    decoder = make_decoder("a")
    body, length = request("a")
    decoder.decode(body, length)
    other = body[: int(length)] + np.array([[9, 8], [7, 6]], np.float32).tobytes()
    assert decoder.decode(other, length).inputs["a"].tolist() == [[9, 8], [7, 6]]


def test_every_array_is_aligned() -> None:
    decoder = make_decoder("a", "b")
    for pad in range(8):
        body, length = request("a", "b", pad=pad)
        for _ in range(2):
            assert all(it.flags.aligned for it in decoder.decode(body, length).inputs.values())


def test_a_bool_that_is_none_is_refused_the_second_time_too() -> None:
    decoder = make_decoder("a", "flag")
    body, length = request("a", "flag")
    decoder.decode(body, length)
    with pytest.raises(HeadraceError, match="its bytes must be 0 or 1"):
        decoder.decode(body[:-1] + b"\x02", length)


BODY, LENGTH = request("a", "b")


@given(st.lists(st.tuples(st.integers(0, len(BODY)), st.binary(max_size=3), st.integers(-3, 3)), min_size=1, max_size=5))
def test_a_decoder_that_knows_says_what_one_that_does_not_says(changes: list[tuple[int, bytes, int]]) -> None:
    knowing = make_decoder("a", "b")
    knowing.decode(BODY, LENGTH)
    for at, piece, longer in changes:
        body, length = BODY[:at] + piece + BODY[at + len(piece) :], b"%d" % (int(LENGTH) + longer)
        assert decoded(knowing, body, length) == decoded(make_decoder("a", "b"), body, length)
        assert decoded(knowing, BODY + piece, LENGTH) == decoded(make_decoder("a", "b"), BODY + piece, LENGTH)


def test_what_is_remembered_is_bounded() -> None:
    decoder = make_decoder("a")
    for pad in range(MAX_LAYOUTS + 10):
        decoder.decode(*request("a", pad=pad))
    decoder.decode(*request("a", pad=MAX_HEADER))
    known = decoder._layouts._known  # pyright: ignore[reportPrivateUsage]
    assert len(known) == MAX_LAYOUTS
    assert max(map(len, known)) <= MAX_HEADER
