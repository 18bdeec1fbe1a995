"""The unmodified tritonclient, over HTTP, against `python -m serving serve`."""

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import services
from tests.clients.tensors import KINDS, assert_same, every_datatype, value

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # gevent, which it uses, warns about the modules it patches
    from tritonclient.http import InferenceServerClient, InferenceServerException, InferInput, InferRequestedOutput

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that gives back one input of every datatype."""
    return every_datatype(tmp_path_factory.mktemp("models") / "everything.onnx")


@pytest.fixture(scope="module")
def client(everything: Path) -> Generator[Any]:
    port = services.free_port()
    environment = {**os.environ, "HEADRACE_INFERENCE_PORT": str(port), "HEADRACE_GRPC_PORT": "0"}
    command = [sys.executable, "-m", "serving", "serve", str(everything)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        connected = InferenceServerClient(f"127.0.0.1:{port}", concurrency=1)
        try:
            services.wait_until(lambda: is_live(connected), "the server to be live")
            yield connected
        finally:
            connected.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def is_live(client: Any) -> bool:
    try:
        return client.is_server_live()
    except OSError:
        return False


def inputs(binary: bool) -> list[Any]:
    made: list[Any] = []
    for datatype in KINDS:
        array = value(datatype)
        made.append(InferInput(datatype.lower(), list(array.shape), datatype))
        made[-1].set_data_from_numpy(array, binary_data=binary or datatype == "FP16")  # it refuses FP16 in JSON itself
    return made


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_every_datatype_comes_back(client: Any, binary_in: bool, binary_out: bool | None) -> None:
    names = [f"{it.lower()}_out" for it in KINDS]
    asked = None if binary_out is None else [InferRequestedOutput(it, binary_data=binary_out) for it in names]
    result = client.infer("everything", inputs(binary_in), outputs=asked, request_id="7")
    assert result.get_response()["id"] == "7"
    for datatype in KINDS:
        assert_same(result.as_numpy(f"{datatype.lower()}_out"), value(datatype), datatype)


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_both_ways(client: Any, algorithm: str) -> None:
    result = client.infer(
        "everything", inputs(True), request_compression_algorithm=algorithm, response_compression_algorithm=algorithm
    )
    np.testing.assert_array_equal(result.as_numpy("fp32_out"), value("FP32"))


def test_some_outputs(client: Any) -> None:
    result = client.infer("everything", inputs(True), outputs=[InferRequestedOutput("int8_out")])
    assert [it["name"] for it in result.get_response()["outputs"]] == ["int8_out"]


def test_health_and_metadata(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("everything")
    assert client.is_model_ready("everything", "1")
    assert not client.is_model_ready("nothing")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("everything")
    assert metadata["inputs"][0] == {"name": "bool", "datatype": "BOOL", "shape": [-1, 2]}


def test_errors_have_status_and_text_and_leave_the_pool_whole(client: Any) -> None:
    for _ in range(3):  # a leaked connection would block the second
        with pytest.raises(InferenceServerException) as unknown:
            client.infer("nothing", inputs(True))
        assert (unknown.value.status(), unknown.value.message()) == ("404", "no model is called 'nothing' here")
        with pytest.raises(InferenceServerException) as incomplete:
            client.infer("everything", inputs(True)[1:])
        assert (incomplete.value.status(), incomplete.value.message()) == ("400", "input 'bool' is missing")
    with pytest.raises(InferenceServerException) as absent:
        client.get_system_shared_memory_status()
    assert absent.value.status() == "400"
