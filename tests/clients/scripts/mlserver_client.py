# pyright: reportMissingImports=false
"""MLServer's own client code against a gateway: `python mlserver_client.py HTTP GRPC KEY`. Fails with an AssertionError.

Runs in an environment of its own and so imports nothing of ours. The gateway serves `typed`, which gives back one input [N, 2] of
each datatype but FP16, and `sum`, whose `y` [N] is the sum of `x` [N, 4].
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pandas as pd
import requests
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, PandasCodec, StringCodec
from mlserver.grpc.converters import ModelInferRequestConverter, ModelInferResponseConverter
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub
from mlserver.types import InferenceRequest, InferenceResponse, RequestOutput

NUMBERS = {
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "fp32": np.float32,
    "fp64": np.float64,
}
ROWS = np.arange(8, dtype=np.float32).reshape(2, 4)
TEXTS = ["a", "é", "", "long" * 100]


def value(name: str) -> Any:
    dtype: Any = NUMBERS[name]
    limits = np.finfo(dtype) if np.issubdtype(dtype, np.floating) else np.iinfo(dtype)
    return np.array([[limits.min, limits.max], [0, 1]], dtype)


def request(use_bytes: bool) -> Any:
    """All datatypes, each as MLServer's codecs write it."""
    inputs = [NumpyCodec.encode_input(name, value(name)) for name in NUMBERS]
    flags = NumpyCodec.encode_input("bool", np.array([[True, False], [False, True]]))
    texts = StringCodec.encode_input("bytes", TEXTS, use_bytes=use_bytes)
    texts.shape = [2, 2]
    return InferenceRequest(id="7", inputs=[*inputs, flags, texts])


def check(answer: Any) -> None:
    assert (answer.id, answer.model_name) == ("7", "typed"), answer
    outputs = {it.name.removesuffix("_out"): it for it in answer.outputs}
    for name in NUMBERS:
        came = NumpyCodec.decode_output(outputs[name])
        assert came.dtype == NUMBERS[name], (name, came.dtype)
        assert np.array_equal(came, value(name)), (name, came)
    assert NumpyCodec.decode_output(outputs["bool"]).tolist() == [[True, False], [False, True]]
    outputs["bytes"].shape = [4, 1]
    assert StringCodec.decode_output(outputs["bytes"]) == TEXTS


def check_rest(url: str, key: str) -> None:
    with requests.Session() as client:
        client.headers["authorization"] = f"Bearer {key}"
        whole, brief = request(use_bytes=False).model_dump(), request(use_bytes=False).model_dump(exclude_none=True)
        for form in (whole, brief, json.loads(request(use_bytes=False).model_dump_json())):
            answer = client.post(f"{url}/v2/models/typed/infer", json=form, timeout=30)
            assert answer.status_code == 200, answer.text
            check(InferenceResponse.model_validate_json(answer.content))
        frame = pd.DataFrame({name: value(name)[:, 0] for name in NUMBERS})
        for tensor in PandasCodec.encode_request(frame).inputs:
            assert tensor.shape == [2, 1], tensor
        numbers = NumpyRequestCodec.encode_request(ROWS)
        numbers.inputs[0].name = "x"
        numbers.outputs = [RequestOutput(name="y")]
        answer = client.post(f"{url}/v2/models/sum/infer", json=numbers.model_dump(), timeout=30)
        assert answer.status_code == 200, answer.text
        assert NumpyRequestCodec.decode_response(InferenceResponse.model_validate_json(answer.content)).tolist() == [6, 22]


def check_grpc(address: str, key: str) -> None:
    message = ModelInferRequestConverter.from_types(request(use_bytes=True), model_name="typed", use_raw=True)
    typed = ModelInferRequestConverter.from_types(request(use_bytes=True), model_name="typed", use_raw=False)
    with grpc.insecure_channel(address) as channel:
        for it in (message, typed):
            answer = GRPCInferenceServiceStub(channel).ModelInfer(it, metadata=(("authorization", f"Bearer {key}"),))
            check(ModelInferResponseConverter.to_types(answer))


def check_command(address: str, key: str, *options: str) -> None:
    """`mlserver infer`: a file of requests in, a file of answers out."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answers = Path(folder) / "requests.jsonl", Path(folder) / "answers.jsonl"
        tensor = {"name": "x", "shape": [2, 4], "datatype": "FP32", "data": ROWS.ravel().tolist()}
        asked.write_text("".join(json.dumps({"id": str(it), "inputs": [tensor]}) + "\n" for it in range(50)))
        command = [Path(sys.executable).parent / "mlserver", "infer", "-u", address, "-m", "sum", "-i", asked, "-o", answers]
        subprocess.run([*command, "-H", f"Authorization: Bearer {key}", *options], check=True)
        lines = [json.loads(it) for it in answers.read_text().splitlines()]
        assert len(lines) == 50, lines
        for line in lines:
            assert line["outputs"][0]["data"] == [6, 22], line


if __name__ == "__main__":
    http_address, grpc_address, api_key = sys.argv[1:]
    check_rest(f"http://{http_address}", api_key)
    check_grpc(grpc_address, api_key)
    check_command(http_address, api_key)
    check_command(http_address, api_key, "--binary-data", "--batch-size", "5")
    print("mlserver: all answers are right")
