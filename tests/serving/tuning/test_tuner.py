"""Models loaded with and without what an earlier load has left behind."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from contracts.routes import Batching, Execution, RevisionSettings
from serving import sessions
from serving.models import Model, load_model
from serving.sessions import Source
from serving.tuning import tuner
from tests import models
from tests.serving.conftest import Load
from tests.serving.test_models import run

STRING, BOOL = TensorProto.STRING, TensorProto.BOOL


def choice(model: Model, name: str) -> str:
    """What was chosen for `name`."""
    return next(it.value for it in model.tuning.choices if it.name == name)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Threads of every session that was measured, in that order."""
    seen: list[int] = []

    def count(*arguments: Any) -> Any:
        seen.append(arguments[4])
        return measure_rows(*arguments)

    measure_rows = tuner.measure_rows
    monkeypatch.setattr(tuner, "measure_rows", count)
    return seen


@pytest.fixture(autouse=True)
def is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken for disturbed, whatever else the machine does."""
    monkeypatch.setattr(tuner, "UNDISTURBED", 0.0)


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that threads are compared on any machine."""
    monkeypatch.setattr(tuner, "cores", lambda: 2)


@pytest.fixture
def small_files_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Optimised graphs of small models are worth keeping."""
    monkeypatch.setattr(sessions, "OPTIMIZED_BYTES", (0, 1 << 30))


async def test_what_was_measured_is_told(load: Load) -> None:
    model = load(models.mlp_model)
    assert [it.rows for it in model.tuning.points if it.threads == 1][:4] == [1, 2, 4, 8]
    assert all(it.run_us > 0 for it in model.tuning.points)
    assert 0 < model.tuning.took_s < 10
    assert choice(model, "execution") == "inline"
    assert int(choice(model, "max_batch_size")) == model.plan.max_batch_size


async def test_a_restart_does_not_measure_again(load: Load, tmp_path: Path, measured: list[int]) -> None:
    first = load(models.mlp_model, digest="d" * 64, cache=tmp_path / "cache")
    assert measured
    count = len(measured)
    again = load(models.mlp_model, digest="d" * 64, cache=tmp_path / "cache")
    assert len(measured) == count
    assert again.tuning == first.tuning
    load(models.mlp_model, digest="e" * 64, cache=tmp_path / "cache")
    assert len(measured) > count


async def test_what_was_measured_beside_other_work_is_measured_again(
    load: Load, tmp_path: Path, measured: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuner, "UNDISTURBED", 0.8)
    share = [0.5]
    wall = time.perf_counter
    monkeypatch.setattr(tuner, "time", SimpleNamespace(perf_counter=wall, time=time.time, thread_time=lambda: share[0] * wall()))

    def load_again() -> int:
        load(models.mlp_model, digest="d" * 64, cache=tmp_path / "cache", intra_op_threads=1)
        return len(measured)

    assert [load_again(), load_again()] == [1, 2]
    share[0] = 1.0
    assert [load_again(), load_again()] == [3, 3]


async def test_another_bound_on_the_batch_is_measured_anew(load: Load, tmp_path: Path, measured: list[int]) -> None:
    load(models.mlp_model, digest="d" * 64, cache=tmp_path / "cache")
    count = len(measured)
    small = load(
        models.mlp_model, digest="d" * 64, cache=tmp_path / "cache", settings=RevisionSettings(Batching(max_batch_size=3))
    )
    assert len(measured) > count
    assert {it.rows for it in small.tuning.points} == {1, 2, 3}
    assert small.plan.max_batch_size == 3


@pytest.mark.usefixtures("two_cores")
async def test_threads_are_compared_and_pinned_ones_are_not(load: Load, measured: list[int]) -> None:
    load(models.mlp_model)
    assert measured == [2, 1]
    model = load(models.mlp_model, settings=RevisionSettings(execution=Execution(intra_op_threads=3)))
    assert measured == [2, 1, 3]
    assert choice(model, "intra_op_threads") == "3"
    load(models.mlp_model, intra_op_threads=1)
    assert measured == [2, 1, 3, 1]


@pytest.mark.usefixtures("two_cores")
async def test_without_time_one_run_is_measured_and_all_cores_are_taken(load: Load, measured: list[int]) -> None:
    model = load(models.slow_model, tuning_budget_s=0)
    assert measured == [2]
    assert [(it.rows, it.threads) for it in model.tuning.points] == [(1, 2)]
    assert (await run(model, x=np.zeros((2, 600), np.float32)))[0].shape == (2, 600)


@pytest.mark.usefixtures("two_cores")
async def test_a_large_model_is_not_opened_twice(load: Load, measured: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuner, "COMPARABLE_BYTES", 0)
    model = load(models.mlp_model)
    assert measured == [2]
    [reason] = [it.reason for it in model.tuning.choices if it.name == "intra_op_threads"]
    assert "too large" in reason


@pytest.mark.parametrize("mode", ["inline", "thread"])
async def test_a_pinned_mode_is_kept(load: Load, mode: str) -> None:
    model = load(models.mlp_model, settings=RevisionSettings(execution=Execution(mode=mode)))  # type: ignore[arg-type]
    assert choice(model, "execution") == mode
    assert (await run(model, input=np.zeros((200, 4), np.float32)))[0].shape == (200, 3)


def optimized(cache: Path) -> list[Path]:
    return sorted((cache / "optimized").glob("*"))


@pytest.mark.usefixtures("small_files_kept")
async def test_an_optimised_graph_is_kept_and_answers_the_same(load: Load, tmp_path: Path) -> None:
    cache, x = tmp_path / "cache", np.random.default_rng(0).random((5, 4)).astype(np.float32)
    plain = await run(load(models.mlp_model), input=x)
    first = await run(load(models.mlp_model, digest="d" * 64, cache=cache), input=x)
    [kept] = optimized(cache)
    again = load(models.mlp_model, digest="d" * 64, cache=cache)
    np.testing.assert_array_equal(first[0], plain[0])
    np.testing.assert_array_equal((await run(again, input=x))[0], plain[0])
    assert optimized(cache) == [kept]


@pytest.mark.usefixtures("small_files_kept")
@pytest.mark.parametrize("damage", [b"", b"no model"])
async def test_a_damaged_optimised_graph_is_made_again(tmp_path: Path, damage: bytes) -> None:
    cache, path = tmp_path / "cache", models.mlp_model(tmp_path / "m.onnx")
    await asyncio.to_thread(load_model(path, name="m", version="1", digest="d" * 64, cache=cache).close)
    [kept] = optimized(cache)
    whole = kept.read_bytes()
    kept.write_bytes(damage)
    model = load_model(path, name="m", version="1", digest="d" * 64, cache=cache)
    assert (await run(model, input=np.zeros((2, 4), np.float32)))[0].shape == (2, 3)
    await asyncio.to_thread(model.close)
    assert [it.read_bytes() for it in optimized(cache)] == [whole]


@pytest.mark.usefixtures("small_files_kept")
async def test_an_optimised_graph_that_cannot_be_kept_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    path = models.mlp_model(tmp_path / "m.onnx")
    model = load_model(path, name="m", version="1", digest="d" * 64, cache=tmp_path / "cache")
    assert (await run(model, input=np.zeros((2, 4), np.float32)))[0].shape == (2, 3)
    await asyncio.to_thread(model.close)


def test_a_small_model_leaves_no_optimised_graph(tmp_path: Path) -> None:
    Source(models.mlp_model(tmp_path / "m.onnx"), "d" * 64, tuner.Directory(tmp_path / "optimized", 1 << 20)).open(1)
    assert not (tmp_path / "optimized").exists()


def scaled_model(path: Path) -> Path:
    """`y` [N, 2] is `x` [N, 2] times the scalar `by`, which comes first: requests to it are counted as one row each."""
    nodes = [helper.make_node("Mul", ["x", "by"], ["y"])]
    inputs = [models.tensor("by", models.FLOAT, []), models.tensor("x", models.FLOAT, ["N", 2])]
    return models.save_graph(path, nodes, inputs, [models.tensor("y", models.FLOAT, ["N", 2])])


def pattern_model(path: Path) -> Path:
    """`y` [N, 1]: whether the text `x` [N, 1] consists of pairs of words that differ."""
    nodes = [helper.make_node("RegexFullMatch", ["x"], ["y"], pattern="((some|any)? ?(words?|[a-z]{2,9}x) )*")]
    return models.save_graph(path, nodes, [models.tensor("x", STRING, ["N", 1])], [models.tensor("y", BOOL, ["N", 1])])


async def test_texts_are_read_in_a_thread_and_looked_up_on_the_loop(load: Load) -> None:
    assert choice(load(pattern_model), "execution") == "thread"
    assert choice(load(models.columns_model), "execution") == "inline"


async def test_what_may_cost_more_than_its_rows_say_keeps_nobody_waiting_on_the_loop(load: Load) -> None:
    assert choice(load(scaled_model), "execution") == "thread"
