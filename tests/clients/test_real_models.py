"""Models out of other people's wheels: what comes through the gateway is what onnxruntime gives on the spot, to the last bit.

State tensors with the batch on another axis, scalar inputs, names with colons, pictures of any size.
"""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnxruntime
import pytest

from serving.datatypes import datatype_of
from tests.clients.conftest import Address, Start
from tests.clients.environments import unpacked

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tritonclient.grpc
    import tritonclient.http

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]
Array = np.ndarray[Any, Any]
Inputs = dict[str, Array]

FILES = {
    "magika": "magika/models/standard_v3_3/model.onnx",
    "vad": "silero_vad/data/silero_vad.onnx",
    "vad-half": "silero_vad/data/silero_vad_half.onnx",
    "vad-sequence": "faster_whisper/assets/silero_vad_v6.onnx",
    "text-detection": "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
    "text-direction": "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "text-recognition": "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
    "pitch": "basic_pitch/saved_models/icassp_2022/nmp.onnx",
}


def random(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


RATE = np.array(16000, np.int64)
CASES: dict[str, Sequence[Inputs]] = {
    "magika": [{"bytes": np.random.default_rng(rows).integers(0, 257, (rows, 2048), np.int32)} for rows in (1, 3)],
    "vad": [{"input": random(rows, 512), "state": random(2, rows, 128), "sr": RATE} for rows in (1, 2)],
    "vad-half": [{"input": random(rows, 576), "state": random(2, rows, 128)} for rows in (1, 2)],
    "vad-sequence": [{"input": random(steps, 576), "h": random(1, 1, 128), "c": random(1, 1, 128)} for steps in (1, 5)],
    "text-detection": [{"x": random(1, 3, height, width)} for height, width in ((64, 64), (96, 160))],
    "text-direction": [{"x": random(rows, 3, 48, 192)} for rows in (1, 2)],
    "text-recognition": [{"x": random(rows, 3, 48, width)} for rows, width in ((1, 320), (2, 160))],
    "pitch": [{"serving_default_input_2:0": random(rows, 43844, 1)} for rows in (1, 2)],
}


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    """The models' files."""
    folder = unpacked("models")
    return {name: folder / path for name, path in FILES.items()}


@pytest.fixture(scope="module")
def address(start: Start, files: dict[str, Path]) -> Address:
    """Of a gateway that serves all of them."""
    return start(files)


@pytest.fixture(scope="module")
def sessions(files: dict[str, Path]) -> dict[str, Any]:
    """onnxruntime on the same files, with as many threads as the gateway has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return {name: onnxruntime.InferenceSession(str(path), options) for name, path in files.items()}


def call(address: Address, form: str, name: str, inputs: Inputs) -> dict[str, Array]:
    """All outputs by name."""
    client: Any = tritonclient.grpc if form == "gRPC" else tritonclient.http
    tensors: list[Any] = []
    for input_name, array in inputs.items():
        tensors.append(client.InferInput(input_name, array.shape, datatype_of(array.dtype)))
        tensors[-1].set_data_from_numpy(array, **({} if form == "gRPC" else {"binary_data": form == "binary"}))
    headers = {"authorization": f"Bearer {address.key}"}
    with client.InferenceServerClient(address.grpc if form == "gRPC" else address.http) as connected:
        metadata = connected.get_model_metadata(name, headers=headers, **({"as_json": True} if form == "gRPC" else {}))
        names = [it["name"] for it in metadata["outputs"]]
        asked = None if form == "gRPC" else [client.InferRequestedOutput(it, binary_data=form == "binary") for it in names]
        result = connected.infer(name, tensors, outputs=asked, headers=headers)
        return {it: result.as_numpy(it) for it in names}


@pytest.mark.parametrize("form", ["JSON", "binary", "gRPC"])
@pytest.mark.parametrize("name", FILES)
def test_the_answer_is_onnxruntime_s(address: Address, sessions: dict[str, Any], name: str, form: str) -> None:
    for inputs in CASES[name]:
        expected = dict(zip([it.name for it in sessions[name].get_outputs()], sessions[name].run(None, inputs), strict=True))
        came = call(address, form, name, inputs)
        assert came.keys() == expected.keys()
        for output, array in expected.items():
            np.testing.assert_array_equal(came[output], array, err_msg=output, strict=True)


@pytest.mark.parametrize("form", ["JSON", "binary", "gRPC"])
def test_state_is_passed_through_call_by_call(address: Address, sessions: dict[str, Any], form: str) -> None:
    here = there = np.zeros((2, 1, 128), np.float32)
    for step in range(5):
        sound = random(1, 512) * step
        probability, here = sessions["vad"].run(None, {"input": sound, "state": here, "sr": RATE})
        came = call(address, form, "vad", {"input": sound, "state": there, "sr": RATE})
        there = came["stateN"]
        np.testing.assert_array_equal(came["output"], probability)
    np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("name", FILES)
def test_rows_by_name_give_the_same(address: Address, sessions: dict[str, Any], name: str) -> None:
    inputs = CASES[name][0]
    headers = {"authorization": f"Bearer {address.key}"}
    described = httpx.get(f"http://{address.http}/v1/predict/{name}/openapi.json", headers=headers, trust_env=False).json()
    row = described["components"]["schemas"]["Row"]["properties"]
    assert row.keys() == inputs.keys()
    cells = {it: _cell(array, row[it]) for it, array in inputs.items()}
    answer = httpx.post(
        f"http://{address.http}/v1/predict/{name}", json={"rows": [cells]}, headers=headers, timeout=30, trust_env=False
    )
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["predictions"]
    for output, expected in zip(sessions[name].get_outputs(), sessions[name].run(None, inputs), strict=True):
        came = np.array(prediction[output.name], expected.dtype)
        np.testing.assert_array_equal(came, expected.reshape(came.shape), err_msg=output.name)


def _cell(array: Array, schema: dict[str, Any]) -> Any:
    """`array` without the dimensions for rows that the schema does not have."""
    depth = json.dumps(schema).count('"array"')
    return array.reshape(array.shape[array.ndim - depth :]).tolist()
