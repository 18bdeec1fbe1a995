"""Requests of different lengths in one run: only where a model bears it, and then with the answers they would get alone."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from contracts.routes import Batching, Padding, RevisionSettings
from serving.errors import PaddingRefused
from serving.models import Model
from serving.padding import PaddingRule, Source
from serving.requests import InferRequest
from serving.tensors import Array
from tests import models
from tests.serving.conftest import Load
from tests.serving.test_models import run

INT64 = TensorProto.INT64
WORDS = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


def padded(value: float = 0.0, *buckets: int, delay_us: int = 0) -> RevisionSettings:
    """Settings that ask for padding."""
    return RevisionSettings(Batching(padding=Padding(value, buckets), max_delay_us=delay_us or None))


def text_model(path: Path, mask: str = "length") -> Path:
    """`ids` and `mask` [N, length] INT64 to `tokens` [N, length, 3], a vector for each id, and `mean` [N, 3] of the unmasked."""
    nodes = [
        helper.make_node("Gather", ["words", "ids"], ["tokens"]),
        helper.make_node("Cast", ["mask"], ["weights"], to=models.FLOAT),
        helper.make_node("Unsqueeze", ["weights", "last"], ["column"]),
        helper.make_node("Mul", ["tokens", "column"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "second"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["weights", "second"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
    ]
    constants: dict[str, np.ndarray[Any, Any]] = {
        "words": WORDS,
        "last": np.array([2], np.int64),
        "second": np.array([1], np.int64),
    }
    inputs = [models.tensor("ids", INT64, ["N", "length"]), models.tensor("mask", INT64, ["N", mask])]
    outputs = [models.tensor("tokens", models.FLOAT, ["N", "length", 3]), models.tensor("mean", models.FLOAT, ["N", 3])]
    return models.save_graph(path, nodes, inputs, outputs, constants)


def mean_model(path: Path) -> Path:
    """`y` [N, 1] is the mean of `x` [N, length]: what it is filled up with counts."""
    nodes = [helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=1)]
    x, y = models.tensor("x", models.FLOAT, ["N", "length"]), models.tensor("y", models.FLOAT, ["N", 1])
    return models.save_graph(path, nodes, [x], [y], {"axes": np.array([1], np.int64)})


def pairs_model(path: Path) -> Path:
    """`y` [N, twice the length] is `x` [N, length] twice: where to cut it cannot be known."""
    nodes = [helper.make_node("Concat", ["x", "x"], ["y"], axis=1)]
    x, y = (models.tensor(it, models.FLOAT, ["N", length]) for it, length in (("x", "length"), ("y", "twice")))
    return models.save_graph(path, nodes, [x], [y])


def image_model(path: Path) -> Path:
    """`y` [N, 1, height, width] is twice `x`, of any height and width."""
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    x, y = (models.tensor(it, models.FLOAT, ["N", 1, "height", "width"]) for it in "xy")
    return models.save_graph(path, nodes, [x], [y])


async def ask(model: Model, *lengths: int) -> list[int]:
    """Ask for texts of these lengths at once, check every answer, and tell how many rows the run of each had."""
    random = np.random.default_rng(1)
    asked = [{"ids": random.integers(0, 10, (1, it)), "mask": np.ones((1, it), np.int64)} for it in lengths]
    before = dict(model.statistics.batches)
    answers = await asyncio.gather(*(run(model, **it) for it in asked))
    for inputs, (tokens, mean) in zip(asked, answers, strict=True):
        np.testing.assert_allclose(tokens, WORDS[inputs["ids"]], rtol=1e-5)
        np.testing.assert_allclose(mean, WORDS[inputs["ids"]].mean(axis=1), rtol=1e-4, atol=1e-6)
    return sorted(set(model.statistics.batches) - set(before))


async def test_texts_of_different_lengths_share_a_run(load: Load) -> None:
    assert await ask(load(text_model, settings=padded()), 3, 16, 5) == [3]


async def test_without_the_setting_they_do_not(load: Load) -> None:
    assert await ask(load(text_model), 3, 16, 5) == [1]


async def test_lengths_far_apart_do_not_share_a_run_lest_most_of_it_be_padding(load: Load) -> None:
    model = load(text_model, settings=padded())
    await ask(model, 3, 500, 5, 510)
    assert {rows: it.count for rows, it in model.statistics.batches.items()} == {2: 2}


async def test_lengths_are_filled_up_to_buckets_and_what_exceeds_them_runs_with_its_equals(load: Load) -> None:
    model = load(text_model, settings=padded(0.0, 64, 8))
    await ask(model, 3, 20, 8, 64, 100, 100, 101)
    assert {rows: it.count for rows, it in model.statistics.batches.items()} == {1: 1, 2: 3}


async def test_axes_of_different_names_are_filled_up_each_by_itself(load: Load) -> None:
    model = load(image_model, settings=padded(7.0))
    shapes = [(2, 9), (9, 2), (16, 16), (1, 1)]
    images = [np.random.default_rng(2).random((1, 1, *it)).astype(np.float32) for it in shapes]
    answers = await asyncio.gather(*(run(model, x=it) for it in images))
    for image, (answer,) in zip(images, answers, strict=True):
        np.testing.assert_array_equal(answer, image * 2)
    assert list(model.statistics.batches) == [4]


async def test_it_is_told_that_padding_is_used(load: Load) -> None:
    [told] = [it for it in load(text_model, settings=padded(0.0, 8, 64)).tuning.choices if it.name == "padding"]
    assert (told.value, told.is_pinned) == ("0 up to 8 or 64", True)


@pytest.mark.parametrize(
    ("build", "value", "reason"),
    [
        (mean_model, 0.0, "an input gives another 'y' than by itself"),
        (text_model, 1.0, "an input gives another 'mean' than by itself"),
        (text_model, 0.5, "0.5 is no value of its input 'ids', which is INT64"),
        (pairs_model, 0.0, "axis 1 of its output 'y' is neither fixed nor as long as an axis of an input"),
        (models.sum_model, 0.0, "none of its inputs has a free axis behind the first"),
        (models.mixing_model, 0.0, "its requests never share a run"),
    ],
)
async def test_a_model_that_does_not_bear_padding_is_not_served_with_it(
    load: Load, build: Any, value: float, reason: str
) -> None:
    with pytest.raises(PaddingRefused) as refused:
        load(build, settings=padded(value))
    assert reason in str(refused.value)


async def test_inputs_whose_lengths_must_agree_but_do_not_say_so_are_refused(load: Load) -> None:
    with pytest.raises(PaddingRefused, match="a trial with the made-up inputs ids"):
        load(text_model, "another", settings=padded())


async def test_buckets_that_would_fill_the_memory_are_refused(load: Load) -> None:
    with pytest.raises(PaddingRefused, match="its buckets are too large for a trial"):
        load(text_model, settings=padded(0.0, 10**12))


async def test_requests_that_would_be_mostly_filling_run_alone(load: Load) -> None:
    model = load(image_model, settings=padded(0.0, 600))
    images = [np.full((1, 1, 2, 2), it, np.float32) for it in range(15)]
    answers = await asyncio.gather(*(run(model, x=it) for it in images))
    assert [it[0, 0, 0, 0] for (it,) in answers] == list(range(0, 30, 2))
    assert model.statistics.closed["alone"] == 15


lengths = st.integers(1, 70)


@given(
    shapes=st.lists(st.tuples(st.integers(1, 3), lengths, lengths), min_size=1, max_size=6),
    buckets=st.lists(st.integers(1, 64), max_size=3, unique=True).map(sorted).map(tuple),
    value=st.sampled_from([0.0, -1.0]),
)
def test_what_is_joined_is_told_apart_again(shapes: list[tuple[int, int, int]], buckets: tuple[int, ...], value: float) -> None:
    sources = {1: Source("x", 1), 2: Source("x", 2)}
    rule = PaddingRule(value, buckets, {"x": (1, 2)}, {"y": sources})
    random = np.random.default_rng(0)
    requests = [InferRequest({"x": random.random(it)}, it[0], ("y",), (False,), None) for it in shapes]
    joined: Array = rule.join(requests, "x")
    end = 0
    for asked in requests:
        begin, end = end, end + asked.rows
        [seen] = rule.cut([joined[begin:end]], asked)
        np.testing.assert_array_equal(seen, asked.inputs["x"])
    assert end == joined.shape[0]
    assert np.count_nonzero(joined == value) == joined.size - sum(it.inputs["x"].size for it in requests)


@given(lengths, lengths)
def test_what_may_share_a_run_wastes_at_most_as_much_again_on_an_axis(one: int, other: int) -> None:
    rule = PaddingRule(0.0, (), {"x": (1,)}, {})
    keys = [rule.key(InferRequest({"x": np.zeros((1, it))}, 1, ("y",), (False,), None)) for it in (one, other)]
    if keys[0] == keys[1]:
        assert max(one, other) <= max(16, 2 * min(one, other))
