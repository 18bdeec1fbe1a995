"""The short way through decoding says the same as the careful one, or nothing."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.plain_requests import MAX_BODY, PlainDecoder
from serving.requests import RequestDecoder

OUTPUTS = (Tensor("y", "FP32", (-1,)),)
NUMBERS = st.one_of(
    st.integers(-300, 300),
    st.integers(),
    st.floats(),
    st.just(1e39),
    st.none(),
    st.booleans(),
    st.just("1"),
    st.lists(st.just(1)),
)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["x", "x", "x", "z"]),
        "shape": st.one_of(
            st.sampled_from([[1, 2], [2, 2], [1, 4], [0, 2], [-1, 2], [2**40, 2]]), st.lists(st.integers(-1, 3), max_size=3)
        ),
        "datatype": st.sampled_from(["FP32", "FP32", "INT8", "INT64", "FP64", "BYTES", "NONE"]),
        "data": st.one_of(st.lists(NUMBERS, max_size=9), st.lists(st.integers(0, 9), min_size=2, max_size=4), NUMBERS),
    },
    optional={"parameters": st.sampled_from([{}, {"binary_data_size": 8}]), "more": st.just(1)},
)
REQUESTS = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=2)},
    optional={
        "id": st.one_of(st.text(), st.integers()),
        "outputs": st.just([{"name": "y"}]),
        "parameters": st.just({"priority": 1}),
    },
)


def decoded(decoder: RequestDecoder, body: bytes) -> Any:
    try:
        it = decoder.decode(body)
    except HeadraceError as error:
        return str(error)
    return (
        it.rows,
        it.outputs,
        it.binary,
        it.id,
        it.priority,
        [(name, a.dtype, a.shape, a.tobytes()) for name, a in it.inputs.items()],
    )


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "FP16", "INT8", "INT64", "UINT64"])
def test_both_ways_agree(datatype: str) -> None:
    inputs = (Tensor("x", datatype, (-1, 2)),)
    short, careful = (RequestDecoder(inputs, OUTPUTS, is_batched=True) for _ in range(2))
    careful._plain = None  # pyright: ignore[reportPrivateUsage]

    @given(REQUESTS)
    def check(request: Any) -> None:
        body = json.dumps(request).encode()
        assert decoded(short, body) == decoded(careful, body)

    check()


def test_a_plain_request_takes_the_short_way() -> None:
    (tensor,) = (Tensor("x", "FP32", (-1, 2)),)
    found = PlainDecoder(tensor).decode(b'{"id":"a","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2.5,3,4]}]}')
    assert found is not None
    array, request_id = found
    assert (array.dtype, array.tolist(), request_id) == (np.float32, [[1, 2.5], [3, 4]], "a")


@pytest.mark.parametrize(
    ("shape", "datatype", "is_taken"),
    [
        ((-1, 4), "FP32", True),
        ((-1,), "INT8", True),
        ((-1, -1), "FP32", False),
        ((2, 4), "FP32", False),
        ((), "FP32", False),
        ((-1,), "BYTES", False),
        ((-1,), "BOOL", False),
    ],
)
def test_only_rows_of_numbers_can_be_plain(shape: tuple[int, ...], datatype: str, is_taken: bool) -> None:
    assert PlainDecoder.takes((Tensor("x", datatype, shape),)) is is_taken
    assert not PlainDecoder.takes((Tensor("x", datatype, shape),) * 2)


def test_a_long_body_is_not_even_tried() -> None:
    decoder = RequestDecoder((Tensor("x", "FP32", (-1, 2)),), OUTPUTS, is_batched=True)
    body = b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}' + b" " * MAX_BODY
    assert decoded(decoder, body)[0] == 1
