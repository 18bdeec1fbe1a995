"""The unmodified `tritonclient.http` against a real gateway, with the key in its headers."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import tritonclient.http
from tritonclient.utils import InferenceServerException

from tests.gateway.breakable import BreakableValkey
from tests.gateway.running import RunningGateway
from tests.gateway.tables import authorization, deployment, revision, store_model
from tests.models import sum_model

triton: Any = tritonclient.http
ROWS = np.arange(8, dtype=np.float32).reshape(2, 4)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Generator[Any]:
    """A client of a gateway that serves version 2 of a model as `sum`."""
    directory = tmp_path_factory.mktemp("triton")
    valkey = BreakableValkey(directory)
    valkey.start()
    gateway = RunningGateway(directory, valkey)
    gateway.publish(deployment("sum", revision(store_model(gateway.artifacts, sum_model(directory / "sum.onnx")), version=2)))
    gateway.start()
    with triton.InferenceServerClient(f"127.0.0.1:{gateway.port}") as client:
        yield client
    gateway.close()
    valkey.kill()


def rows_input(binary: bool) -> Any:
    tensor = triton.InferInput("x", list(ROWS.shape), "FP32")
    tensor.set_data_from_numpy(ROWS, binary_data=binary)
    return tensor


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_inference_in_json_and_in_binary(client: Any, binary_in: bool, binary_out: bool | None) -> None:
    outputs = None if binary_out is None else [triton.InferRequestedOutput("y", binary_data=binary_out)]
    answer = client.infer("sum", [rows_input(binary_in)], outputs=outputs, headers=authorization(), request_id="mine")
    assert answer.as_numpy("y").tolist() == [6, 22]
    assert answer.get_response()["id"] == "mine"


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_a_compressed_request(client: Any, compression: str) -> None:
    answer = client.infer("sum", [rows_input(True)], headers=authorization(), request_compression_algorithm=compression)
    assert answer.as_numpy("y").tolist() == [6, 22]


def test_health_and_metadata(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("sum", headers=authorization())
    assert client.is_model_ready("sum", "2", headers=authorization())
    assert not client.is_model_ready("sum", "1", headers=authorization())
    assert not client.is_model_ready("other", headers=authorization())
    assert client.get_server_metadata(headers=authorization())["extensions"][0] == "binary_tensor_data"
    metadata = client.get_model_metadata("sum", headers=authorization())
    assert (metadata["versions"], metadata["inputs"]) == (["2"], [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}])


@pytest.mark.parametrize(("name", "headers", "status"), [("sum", {}, "401"), ("other", authorization(), "404")])
def test_refusals_arrive_as_the_client_s_own_exception(client: Any, name: str, headers: dict[str, str], status: str) -> None:
    for _ in range(3):  # a body the client cannot read would cost it its one connection
        with pytest.raises(InferenceServerException) as refused:
            client.infer(name, [rows_input(True)], headers=dict(headers))  # the client writes into what it is given
        assert refused.value.status() == status
    assert client.infer("sum", [rows_input(True)], headers=authorization()).as_numpy("y").tolist() == [6, 22]
