"""The protocol's paths over one model, on the wire."""

import gzip
import json
import threading
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from serving.alone import application
from serving.application import HttpCall, PlainCall
from serving.batcher import Caller, Ticket
from serving.calls import Call
from serving.http import Exchange, Server
from serving.models import Model
from serving.requests import LONG, InferRequest
from serving.verbs import call_for
from tests import models
from tests.gateway.waiting import until
from tests.serving.conftest import Dial, Load, Serve
from tests.serving.wire import Wire, get, post

INFER = "/v2/models/sum/infer"
LIMIT = 1_000_000


@pytest.fixture
async def model(load: Load) -> Model:
    """`y` is the sum of the four numbers in each row of `x`."""
    return load(models.sum_model)


@pytest.fixture
async def server(model: Model, serve: Serve) -> Server:
    return await serve(application(model, LIMIT))


@pytest.fixture
async def wire(server: Server, dial: Dial) -> Wire:
    return await dial(server)


def request(*rows: list[float], **more: Any) -> bytes:
    """A request in JSON."""
    data = [value for row in rows for value in row]
    return json.dumps({"inputs": [{"name": "x", "shape": [len(rows), 4], "datatype": "FP32", "data": data}], **more}).encode()


def ignore(_call: Call) -> None:
    """Nobody asks how it went."""


async def test_a_request_is_answered(wire: Wire) -> None:
    reply = await wire.ask(post(INFER, request([1, 2, 3, 4], [5, 6, 7, 8], id="a")))
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json == {
        "model_name": "sum",
        "model_version": "1",
        "id": "a",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [2], "data": [10.0, 26.0]}],
    }


async def test_a_binary_request_gets_a_binary_answer(wire: Wire) -> None:
    header = json.dumps(
        {
            "inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "parameters": {"binary_data_size": 16}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    body = header + np.array([1, 2, 3, 4], np.float32).tobytes()
    reply = await wire.ask(post(INFER, body, f"Inference-Header-Content-Length: {len(header)}"))
    length = int(reply.headers["inference-header-content-length"])
    assert json.loads(reply.body[:length])["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}
    ]
    assert np.frombuffer(reply.body[length:], np.float32).tolist() == [10]
    assert reply.headers["content-type"] == "application/octet-stream"


async def test_what_is_not_a_number_becomes_null(wire: Wire) -> None:
    reply = await wire.ask(post(INFER, request([1, 2, 3, None], [1, 1, 1, 1])))  # type: ignore[list-item]
    assert reply.json["outputs"][0]["data"] == [None, 4]
    reply = await wire.ask(post(INFER, request([3e38, 3e38, 3e38, 3e38])))
    assert reply.json["outputs"][0]["data"] == [None]


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)])
async def test_compressed_requests_are_read(wire: Wire, encoding: str, compress: Any) -> None:
    reply = await wire.ask(post(INFER, compress(request([1, 2, 3, 4])), f"Content-Encoding: {encoding}"))
    assert reply.json["outputs"][0]["data"] == [10]
    assert "content-encoding" not in reply.headers


BOMB = gzip.compress(b" " * (LIMIT + 1), mtime=0)


@pytest.mark.parametrize(
    ("encoding", "body", "status", "reason"),
    [
        ("br", b"x", 415, "'br' is not supported"),
        ("gzip", b"not gzip", 400, "not gzip"),
        ("gzip", gzip.compress(request([1, 2, 3, 4]), mtime=0)[:-9], 400, "cut off"),
        ("gzip", gzip.compress(request([1, 2, 3, 4]), mtime=0) + b"more", 400, "followed by other bytes"),
        ("gzip", BOMB, 413, f"larger than {LIMIT} bytes"),
    ],
)
async def test_compressed_requests_that_will_not_do_are_refused(
    wire: Wire, encoding: str, body: bytes, status: int, reason: str
) -> None:
    reply = await wire.ask(post(INFER, body, f"Content-Encoding: {encoding}"))
    assert reply.status == status
    assert reason in reply.error
    assert (await wire.ask(post(INFER, request([1, 2, 3, 4])))).status == 200


async def test_decompressed_bodies_count_among_what_is_held(model: Model, serve: Serve, dial: Dial) -> None:
    waiting: list[Callable[[], object]] = []

    def submit(request: InferRequest, caller: Caller, settle: Callable[[Ticket], None]) -> Ticket:
        waiting.append(lambda: model.submit(request, caller, settle))
        return Ticket(request, caller, settle)

    server = await serve(lambda it: HttpCall(it, LIMIT).begin(model, submit, ignore), max_held_bytes=150_000)
    first, second = await dial(server), await dial(server)
    small = request([1, 2, 3, 4])
    large = post("/", gzip.compress(small + b" " * 100_000), "content-encoding: gzip")
    await first.send(large)
    await until(lambda: len(waiting) == 1, "the first request")
    assert 100_000 < server.held_bytes < 101_000
    refused = await second.ask(large)
    assert (refused.status, refused.error) == (503, "too many large requests at once; try again")
    assert refused.headers["retry-after"] == "1"
    await second.send(post("/", gzip.compress(small), "content-encoding: gzip"))
    await until(lambda: len(waiting) == 2, "the small request")
    for go in waiting:
        go()
    assert [(await it.reply()).json["outputs"][0]["data"] for it in (first, second)] == [[10]] * 2
    assert server.held_bytes == 0


async def test_who_left_while_it_was_decompressed_is_not_served(model: Model, serve: Serve, dial: Dial) -> None:
    calls: list[Call] = []
    unpacking: list[HttpCall] = []

    def answer(exchange: Exchange) -> None:
        unpacking.append(HttpCall(exchange, LIMIT))

    server = await serve(answer)
    wire = await dial(server)
    await wire.send(post("/", gzip.compress(request([1, 2, 3, 4])), "content-encoding: gzip"))
    await until(lambda: len(unpacking) == 1, "the request")
    await wire.close()
    await until(lambda: unpacking[0].is_gone, "the client to be gone")
    unpacking[0].begin(model, model.submit, calls.append)
    await until(lambda: len(calls) == 1, "the call to end")
    assert (calls[0].error, calls[0].request, server.held_bytes) == ("CallerLeft", None, 0)


async def test_a_defect_in_decompressing_is_ours(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("serving.application.decompress", break_down)
    reply = await wire.ask(post(INFER, gzip.compress(request([1, 2, 3, 4])), "content-encoding: gzip"))
    assert (reply.status, reply.error) == (500, "internal error")
    assert "decoding a request failed" in caplog.text


def binary(header_size: int = 0, count: int = 4) -> tuple[bytes, str]:
    """A request of `count` numbers in binary, its JSON padded to `header_size` bytes; and its header line."""
    tensor = {"name": "x", "shape": [count // 4, 4], "datatype": "FP32", "parameters": {"binary_data_size": count * 4}}
    header = json.dumps({"inputs": [tensor]}).encode().ljust(header_size)
    return header + bytes(count * 4), f"Inference-Header-Content-Length: {len(header)}"


ROW = request([1, 2, 3, 4])
ASIDE = {
    "short": (ROW, "", False),
    "long": (ROW + b" " * LONG, "", True),
    "numbers in binary": (*binary(count=LONG), False),
    "numbers in binary behind a long header": (*binary(header_size=LONG + 1), True),
    "a header that is all there is": (ROW + b" " * LONG, f"Inference-Header-Content-Length: {len(ROW) + LONG}", True),
    "a header length that is none": (ROW + b" " * LONG, "Inference-Header-Content-Length: all", True),
}


@pytest.mark.parametrize(("body", "line", "is_aside"), ASIDE.values(), ids=ASIDE.keys())
async def test_what_takes_long_to_decode_keeps_nobody_waiting(
    model: Model, serve: Serve, dial: Dial, body: bytes, line: str, is_aside: bool
) -> None:
    threads: list[int] = []

    class Watched(HttpCall):
        def decode(self, model: Model) -> InferRequest:
            threads.append(threading.get_ident())
            return super().decode(model)

    wire = await dial(await serve(lambda it: Watched(it, LIMIT).begin(model, model.submit, ignore), max_body_bytes=2 * LIMIT))
    lines = [line] if line else []
    reply = await wire.ask(post("/", body, *lines))
    assert reply.status == (400 if line.endswith("all") else 200)
    assert len(threads) == 1
    assert (threads[0] != threading.get_ident()) == is_aside


async def test_long_requests_by_every_path_are_answered(wire: Wire) -> None:
    long = request([1, 2, 3, 4]) + b" " * LONG
    for _ in range(2):
        assert (await wire.ask(post(INFER, long))).json["outputs"][0]["data"] == [10]
        assert (await wire.ask(post(INFER, b" " * LONG))).status == 400
        chunked = post(INFER, b"", "transfer-encoding: chunked").replace(b"content-length: 0\r\n", b"")
        assert (await wire.ask(chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(long), long))).json["outputs"][0]["data"] == [10]


def test_only_short_requests_that_ask_for_nothing_take_fewer_steps() -> None:
    assert call_for("infer", {b"content-length": b"%d" % LONG}) is PlainCall
    assert call_for("infer", {b"content-length": b"%d" % (LONG + 1)}) is HttpCall
    assert call_for("infer", {b"transfer-encoding": b"chunked"}) is HttpCall
    assert call_for("infer", {b"content-length": b"2", b"accept-encoding": b"gzip"}) is HttpCall
    assert call_for("ready", {b"content-length": b"2"}) is None


async def test_the_model_describes_itself(wire: Wire) -> None:
    description = {
        "name": "sum",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1]}],
    }
    for path in ("/v2/models/sum", "/v2/models/sum/versions/1"):
        assert (await wire.ask(get(path))).json == description


@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/sum/ready",
        "/v2/models/sum/versions/1/ready",
        "/health/live",
        "/health/ready",
    ],
)
async def test_pages_that_answer_200(wire: Wire, path: str) -> None:
    assert (await wire.ask(get(path))).status == 200


async def test_a_version_may_be_named(wire: Wire) -> None:
    assert (await wire.ask(post("/v2/models/sum/versions/1/infer", request([1, 2, 3, 4])))).status == 200


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/", "nothing at /"),
        ("/v2/", "nothing at /v2/"),
        ("/v2/models/other", "no model is called 'other'"),
        ("/v2/models/other/infer", "no model is called 'other'"),
        ("/v2/models/sum/versions/2", "no version '2'"),
        ("/v2/models/sum/versions/abc/infer", "no version 'abc'"),
        ("/v2/models/sum/nonsense", "nothing at /v2/models/sum/nonsense"),
        ("/%ff", "nothing at"),
    ],
)
async def test_what_is_not_there_is_a_404_in_json(wire: Wire, path: str, reason: str) -> None:
    for message in (get(path), post(path, request([1, 2, 3, 4]))):
        reply = await wire.ask(message)
        assert reply.status == 404
        assert reason in reply.error


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", INFER, "POST"), ("DELETE", INFER, "POST"), ("POST", "/v2", "GET"), ("PUT", "/v2/models/sum/ready", "GET")],
)
async def test_another_method_is_a_405_that_names_the_right_one(wire: Wire, method: str, path: str, allowed: str) -> None:
    reply = await wire.ask(f"{method} {path} HTTP/1.1\r\ncontent-length: 0\r\n\r\n".encode())
    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    assert allowed in reply.error


async def test_a_bad_request_is_a_400_and_the_connection_goes_on(wire: Wire) -> None:
    reply = await wire.ask(post(INFER, b"{"))
    assert reply.status == 400
    assert reply.error.startswith("the request is not JSON")
    assert (await wire.ask(post(INFER, request([1, 2, 3, 4])))).status == 200


async def test_a_full_queue_says_when_to_try_again(load: Load, serve: Serve, dial: Dial) -> None:
    model = load(models.slow_model, queue_rows=1)
    server = await serve(application(model, LIMIT))
    data = json.dumps({"inputs": [{"name": "x", "shape": [1, 600], "datatype": "FP32", "data": [1] * 600}]}).encode()
    wires = [await dial(server) for _ in range(20)]
    for wire in wires:
        await wire.send(post("/v2/models/slow/infer", data))
    replies = [await it.reply() for it in wires]
    refused = [it for it in replies if it.status == 503]
    assert {it.status for it in replies} == {200, 503}
    assert refused[0].headers["retry-after"] == "1"


async def test_a_model_that_takes_too_long_is_a_504(load: Load, serve: Serve, dial: Dial) -> None:
    model = load(models.slow_model, size=1500, layers=12, timeout_s=0.0)
    wire = await dial(await serve(application(model, 100_000_000)))
    rows = 3000
    body = b'{"inputs":[{"name":"x","shape":[%d,1500],"datatype":"FP32","data":[%s]}]}' % (rows, b",".join([b"1"] * rows * 1500))
    reply = await wire.ask(post("/v2/models/slow/infer", body))
    assert (reply.status, reply.error) == (504, "model 'slow' did not answer within 0 s")


async def test_the_report_tells_how_each_call_went(model: Model, serve: Serve, dial: Dial) -> None:
    calls: list[Call] = []

    def answer(exchange: Exchange) -> None:
        call = HttpCall(exchange, LIMIT)
        call.headers = b"x-request-id: 7\r\n"
        call.begin(model, model.submit, calls.append)

    wire = await dial(await serve(answer))
    assert (await wire.ask(post("/", request([1, 2, 3, 4], [1, 1, 1, 1])))).headers["x-request-id"] == "7"
    assert (await wire.ask(post("/", b"{}"))).headers["x-request-id"] == "7"
    good, bad = calls
    assert good.request is not None
    assert good.ticket is not None
    assert (good.status, good.error, good.request.rows, good.ticket.batch_rows) == (200, "", 2, 2)
    assert good.ticket.outputs[0].tolist() == [10, 4]
    assert min(good.decode_ns, good.ticket.infer_ns, good.encode_ns) > 0
    assert (bad.status, bad.error, bad.request, bad.ticket) == (400, "RequestMalformed", None, None)


async def test_who_asks_is_told_where_the_time_went(wire: Wire) -> None:
    reply = await wire.ask(post(INFER, request([1, 2, 3, 4]), "X-Headrace-Timing: 1"))
    timing = dict(it.strip().split(";dur=") for it in reply.headers["server-timing"].split(","))
    assert timing.keys() == {"decode", "queue", "infer", "encode"}
    assert all(0 <= float(it) < 10_000 for it in timing.values())
    assert "server-timing" not in (await wire.ask(post(INFER, request([1, 2, 3, 4])))).headers


async def test_a_client_that_leaves_is_reported_as_such(load: Load, serve: Serve, dial: Dial) -> None:
    model = load(models.slow_model)
    calls: list[Call] = []
    server = await serve(lambda it: HttpCall(it, LIMIT).begin(model, model.submit, calls.append))
    data = json.dumps({"inputs": [{"name": "x", "shape": [64, 600], "datatype": "FP32", "data": [1] * 38400}]}).encode()
    wires = [await dial(server) for _ in range(4)]
    for wire in wires:
        await wire.send(post("/", data))
    for wire in wires:
        await wire.close()
    await until(lambda: len(calls) == 4, "all four calls to end")
    assert "CallerLeft" in {it.error for it in calls}
    assert {it.status for it in calls} <= {200, 499}
