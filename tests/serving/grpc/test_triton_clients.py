"""The unmodified `tritonclient.grpc` and `tritonclient.grpc.aio`, in the process of the server."""

import asyncio
import queue
import warnings
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
import numpy as np
import pytest
from onnx import TensorProto

from serving.grpc.single import SingleModel
from tests import models
from tests.clients.tensors import KINDS, assert_same, value
from tests.serving.conftest import Load
from tests.serving.grpc.conftest import ListenGrpc

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tritonclient.grpc
    import tritonclient.grpc.aio
    from tritonclient.utils import InferenceServerException

triton: Any = tritonclient.grpc
aio: Any = tritonclient.grpc.aio


def inputs(datatypes: Iterable[str] = KINDS) -> list[Any]:
    made: list[Any] = []
    for datatype in datatypes:
        made.append(triton.InferInput(datatype.lower(), [3, 2], datatype))
        made[-1].set_data_from_numpy(value(datatype))
    return made


def tensor(array: np.ndarray[Any, Any], name: str = "x", datatype: str = "FP32") -> list[Any]:
    made = triton.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array)
    return [made]


def check_everything(result: Any) -> None:
    for datatype in KINDS:
        assert_same(result.as_numpy(f"{datatype.lower()}_out"), value(datatype), datatype)


@pytest.fixture
def everything(load: Load) -> SingleModel:
    """A model `echo` that gives back one input of every datatype."""
    return SingleModel(load(models.echo_model, {name.lower(): kind for name, kind in KINDS.items()}))


@pytest.fixture
def failing(load: Load) -> SingleModel:
    """A model `failing` that fails for an index of 10 or more."""
    return SingleModel(load(models.failing_model))


async def test_every_datatype_comes_back_by_the_asynchronous_client(everything: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(everything)
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        result = await client.infer("echo", inputs(), request_id="7")
    check_everything(result)
    assert (result.get_response().id, result.get_response().model_version) == ("7", "1")


async def test_every_datatype_comes_back_by_the_synchronous_client(everything: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(everything)

    def call() -> Any:
        with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            return client.infer("echo", inputs(), model_version="1")

    check_everything(await asyncio.to_thread(call))


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
async def test_a_compressed_request(everything: SingleModel, listen: ListenGrpc, algorithm: str) -> None:
    server = await listen(everything)
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        check_everything(await client.infer("echo", inputs(), compression_algorithm=algorithm))


async def test_the_outputs_asked_for_come_in_the_order_asked_for(everything: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(everything)
    wanted = [triton.InferRequestedOutput(it) for it in ("int8_out", "bool_out")]
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        result = await client.infer("echo", inputs(), outputs=wanted)
    assert [it.name for it in result.get_response().outputs] == ["int8_out", "bool_out"]
    np.testing.assert_array_equal(result.as_numpy("int8_out"), value("INT8"))


async def test_a_classification(load: Load, listen: ListenGrpc) -> None:
    server = await listen(SingleModel(load(models.identity_model, TensorProto.FLOAT, ("N", 3))))
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        wanted = [triton.InferRequestedOutput("y", class_count=2)]
        result = await client.infer("identity", tensor(np.array([[0.25, 3, 1]], np.float32)), outputs=wanted)
    assert result.as_numpy("y").tolist() == [[b"3.000000:1", b"1.000000:2"]]


async def test_tensors_of_many_megabytes_go_both_ways(load: Load, listen: ListenGrpc) -> None:
    server = await listen(SingleModel(load(models.identity_model, TensorProto.FLOAT, ("N", "M"))))
    array = np.random.default_rng(0).normal(size=(2, 2_500_000)).astype(np.float32)
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        result = await client.infer("identity", tensor(array))
    np.testing.assert_array_equal(result.as_numpy("y"), array)


async def test_what_is_known_about_server_and_model(everything: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(everything)
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("echo")
        assert await client.is_model_ready("echo", "1")
        assert not await client.is_model_ready("echo", "2")
        assert not await client.is_model_ready("other")
        assert (await client.get_server_metadata()).name == "headrace"
        metadata = await client.get_model_metadata("echo", as_json=True)
        assert (metadata["versions"], metadata["platform"]) == (["1"], "onnxruntime_onnx")
        assert metadata["inputs"][0] == {"name": "bool", "datatype": "BOOL", "shape": ["-1", "2"]}
        config = (await client.get_model_config("echo")).config
        assert (config.name, config.max_batch_size > 0, config.input[0].dims) == ("echo", True, [2])
        assert [it.name for it in (await client.get_model_repository_index()).models] == ["echo"]


async def test_statistics_count_what_was_inferred(everything: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(everything)
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        for _ in range(2):
            await client.infer("echo", inputs())
        for answer in (await client.get_inference_statistics("echo"), await client.get_inference_statistics()):
            (model,) = answer.model_stats
            assert (model.name, model.inference_count, model.inference_stats.success.count) == ("echo", 6, 2)
            assert model.batch_stats[0].compute_infer.ns > 0


async def refused(call: Any) -> tuple[str | None, str]:
    with pytest.raises(InferenceServerException) as caught:
        await call
    return caught.value.status(), caught.value.message()


async def test_errors_have_gRPC_s_codes(failing: SingleModel, listen: ListenGrpc) -> None:  # noqa: N802
    server = await listen(failing, max_message_bytes=100_000)
    good = tensor(np.array([3]), datatype="INT64")
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        assert await refused(client.infer("other", good)) == ("StatusCode.NOT_FOUND", "no model is called 'other' here")
        code, text = await refused(client.infer("failing", good, model_version="2"))
        assert (code, text) == ("StatusCode.NOT_FOUND", "model 'failing' has no version '2' here")
        code, text = await refused(client.infer("failing", tensor(np.ones(2, np.float32))))
        assert (code, text) == ("StatusCode.INVALID_ARGUMENT", "input 'x' is INT64, not 'FP32'")
        code, text = await refused(client.infer("failing", tensor(np.array([10]), datatype="INT64")))
        assert (code, "refuses this input" in text) == ("StatusCode.INVALID_ARGUMENT", True)
        huge = tensor(np.zeros(20_000, np.int64), datatype="INT64")
        assert (await refused(client.infer("failing", huge)))[0] == "StatusCode.RESOURCE_EXHAUSTED"
        assert (await refused(client.load_model("failing")))[0] == "StatusCode.UNIMPLEMENTED"
        code, text = await refused(client.get_cuda_shared_memory_status())
        assert (code, text.split(";")[0]) == ("StatusCode.UNIMPLEMENTED", "shared memory is not supported")
        assert (await refused(client.get_trace_settings()))[0] == "StatusCode.UNIMPLEMENTED"
        assert (await refused(client.get_log_settings()))[0] == "StatusCode.UNIMPLEMENTED"
        assert (await client.infer("failing", good)).as_numpy("y").tolist() == [30]


async def test_a_stream_answers_in_order_and_goes_on_after_errors(failing: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(failing)
    indices = [0, 1, 99, 3, 4] * 40

    async def requests() -> AsyncIterator[dict[str, Any]]:
        for number, index in enumerate(indices):
            data = tensor(np.array([index]), datatype="INT64")
            yield {"model_name": "failing", "inputs": data, "request_id": str(number)}

    found: list[float | None] = []
    async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        async for result, error in client.stream_infer(requests()):
            if error is None:
                assert result.get_response().id == str(len(found))
            else:
                assert "99" in error.message() or "index" in error.message()
            found.append(None if error else result.as_numpy("y")[0])
    assert found == [None if it == 99 else it * 10 for it in indices]


async def test_a_stream_of_the_synchronous_client_marks_final_answers(failing: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(failing)

    def call() -> list[Any]:
        answers = queue.Queue[Any]()

        def put(result: Any, error: Any) -> None:
            answers.put(error or result)

        with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            client.start_stream(callback=put)
            for number, index in enumerate((1, 20, 2)):
                data = tensor(np.array([index]), datatype="INT64")
                client.async_stream_infer("failing", data, request_id=str(number), enable_empty_final_response=True)
            found = [answers.get(timeout=20) for _ in range(3)]
            client.stop_stream()
        return found

    first, error, last = await asyncio.to_thread(call)
    assert isinstance(error, InferenceServerException)
    for result, expected in ((first, 10), (last, 20)):
        assert result.get_response().parameters["triton_final_response"].bool_param
        assert result.as_numpy("y").tolist() == [expected]


async def test_a_stream_that_wants_codes_ends_with_the_first_error(failing: SingleModel, listen: ListenGrpc) -> None:
    server = await listen(failing)

    async def requests() -> AsyncIterator[dict[str, Any]]:
        for index in (1, 20, 2):
            yield {"model_name": "failing", "inputs": tensor(np.array([index]), datatype="INT64")}

    found: list[Any] = []

    async def call() -> None:
        async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            async for result, _ in client.stream_infer(requests(), headers={"triton_grpc_error": "true"}):
                found.append(result.as_numpy("y").tolist())

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call()
    assert (refused.value.code(), found) == (grpc.StatusCode.INVALID_ARGUMENT, [[10]])
