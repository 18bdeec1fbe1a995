"""Two requests have the same key only if they are the same."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.keys import MAX_KEYED_BYTES, key_of
from serving.requests import InferRequest
from tests.gateway.cache.requests import ARRAYS, are_same, asking

NAMES = st.sampled_from(["x", "y", "xy", "", "x'", "('x'"])
REQUESTS = st.builds(asking, st.dictionaries(NAMES, ARRAYS, max_size=3), st.lists(NAMES, max_size=2).map(tuple))
REVISION = bytes(16)


def are_equal(left: InferRequest, right: InferRequest) -> bool:
    return (
        left.outputs == right.outputs
        and list(left.inputs) == list(right.inputs)
        and all(are_same(left.inputs[it], right.inputs[it]) for it in left.inputs)
    )


@given(st.lists(REQUESTS, min_size=2, max_size=6))
def test_requests_have_the_same_key_exactly_if_they_are_equal(requests: list[InferRequest]) -> None:
    for left, right in combinations(requests, 2):
        assert (key_of(left, REVISION) == key_of(right, REVISION)) == are_equal(left, right)


@given(REQUESTS)
def test_another_revision_has_other_keys(request: InferRequest) -> None:
    assert key_of(request, bytes(16)) != key_of(request, bytes(15) + b"\1")


def test_what_looks_alike_is_told_apart() -> None:
    alike = [
        asking({"x": np.array([[1, 2]], np.int32)}),
        asking({"x": np.array([[1], [2]], np.int32)}),
        asking({"x": np.array([[1, 2]], np.int32).view(np.float32)}),
        asking({"x": np.array([[1, 2]], np.int64)}),
        asking({"z": np.array([[1, 2]], np.int32)}),
        asking({"x": np.array([[1, 2]], np.int32)}, ("y", "z")),
        asking({"x": np.array([[1, 2]], np.int32)}, ("z", "y")),
        asking({"x": np.array(["ab", "c"], object)}),
        asking({"x": np.array(["a", "bc"], object)}),
        asking({"x": np.array([0.0])}),
        asking({"x": np.array([-0.0])}),
    ]
    assert len({key_of(it, REVISION) for it in alike}) == len(alike)


def test_an_array_is_known_however_it_lies_in_memory() -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    turned = np.asfortranarray(array)
    unaligned = np.frombuffer(b"\0" + array.tobytes(), np.float32, 12, 1).reshape(3, 4)
    assert len({key_of(asking({"x": it}), REVISION) for it in (array, turned, unaligned)}) == 1


def test_what_takes_long_to_hash_has_no_key() -> None:
    assert key_of(asking({"x": np.zeros(MAX_KEYED_BYTES + 1, np.uint8)}), REVISION) is None
    assert key_of(asking({"x": np.array(["x" * (MAX_KEYED_BYTES + 1)], object)}), REVISION) is None
    assert key_of(asking({"x": np.zeros(MAX_KEYED_BYTES, np.uint8)}), REVISION) is not None
