"""Models with state, scalars, sequences: they pass through, one request a run, and answer what onnxruntime answers."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from serving.tensors import Array
from tests import models
from tests.models import FLOAT, tensor
from tests.serving.conftest import Load
from tests.serving.test_models import run

Inputs = dict[str, Array]
RANDOM = np.random.default_rng(0)


def recurrent_model(path: Path) -> Path:
    """A GRU over `x` [time, N, 3] from the state `h` [1, N, 4]: `y` [time, 1, N, 4] and the new state `h_out` [1, N, 4]."""
    random = np.random.default_rng(0)
    weights = {name: random.normal(size=(1, 12, size)).astype(np.float32) for name, size in (("w", 3), ("r", 4))}
    node = helper.make_node("GRU", ["x", "w", "r", "", "", "h"], ["y", "h_out"], hidden_size=4)
    inputs = [tensor("x", FLOAT, ["time", "N", 3]), tensor("h", FLOAT, [1, "N", 4])]
    outputs = [tensor("y", FLOAT, ["time", 1, "N", 4]), tensor("h_out", FLOAT, [1, "N", 4])]
    return models.save_graph(path, [node], inputs, outputs, weights)


def voice_model(path: Path) -> Path:
    """As voice detectors are: `frame` [N, 8], `state` [2, N, 8], the scalar `rate`; `speech` [N, 1] and the next `state/out`."""
    nodes = [
        helper.make_node("Cast", ["rate"], ["r"], to=FLOAT),
        helper.make_node("Add", ["state", "frame"], ["moved"]),
        helper.make_node("Div", ["moved", "r"], ["state/out"]),
        helper.make_node("ReduceMean", ["frame", "axes"], ["speech"], keepdims=1),
    ]
    inputs = [
        tensor("frame", FLOAT, ["N", 8]),
        tensor("state", FLOAT, [2, "N", 8]),
        tensor("rate", TensorProto.INT64, []),
    ]
    outputs = [tensor("speech", FLOAT, ["N", 1]), tensor("state/out", FLOAT, [2, "N", 8])]
    return models.save_graph(path, nodes, inputs, outputs, {"axes": np.array([1], np.int64)})


def finds_model(path: Path) -> Path:
    """`where` [however many]: where `x` [N] is above one half."""
    nodes = [
        helper.make_node("Greater", ["x", "half"], ["mask"]),
        helper.make_node("NonZero", ["mask"], ["found"]),
        helper.make_node("Squeeze", ["found", "first"], ["where"]),
    ]
    constants: dict[str, np.ndarray[Any, Any]] = {"half": np.array([0.5], np.float32), "first": np.array([0], np.int64)}
    return models.save_graph(path, nodes, [tensor("x", FLOAT, ["N"])], [tensor("where", TensorProto.INT64, ["found"])], constants)


def single_model(path: Path) -> Path:
    """`y` [1, 3] is twice `x` [1, 3]: exported for one row and no more."""
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    return models.save_graph(path, nodes, [tensor("x", FLOAT, [1, 3])], [tensor("y", FLOAT, [1, 3])])


def partly_model(path: Path) -> Path:
    """`y` [N, 2] is `x`; `largest` [2] is of all rows: one output has the batch, the other has not."""
    nodes = [
        helper.make_node("Identity", ["x"], ["y"]),
        helper.make_node("ReduceMax", ["x", "axes"], ["largest"], keepdims=0),
    ]
    outputs = [tensor("y", FLOAT, ["N", 2]), tensor("largest", FLOAT, [2])]
    return models.save_graph(path, nodes, [tensor("x", FLOAT, ["N", 2])], outputs, {"axes": np.array([0], np.int64)})


def floats(*shape: int) -> Array:
    return RANDOM.normal(size=shape).astype(np.float32)


CASES: list[tuple[Callable[[Path], Path], Callable[[int], Inputs]]] = [
    (recurrent_model, lambda it: {"x": floats(it + 1, 2, 3), "h": floats(1, 2, 4)}),
    (recurrent_model, lambda it: {"x": floats(1, it + 1, 3), "h": floats(1, it + 1, 4)}),
    (voice_model, lambda it: {"frame": floats(it + 1, 8), "state": floats(2, it + 1, 8), "rate": np.array(8000 * (it + 1))}),
    (finds_model, lambda it: {"x": floats(it * 3)}),
    (single_model, lambda _: {"x": floats(1, 3)}),
    (partly_model, lambda it: {"x": floats(it + 1, 2)}),
]
"""Models, and inputs for the n-th request."""


@pytest.mark.parametrize(("build", "make"), CASES)
async def test_it_answers_as_onnxruntime_does_alone(
    load: Load, tmp_path: Path, build: Callable[[Path], Path], make: Callable[[int], Inputs]
) -> None:
    model, alone = load(build), ort.InferenceSession(str(build(tmp_path / "alone.onnx")))
    assert not model.joins
    asked = [make(it % 5) for it in range(20)]
    answers = await asyncio.gather(*(run(model, **it) for it in asked))
    for inputs, answer in zip(asked, answers, strict=True):
        expected: Any = alone.run(None, inputs)
        for seen, wanted in zip(answer, expected, strict=True):
            np.testing.assert_array_equal(seen, wanted)
    assert model.statistics.closed["alone"] == len(asked)


async def test_a_state_is_carried_from_request_to_request(load: Load) -> None:
    model = load(recurrent_model)
    sequence, state = floats(6, 2, 3), np.zeros((1, 2, 4), np.float32)
    whole = await run(model, x=sequence, h=state)
    for step in sequence:
        _, state = await run(model, x=step[None], h=state)
    np.testing.assert_allclose(state, whole[1], rtol=1e-5)


async def test_an_input_that_is_an_initializer_too_need_not_be_sent(load: Load) -> None:
    weights: list[Array] = []

    def old_model(path: Path) -> Path:
        """As old exporters wrote them: the weights `w` stand among the inputs as well."""
        model = onnx.load(str(models.linear_model(path)))
        model.graph.input.append(tensor("w", FLOAT, [4, 3]))
        weights.append(numpy_helper.to_array(model.graph.initializer[0]))
        path.write_bytes(model.SerializeToString())
        return path

    model, x = load(old_model), floats(2, 4)
    assert ([it.name for it in model.inputs], model.joins) == (["x"], True)
    np.testing.assert_allclose((await run(model, x=x))[0], x @ weights[0], rtol=1e-5)
