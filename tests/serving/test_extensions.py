"""Triton's extensions of the protocol, on the wire."""

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from serving.alone import application
from serving.http import Server
from tests import models
from tests.serving.conftest import Dial, Load, Serve
from tests.serving.wire import Reply, Wire, get, post

LIMIT = 1_000_000
LABELS = {"headrace.labels": '["cat", "dog", "hen"]'}


def text_model(path: Path) -> Path:
    """`text_output` [N, 1] is `text_input` [N, 1], and `temperature` [N, 1] is an input that nothing comes of."""
    nodes = [
        helper.make_node("Identity", ["text_input"], ["text_output"]),
        helper.make_node("Identity", ["temperature"], ["warmth"]),
    ]
    inputs = [
        models.tensor("text_input", TensorProto.STRING, ["N", 1]),
        models.tensor("temperature", TensorProto.FLOAT, ["N", 1]),
    ]
    outputs = [
        models.tensor("text_output", TensorProto.STRING, ["N", 1]),
        models.tensor("warmth", TensorProto.FLOAT, ["N", 1]),
    ]
    return models.save_graph(path, nodes, inputs, outputs)


def scores_model(path: Path) -> Path:
    """`y` [N, 3] is `x` [N, 3], with labels."""
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    kinds = TensorProto.FLOAT, ["N", 3]
    return models.save_graph(path, nodes, [models.tensor("x", *kinds)], [models.tensor("y", *kinds)], metadata=LABELS)


@pytest.fixture
async def wire(load: Load, serve: Serve, dial: Dial) -> Wire:
    """To `scores_model`, named scores."""
    return await dial(await serve(application(load(scores_model), LIMIT)))


@pytest.fixture
async def text_wire(load: Load, serve: Serve, dial: Dial) -> Wire:
    """To `text_model`, named text."""
    return await dial(await serve(application(load(text_model), LIMIT)))


def scores(*rows: list[float], **more: Any) -> bytes:
    """A request to `scores_model`."""
    data = [value for row in rows for value in row]
    return json.dumps({"inputs": [{"name": "x", "shape": [len(rows), 3], "datatype": "FP32", "data": data}], **more}).encode()


async def test_the_configuration_is_tritons(wire: Wire) -> None:
    config = (await wire.ask(get("/v2/models/scores/config"))).json
    assert (config["name"], config["platform"], config["backend"]) == ("scores", "onnxruntime_onnx", "onnxruntime")
    assert config["max_batch_size"] > 1
    assert [(it["name"], it["data_type"], it["dims"]) for it in config["input"]] == [("x", "TYPE_FP32", [3])]
    assert (await wire.ask(get("/v2/models/scores/versions/1/config"))).json == config


@pytest.mark.parametrize("path", ["/v2/models/scores/stats", "/v2/models/scores/versions/1/stats", "/v2/models/stats"])
async def test_statistics_count_what_was_answered(wire: Wire, path: str) -> None:
    assert (await wire.ask(get(path))).json["model_stats"][0]["inference_count"] == 0
    await wire.ask(post("/v2/models/scores/infer", scores([1, 2, 3], [4, 5, 6])))
    (told,) = (await wire.ask(get(path))).json["model_stats"]
    assert (told["name"], told["version"], told["inference_count"], told["execution_count"]) == ("scores", "1", 2, 1)
    assert told["inference_stats"]["success"]["count"] == 1
    assert [it["batch_size"] for it in told["batch_stats"]] == [2]
    assert told["last_inference"] > 0


async def test_a_classification_comes_with_labels(wire: Wire) -> None:
    asked = [{"name": "y", "parameters": {"classification": 2}}]
    reply = await wire.ask(post("/v2/models/scores/infer", scores([0.5, 1, 0], [0, 0, 2], outputs=asked)))
    assert reply.json["outputs"] == [
        {
            "name": "y",
            "datatype": "BYTES",
            "shape": [2, 2],
            "data": ["1.000000:1:dog", "0.500000:0:cat", "2.000000:2:hen", "0.000000:0:cat"],
        }
    ]


async def test_a_body_without_a_header_is_answered_in_binary(wire: Wire) -> None:
    raw = np.array([1, 2, 3], np.float32).tobytes()
    reply = await wire.ask(post("/v2/models/scores/infer", raw, "inference-header-content-length: 0"))
    assert reply.body[int(reply.headers["inference-header-content-length"]) :] == raw


ROWS = [[1.0, 2.0, 3.0]] * 200
MANY_ROWS = [[1.0, 2.0, 3.0]] * 5_000


def plain(reply: Reply) -> bytes:
    """The body, decompressed as its header says."""
    encoding = reply.headers.get("content-encoding")
    unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress, None: bytes}[encoding]
    return unpack(reply.body)


@pytest.mark.parametrize("rows", [ROWS, MANY_ROWS], ids=["at once", "in a thread"])
@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize("accepted", ["gzip", "deflate", "gzip, deflate", "deflate;q=0.5, gzip;q=0.1"])
async def test_a_large_answer_is_compressed_if_asked_for(
    wire: Wire, rows: list[list[float]], is_binary: bool, accepted: str
) -> None:
    body = scores(*rows, parameters={"binary_data_output": is_binary})
    expected = await wire.ask(post("/v2/models/scores/infer", body))
    assert "content-encoding" not in expected.headers
    reply = await wire.ask(post("/v2/models/scores/infer", body, f"accept-encoding: {accepted}"))
    assert reply.headers["content-encoding"] == ("gzip" if accepted.startswith("gzip") else "deflate")
    assert len(reply.body) < len(expected.body)
    assert plain(reply) == expected.body
    assert reply.headers.get("inference-header-content-length") == expected.headers.get("inference-header-content-length")
    assert (await wire.ask(get("/v2"))).status == 200


@pytest.mark.parametrize("accepted", ["identity", "br, zstd", "gzip;q=0"])
async def test_an_answer_is_plain_if_the_client_will_have_it_so(wire: Wire, accepted: str) -> None:
    reply = await wire.ask(post("/v2/models/scores/infer", scores(*ROWS), f"accept-encoding: {accepted}"))
    assert "content-encoding" not in reply.headers
    assert len(reply.json["outputs"][0]["data"]) == 600


async def test_a_small_answer_is_never_compressed(wire: Wire) -> None:
    reply = await wire.ask(post("/v2/models/scores/infer", scores([1, 2, 3]), "accept-encoding: gzip"))
    assert "content-encoding" not in reply.headers


async def test_texts_are_generated(text_wire: Wire) -> None:
    body = b'{"text_input": "hello", "temperature": 0.5, "id": "7", "seed": 1, "parameters": {"stream": false}}'
    reply = await text_wire.ask(post("/v2/models/text/generate", body))
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    expected = {"model_name": "text", "model_version": "1", "id": "7", "text_output": "hello", "warmth": 0.5}
    assert reply.json == expected
    reply = await text_wire.ask(post("/v2/models/text/versions/1/generate_stream", body))
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream")
    assert reply.body.startswith(b"data: ")
    assert reply.body.endswith(b"\n\n")
    assert json.loads(reply.body[6:]) == expected


async def test_what_cannot_be_generated_is_refused_in_json(wire: Wire, text_wire: Wire) -> None:
    for verb in ("generate", "generate_stream"):
        reply = await text_wire.ask(post(f"/v2/models/text/{verb}", b'{"text_input": "hello"}'))
        assert (reply.status, reply.error) == (400, "input 'temperature' is missing")
        reply = await wire.ask(post(f"/v2/models/scores/{verb}", b'{"text_input": "hello"}'))
        assert reply.status == 400
        assert "use infer" in reply.error
        assert (await wire.ask(get(f"/v2/models/scores/{verb}"))).headers["allow"] == "POST"


UNSUPPORTED = [
    ("GET", "/v2/systemsharedmemory/status", "shared memory"),
    ("POST", "/v2/systemsharedmemory/region/a/register", "shared memory"),
    ("POST", "/v2/systemsharedmemory/unregister", "shared memory"),
    ("GET", "/v2/cudasharedmemory/status", "shared memory"),
    ("POST", "/v2/cudasharedmemory/region/a/unregister", "shared memory"),
    ("GET", "/v2/trace/setting", "trace settings"),
    ("POST", "/v2/models/scores/trace/setting", "trace settings"),
    ("GET", "/v2/logging", "HEADRACE_LOG_LEVEL"),
    ("POST", "/v2/logging", "HEADRACE_LOG_LEVEL"),
]


@pytest.mark.parametrize(("method", "path", "reason"), UNSUPPORTED)
async def test_what_is_not_served_says_what_is(wire: Wire, method: str, path: str, reason: str) -> None:
    reply = await wire.ask(post(path, b"{}") if method == "POST" else get(path))
    assert reply.status == 400
    assert reason in reply.error
    assert reply.headers["content-type"] == "application/json"


async def test_the_index_lists_the_one_model(wire: Wire) -> None:
    expected = [{"name": "scores", "version": "1", "state": "READY", "reason": ""}]
    for body in (b"", b"{}", b'{"ready": true}'):
        assert (await wire.ask(post("/v2/repository/index", body))).json == expected
    assert (await wire.ask(post("/v2/repository/index", b'{"ready": 1}'))).status == 400
    assert (await wire.ask(get("/v2/repository/index"))).headers["allow"] == "POST"
    assert (await wire.ask(post("/v2/repository/models/scores/unload", b""))).status == 404


async def test_the_server_says_what_it_can(wire: Wire) -> None:
    told = (await wire.ask(get("/v2"))).json
    assert {"binary_tensor_data", "classification", "model_configuration", "statistics"} < set(told["extensions"])


async def test_a_model_named_stats_is_found(load: Load, serve: Serve, dial: Dial) -> None:
    model = load(models.sum_model)
    model.name = "stats"
    server: Server = await serve(application(model, LIMIT))
    assert (await (await dial(server)).ask(get("/v2/models/stats"))).json["platform"] == "onnxruntime_onnx"
