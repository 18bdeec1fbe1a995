"""The highest of an output's numbers, with index and label."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serving.classification import MAX_TEXTS, check_classification, classify, labels_of
from serving.errors import RequestMalformed
from serving.tensors import Array


def test_every_row_of_a_batch_gives_its_highest_with_their_labels() -> None:
    scores = np.array([[0.25, 0.5, 0.125], [1.0, -2.0, 3.5]], np.float32)
    texts = classify(scores, 2, ("a", "b", "c"), is_batched=True)
    assert texts.tolist() == [["0.500000:1:b", "0.250000:0:a"], ["3.500000:2:c", "1.000000:0:a"]]


def test_a_model_that_is_not_batched_gives_one_list() -> None:
    assert classify(np.array([[3, 1], [2, 9]]), 9, (), is_batched=False).tolist() == ["9:3", "3:0", "2:2", "1:1"]
    assert classify(np.array(5.0), 1, (), is_batched=True).tolist() == ["5.000000:0"]


def test_labels_that_do_not_fit_are_left_out() -> None:
    assert classify(np.array([7, 8]), 1, ("a", "b", "c"), is_batched=True).tolist() == [["7:0"], ["8:0"]]


def test_equal_numbers_keep_their_order_and_nan_is_last() -> None:
    assert classify(np.array([1, 2, 2]), 3, (), is_batched=False).tolist() == ["2:1", "2:2", "1:0"]
    scores = np.array([math.nan, -math.inf, 4])
    assert classify(scores, 3, (), is_batched=False).tolist() == ["4.000000:2", "-inf:1", "nan:0"]
    assert classify(np.array([False, True]), 2, (), is_batched=False).tolist() == ["1:1", "0:0"]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_the_limits_of_whole_numbers_are_in_order(dtype: type[np.integer]) -> None:
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    texts = classify(np.array([low, high, high - 1], dtype), 3, (), is_batched=False)
    assert texts.tolist() == [f"{high}:1", f"{high - 1}:2", f"{low}:0"]


@given(hnp.arrays(np.int32, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5)), st.integers(1, 6))
def test_the_highest_are_those_of_a_sorted_list(scores: Array, count: int) -> None:
    texts = classify(scores, count, (), is_batched=True)
    for row, found in zip(scores.reshape(len(scores), -1).tolist(), texts.tolist(), strict=True):
        assert [int(it.split(":")[0]) for it in found] == sorted(row, reverse=True)[:count]
        assert all(row[int(it.split(":")[1])] == int(it.split(":")[0]) for it in found)


def test_what_cannot_be_classified_is_refused() -> None:
    check_classification("y", "FP32", 1, MAX_TEXTS)
    for datatype, count, rows in (("BYTES", 1, 1), ("FP32", 0, 1), ("FP32", -1, 1), ("FP32", 2, MAX_TEXTS)):
        with pytest.raises(RequestMalformed, match=r"'y'|rows"):
            check_classification("y", datatype, count, rows)


def test_labels_are_read_from_the_files_metadata() -> None:
    assert labels_of({"headrace.labels": '["é", 2]'}) == ("é", "2")
    for nonsense in ("[", '{"a": 1}', "[" * 100_000):
        assert labels_of({"headrace.labels": nonsense}) == ()
    assert labels_of({}) == ()
