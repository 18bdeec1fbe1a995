"""Loading models, and what is decided from trying them."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper

from contracts.errors import HeadraceError
from serving.errors import InputRefusedByModel, ModelClosed, ModelNotLoadable
from serving.memory import Growth, trim
from serving.models import Model, load_model
from serving.requests import InferRequest
from serving.sessions import RUNS_GIVING_BACK, Source
from serving.tensors import Array
from tests import models
from tests.serving.conftest import Load
from tests.serving.test_batcher import Caller


async def run(model: Model, **inputs: Array) -> list[Array]:
    """All outputs for these inputs. Raises what the model answers with."""
    caller = Caller()
    names = tuple(it.name for it in model.outputs)
    rows = next(iter(inputs.values())).shape[0] if inputs else 1
    model.submit(InferRequest(inputs, rows, names, (False,) * len(names), None), caller, caller.settled.set_result)
    ticket = await caller.ticket()
    if ticket.error is not None:
        raise ticket.error
    return ticket.outputs


async def test_a_model_answers_and_knows_its_signature(load: Load) -> None:
    model = load(models.sum_model, width=3)
    assert [(it.name, it.datatype, it.shape) for it in (*model.inputs, *model.outputs)] == [
        ("x", "FP32", (-1, 3)),
        ("y", "FP32", (-1,)),
    ]
    assert (await run(model, x=np.array([[1, 2, 3], [4, 5, 6]], np.float32)))[0].tolist() == [6, 15]
    assert model.memory_bytes > 0


async def test_requests_of_many_callers_get_their_own_rows(load: Load) -> None:
    model = load(models.sum_model, width=2)
    answers = await asyncio.gather(*(run(model, x=np.full((it % 4 + 1, 2), it, np.float32)) for it in range(200)))
    assert [it[0].tolist() for it in answers] == [[2.0 * it] * (it % 4 + 1) for it in range(200)]


@pytest.mark.parametrize(
    ("build", "joins"),
    [
        (models.sum_model, True),
        (models.mlp_model, True),
        (models.columns_model, True),
        (models.mixing_model, False),
        (models.scalar_model, False),
    ],
)
def test_only_models_whose_rows_are_independent_are_joined(load: Load, build: Callable[..., Path], joins: bool) -> None:
    assert load(build).joins is joins


def test_a_state_with_its_batch_behind_the_first_dimension_is_not_joined(load: Load) -> None:
    def state_model(path: Path) -> Path:
        nodes = [helper.make_node("Identity", ["h"], ["h_out"])]
        shape = [1, "N", 4]
        return models.save_graph(
            path, nodes, [models.tensor("h", models.FLOAT, shape)], [models.tensor("h_out", models.FLOAT, shape)]
        )

    assert load(state_model).joins is False


def test_two_inputs_of_differently_named_first_dimensions_are_not_joined(load: Load) -> None:
    def pair_model(path: Path) -> Path:
        nodes = [helper.make_node("Identity", ["a"], ["c"]), helper.make_node("Identity", ["b"], ["d"])]
        shapes: dict[str, list[Any]] = {"a": ["N"], "b": ["M"], "c": ["N"], "d": ["M"]}
        a, b, c, d = (models.tensor(name, models.FLOAT, shape) for name, shape in shapes.items())
        return models.save_graph(path, nodes, [a, b], [c, d])

    assert load(pair_model).joins is False


def test_a_model_that_drops_rows_is_not_joined(load: Load) -> None:
    def positive_model(path: Path) -> Path:
        nodes = [helper.make_node("Greater", ["x", "half"], ["mask"]), helper.make_node("Compress", ["x", "mask"], ["y"], axis=0)]
        constants = {"half": np.array([0.5], np.float32)}
        x, y = models.tensor("x", models.FLOAT, ["N"]), models.tensor("y", models.FLOAT, ["M"])
        return models.save_graph(path, nodes, [x], [y], constants)

    assert load(positive_model).joins is False


async def test_a_slow_model_answers_from_its_thread(load: Load) -> None:
    model = load(models.slow_model)
    answers = await asyncio.gather(*(run(model, x=np.full((1, 600), it, np.float32)) for it in range(20)))
    for value, (output,) in enumerate(answers):
        np.testing.assert_allclose(output, np.full((1, 600), value), rtol=1e-4)


async def test_an_input_the_model_refuses_fails_alone_with_its_reason(load: Load) -> None:
    model = load(models.failing_model)
    outcomes = await asyncio.gather(*(run(model, x=np.array([it], np.int64)) for it in (3, 10_000, 4)), return_exceptions=True)
    assert outcomes[0] == [30.0]
    assert outcomes[2] == [40.0]
    assert isinstance(outcomes[1], InputRefusedByModel)
    assert "out of data bounds" in str(outcomes[1])
    assert "/onnxruntime" not in str(outcomes[1])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TensorProto.FLOAT16, np.array([[1.5]], np.float16)),
        (TensorProto.DOUBLE, np.array([[1e300]], np.float64)),
        (TensorProto.INT8, np.array([[-128]], np.int8)),
        (TensorProto.UINT64, np.array([[2**64 - 1]], np.uint64)),
        (TensorProto.BOOL, np.array([[True]])),
        (TensorProto.STRING, np.array([["ünï\0code"]], np.object_)),
    ],
)
async def test_every_kind_of_tensor_goes_through(load: Load, kind: int, value: Array) -> None:
    model = load(models.identity_model, kind, ("N", 1))
    assert model.joins
    assert (await run(model, x=value))[0].tolist() == value.tolist()


async def test_free_dimensions_behind_the_first_are_served(load: Load) -> None:
    model = load(models.identity_model, TensorProto.FLOAT, ("N", "width"))
    answers = await asyncio.gather(*(run(model, x=np.full((2, it), it, np.float32)) for it in (1, 2, 3, 2, 1)))
    assert [it[0].shape for it in answers] == [(2, 1), (2, 2), (2, 3), (2, 2), (2, 1)]


async def test_the_files_own_example_is_tried_where_made_up_inputs_do_not_do(load: Load) -> None:
    def picky_model(path: Path, metadata: dict[str, str]) -> Path:
        nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
        constants = {"shape": np.array([-1, 5], np.int64)}
        x, y = models.tensor("x", models.FLOAT, ["N", "width"]), models.tensor("y", models.FLOAT, ["N", 5])
        return models.save_graph(path, nodes, [x], [y], constants, metadata)

    example = '[{"name":"x","shape":[1,5],"datatype":"FP32","data":[1,2,3,4,5]}]'
    assert load(picky_model, {"headrace.example": example}).joins is True
    assert load(picky_model, {"headrace.example": "nonsense"}).joins is False


def test_a_file_that_is_no_model_is_not_loadable(tmp_path: Path) -> None:
    path = tmp_path / "no.onnx"
    path.write_bytes(b"this is not onnx")
    with pytest.raises(ModelNotLoadable) as refused:
        load_model(path, name="m", version="1")
    assert str(tmp_path) not in str(refused.value)


def test_a_type_without_a_word_in_the_protocol_is_named(tmp_path: Path) -> None:
    path = models.identity_model(tmp_path / "m.onnx", TensorProto.BFLOAT16)
    with pytest.raises(ModelNotLoadable, match=r"'x' has the type tensor\(bfloat16\)"):
        load_model(path, name="m", version="1")


def test_outputs_that_are_maps_get_advice(tmp_path: Path) -> None:
    path = tmp_path / "zipmap.onnx"
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 2])
    element = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    output = onnx.ValueInfoProto(name="probabilities", type=helper.make_sequence_type_proto(element))
    node = helper.make_node("ZipMap", ["scores"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    path = models.save_graph(path, [node], [scores], [output], domains=["ai.onnx.ml"])
    with pytest.raises(ModelNotLoadable, match="zipmap"):
        load_model(path, name="m", version="1")


async def test_a_closed_model_gives_its_session_back(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[weakref.ref[Any]] = []

    def open_and_remember(source: Source, threads: int) -> Any:
        session = open_session_of(source, threads)
        opened.append(weakref.ref(vars(session)["_sess"]))  # what holds the memory
        return session

    open_session_of = Source.open
    monkeypatch.setattr(Source, "open", open_and_remember)
    model = load(models.slow_model)
    await run(model, x=np.zeros((1, 600), np.float32))
    gc.collect()
    assert sum(it() is not None for it in opened) == 1
    await asyncio.to_thread(model.close)
    gc.collect()
    assert all(it() is None for it in opened)


async def test_one_large_request_does_not_keep_its_memory(load: Load) -> None:
    def thrice_model(path: Path) -> Path:
        nodes = [helper.make_node("Add", ["x", "x"], ["a"]), helper.make_node("Mul", ["a", "x"], ["y"])]
        x, y = (models.tensor(it, models.FLOAT, ["N", "width"]) for it in "xy")
        return models.save_graph(path, nodes, [x], [y])

    model, process = load(thrice_model), psutil.Process()
    before = process.memory_info().rss
    await run(model, x=np.ones((1, 30_000_000), np.float32))
    for _ in range(RUNS_GIVING_BACK - 1):
        gc.collect()  # the test's own callers and tickets know each other
        await run(model, x=np.ones((1, 1), np.float32))
    trim()  # what the C library keeps of it for the next one who asks is not the model's
    assert process.memory_info().rss - before < 100_000_000


def resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss


def weighty_model(path: Path, size: int = 4000) -> Path:
    """`y` [N, size] from `x` [N, size] by a matrix of `size` squared different numbers."""
    return models.linear_model(path, width=size, outputs=size)


async def test_a_large_models_memory_is_told_and_comes_back(load: Load) -> None:
    size = 4000 * 4000 * 4
    await asyncio.to_thread(load(weighty_model).close)  # what the first model takes beside is onnxruntime's own
    before = resident()
    model = load(weighty_model)
    assert 0.9 * size < model.memory_bytes < 1.3 * size
    assert 0.9 * size < resident() - before < 1.3 * size
    await run(model, x=np.zeros((64, 4000), np.float32))
    await asyncio.to_thread(model.close)
    assert resident() - before < 0.2 * size


async def test_two_loads_at_once_do_not_count_each_other() -> None:
    with Growth() as outer, Growth() as inner:
        block = np.ones(30_000_000)
    assert outer.bytes >= 0.9 * block.nbytes
    assert inner.bytes == 0


async def test_a_closed_model_takes_no_more(load: Load) -> None:
    model = load(models.sum_model)
    await run(model, x=np.zeros((1, 4), np.float32))
    await asyncio.to_thread(model.close)
    with pytest.raises(ModelClosed):
        await run(model, x=np.zeros((1, 4), np.float32))
    assert issubclass(ModelClosed, HeadraceError)
