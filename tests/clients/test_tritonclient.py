"""The unmodified tritonclient: http, http.aio, grpc and grpc.aio, every datatype, through a gateway with its key."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from tests.clients.conftest import Address
from tests.clients.tensors import KINDS, assert_same, value

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # gevent, which it uses, warns about the modules it patches
    import tritonclient.grpc
    import tritonclient.grpc.aio
    import tritonclient.http
    import tritonclient.http.aio

pytestmark = pytest.mark.filterwarnings("ignore")
http: Any = tritonclient.http
grpc: Any = tritonclient.grpc
FORMS = ["binary", "JSON", "as the client likes"]


def http_inputs(binary: bool) -> list[Any]:
    made: list[Any] = []
    for datatype in KINDS:
        made.append(http.InferInput(datatype.lower(), [3, 2], datatype))
        made[-1].set_data_from_numpy(value(datatype), binary_data=binary or datatype == "FP16")  # it refuses FP16 in JSON itself
    return made


def http_outputs(form: str) -> list[Any] | None:
    if form == "as the client likes":
        return None
    return [http.InferRequestedOutput(f"{it.lower()}_out", binary_data=form == "binary") for it in KINDS]


def grpc_inputs() -> list[Any]:
    made: list[Any] = []
    for datatype in KINDS:
        made.append(grpc.InferInput(datatype.lower(), [3, 2], datatype))
        made[-1].set_data_from_numpy(value(datatype))
    return made


def assert_every_datatype(result: Any, datatypes: Iterable[str] = KINDS) -> None:
    for datatype in datatypes:
        assert_same(result.as_numpy(f"{datatype.lower()}_out"), value(datatype), datatype)


@pytest.mark.parametrize("form", FORMS)
def test_http(address: Address, form: str) -> None:
    headers = {"authorization": f"Bearer {address.key}"}
    with http.InferenceServerClient(address.http) as client:
        result = client.infer("everything", http_inputs(form != "JSON"), outputs=http_outputs(form), headers=headers)
        assert_every_datatype(result)
        assert client.is_model_ready("everything", headers=headers)


@pytest.mark.parametrize("form", FORMS)
async def test_http_aio(address: Address, form: str) -> None:
    headers = {"authorization": f"Bearer {address.key}"}
    aio: Any = tritonclient.http.aio
    async with aio.InferenceServerClient(address.http) as client:
        result = await client.infer("everything", http_inputs(form != "JSON"), outputs=http_outputs(form), headers=headers)
        assert_every_datatype(result)
        assert await client.is_model_ready("everything", headers=headers)


def test_grpc(address: Address) -> None:
    headers = {"authorization": f"Bearer {address.key}"}
    with grpc.InferenceServerClient(address.grpc) as client:
        assert_every_datatype(client.infer("everything", grpc_inputs(), headers=headers))
        assert client.is_model_ready("everything", headers=headers)


async def test_grpc_aio(address: Address) -> None:
    headers = {"authorization": f"Bearer {address.key}"}
    aio: Any = tritonclient.grpc.aio
    async with aio.InferenceServerClient(address.grpc) as client:
        assert_every_datatype(await client.infer("everything", grpc_inputs(), headers=headers))
        assert await client.is_model_ready("everything", headers=headers)


def test_answers_are_of_the_type_the_client_expects(address: Address) -> None:
    tensor = http.InferInput("x", [2, 4], "FP32")
    tensor.set_data_from_numpy(np.arange(8, dtype=np.float32).reshape(2, 4))
    with http.InferenceServerClient(address.http) as client:
        result = client.infer("sum", [tensor], headers={"authorization": f"Bearer {address.key}"}, request_id="7")
    assert result.as_numpy("y").tolist() == [6, 22]
    assert result.get_response()["id"] == "7"
