# pyright: reportMissingImports=false
"""KServe's own clients against a gateway: `python kserve_client.py HTTP GRPC KEY`. Fails with an AssertionError.

Runs in an environment of its own and so imports nothing of ours. The gateway serves `everything`, which gives back one input
[3, 2] of each datatype, and `typed`, the same without FP16, which has no place in the protocol's typed contents.
"""

import asyncio
import sys
from collections.abc import Awaitable, Iterable
from typing import Any

import grpc
import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput

DTYPES = {
    "BOOL": np.bool_,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}


def value(datatype: str) -> Any:
    if datatype == "BYTES":
        return np.array([[b"a", "é".encode()], [b"", b"x"], [b"long" * 100, b"z"]], np.object_)
    dtype: Any = DTYPES[datatype]
    if datatype == "BOOL":
        return np.array([[True, False], [False, False], [True, True]])
    limits = np.finfo(dtype) if np.issubdtype(dtype, np.floating) else np.iinfo(dtype)
    return np.array([[limits.min, limits.max], [0, 1], [1, 0]], dtype)


TYPED = [it for it in DTYPES if it != "FP16"]


def request(binary_in: bool, binary_out: bool | None, model: str = "everything", datatypes: Iterable[str] = DTYPES) -> Any:
    inputs: list[Any] = []
    for datatype in datatypes:
        inputs.append(InferInput(datatype.lower(), [3, 2], datatype))
        inputs[-1].set_data_from_numpy(value(datatype), binary_data=binary_in or datatype == "FP16")
    names = [f"{it.lower()}_out" for it in datatypes]
    outputs = None if binary_out is None else [RequestedOutput(it, {"binary_data": binary_out}) for it in names]
    return InferRequest(model, inputs, request_id="7", request_outputs=outputs)


def check(answer: Any, model: str = "everything", datatypes: Iterable[str] = DTYPES) -> None:
    assert (answer.id, answer.model_name) == ("7", model), answer
    for datatype in datatypes:
        came, expected = answer.get_output_by_name(f"{datatype.lower()}_out").as_numpy(), value(datatype)
        if datatype == "BYTES":
            came = np.array([it.encode() if isinstance(it, str) else bytes(it) for it in came.ravel()], np.object_).reshape(3, 2)
        assert came.dtype == expected.dtype, (datatype, came.dtype)
        assert np.array_equal(came, expected), (datatype, came, expected)


async def refusal_of(call: Awaitable[Any]) -> Exception:
    try:
        await call
    except (httpx.HTTPStatusError, grpc.RpcError) as error:
        return error
    raise AssertionError("the call was answered")


async def check_rest(url: str, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
        assert await client.is_server_live(url)
        assert await client.is_server_ready(url)
        assert await client.is_model_ready(url, "everything", headers=headers)
        for binary_in in (True, False):
            for binary_out in (True, False, None):
                answer = await client.infer(url, request(binary_in, binary_out), model_name="everything", headers=dict(headers))
                check(answer)
        refusal = await refusal_of(client.infer(url, request(True, None), model_name="other", headers=dict(headers)))
        assert isinstance(refusal, httpx.HTTPStatusError), refusal
        assert refusal.response.status_code == 404, refusal
        assert "other" in refusal.response.json()["error"], refusal


async def check_grpc(address: str, key: str) -> None:
    metadata = (("authorization", f"Bearer {key}"),)
    async with InferenceGRPCClient(address, retries=0) as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("everything", headers=metadata)
        check(await client.infer(request(True, None), headers=metadata))
        check(await client.infer(request(False, None, "typed", TYPED), headers=metadata), "typed", TYPED)
        refusal: Any = await refusal_of(client.infer(request(True, None)))
        assert refusal.code() == grpc.StatusCode.UNAUTHENTICATED, refusal


if __name__ == "__main__":
    http_address, grpc_address, api_key = sys.argv[1:]
    asyncio.run(check_rest(f"http://{http_address}", api_key))
    asyncio.run(check_grpc(grpc_address, api_key))
    print("kserve: all answers are right")
