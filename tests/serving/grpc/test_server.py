"""The server over gRPC: callers that leave, streams, refusals, and the end."""

import asyncio
import contextlib
import gzip
import socket
import threading
import warnings
from collections import Counter
from typing import Any

import grpc
import numpy as np
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from contracts.errors import TooMany, Unauthenticated
from serving.errors import ModelFailed
from serving.grpc.calls import GrpcCall
from serving.grpc.messages import SERVICE, ModelInferRequest, ModelInferResponse, message
from serving.grpc.single import SingleModel
from serving.grpc.stream import IN_FLIGHT
from serving.models import Model
from serving.requests import LONG, InferRequest
from tests import models
from tests.gateway.waiting import until
from tests.serving.conftest import Load
from tests.serving.grpc.conftest import Channels, ListenGrpc
from tests.serving.grpc.hosts import Holding, infer_request, stream, unary

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

health: Any = health_pb2
Failure = grpc.aio.AioRpcError


def answer(call: GrpcCall) -> None:
    """Let a held call succeed, with its own id as the answer."""
    call.answered.set_result(ModelInferResponse(id=call.wire.message.id).SerializeToString())


async def failure(call: Any) -> Failure:
    """How an RPC failed."""
    with pytest.raises(Failure) as caught:
        await call
    return caught.value


def takes_connections(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False


# ---- callers that leave


async def test_a_cancelled_call_has_left(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    call = unary(dial_grpc(await listen(host)), "ModelInfer", infer_request())
    await until(lambda: len(host.calls) == 1, "the call")
    assert not host.calls[0].is_gone
    call.cancel()
    await until(lambda: host.calls[0].is_gone, "the server to notice")


async def test_a_deadline_that_is_over_is_told_and_the_call_has_left(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    failed = await failure(unary(dial_grpc(await listen(host)), "ModelInfer", infer_request(), timeout=0.3))
    assert failed.code() is StatusCode.DEADLINE_EXCEEDED
    await until(lambda: host.calls[0].is_gone, "the server to notice")


async def test_a_caller_that_left_the_queue_is_not_run(load: Load, listen: ListenGrpc, dial_grpc: Channels) -> None:
    model = load(models.slow_model)
    channel = dial_grpc(await listen(SingleModel(model)), max_receive_message_length=-1)
    request = infer_request(models.np.ones((4000, 600), models.np.float32), "slow")
    running = unary(channel, "ModelInfer", request)
    await until(lambda: model.in_flight == 1, "the first to run")
    waiting = unary(channel, "ModelInfer", infer_request(models.np.ones((1, 600), models.np.float32), "slow"))
    await until(lambda: model.in_flight == 2, "the second to wait")
    waiting.cancel()
    assert len((await running).outputs) == 1
    await until(lambda: model.in_flight == 0, "the queue to be empty")
    assert (model.statistics.inference_count, model.statistics.dropped.count) == (4000, 1)


async def test_a_cancelled_stream_leaves_all_its_calls(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    call = stream(dial_grpc(await listen(host)))
    for _ in range(5):
        await call.write(infer_request())
    await until(lambda: len(host.calls) == 5, "the calls")
    call.cancel()
    await until(lambda: all(it.is_gone for it in host.calls), "the server to notice")


# ---- streams


async def test_a_stream_is_read_no_further_than_its_answers_go(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    call = stream(dial_grpc(await listen(host)))
    for number in range(IN_FLIGHT + 3):
        await call.write(infer_request(request_id=str(number)))
    await until(lambda: len(host.calls) == IN_FLIGHT, "as many calls as may be under way")
    answer(host.calls[1])  # the second waits for the first
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(host.calls) == IN_FLIGHT
    answer(host.calls[0])
    assert [(await call.read()).infer_response.id for _ in range(2)] == ["0", "1"]
    await until(lambda: len(host.calls) == IN_FLIGHT + 2, "two more calls")
    call.cancel()


async def test_a_malformed_request_ends_no_stream(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    call = stream(dial_grpc(await listen(host)))
    await call.write(b"\xff\xff")
    assert "is no protobuf message" in (await call.read()).error_message
    assert host.refusals == [400]
    await call.write(infer_request(request_id="good"))
    await until(lambda: len(host.calls) == 1, "the call")
    answer(host.calls[0])
    assert (await call.read()).infer_response.id == "good"
    await call.done_writing()
    assert await call.code() is StatusCode.OK


async def test_an_error_in_a_stream_says_whose_it_is(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    call = stream(dial_grpc(await listen(host)))
    await call.write(infer_request(request_id="7"))
    await until(lambda: len(host.calls) == 1, "the call")
    host.calls[0].reject(ModelFailed("no luck"), lambda _: None)
    response = await call.read()
    assert (response.error_message, response.infer_response.id) == ("no luck", "7")
    call.cancel()


# ---- refusals


async def test_who_is_not_let_in_is_told_before_the_message_is_read(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding(Unauthenticated("send an API key"))
    channel = dial_grpc(await listen(host))
    for call in (
        unary(channel, "ModelInfer", bytes(30_000_000)),
        unary(channel, "ServerMetadata"),
        stream(channel).read(),
    ):
        failed = await failure(call)
        assert (failed.code(), failed.details()) == (StatusCode.UNAUTHENTICATED, "send an API key")
    assert host.refusals == [401, 401, 401]
    assert (await unary(channel, "ServerLive")).live
    assert (await unary(channel, "ServerReady")).ready


async def test_when_to_try_again_is_in_the_trailing_metadata(listen: ListenGrpc, dial_grpc: Channels) -> None:
    failed = await failure(unary(dial_grpc(await listen(Holding(TooMany("slower", 2.4)))), "ModelInfer"))
    assert failed.code() is StatusCode.RESOURCE_EXHAUSTED
    assert dict(failed.trailing_metadata() or ())["retry-after"] == "2"


async def test_headers_of_a_call_are_its_trailing_metadata(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    call = unary(dial_grpc(await listen(host)), "ModelInfer", infer_request())
    await until(lambda: len(host.calls) == 1, "the call")
    host.calls[0].headers = b"x-request-id: 17\r\nratelimit: a: b\r\n"
    answer(host.calls[0])
    assert [tuple(it) for it in await call.trailing_metadata()] == [("x-request-id", "17"), ("ratelimit", "a: b")]


async def test_a_defect_says_nothing_of_itself(listen: ListenGrpc, dial_grpc: Channels, caplog: pytest.LogCaptureFixture) -> None:
    failed = await failure(unary(dial_grpc(await listen(Holding())), "ModelMetadata"))
    assert (failed.code(), failed.details()) == (StatusCode.INTERNAL, "internal error")
    assert "a defect" in caplog.text


async def test_bad_requests_and_methods(load: Load, listen: ListenGrpc, dial_grpc: Channels) -> None:
    channel = dial_grpc(await listen(SingleModel(load(models.sum_model)), max_message_bytes=100_000))
    assert (await failure(unary(channel, "ModelInfer", b"\x0a\xff"))).code() is StatusCode.INVALID_ARGUMENT
    assert (await failure(unary(channel, "ModelMetadata", b"\x0a\x01\xff"))).code() is StatusCode.INVALID_ARGUMENT
    for letter in "aü日":
        failed = await failure(unary(channel, "ModelInfer", infer_request(model=letter * 30_000)))
        assert (failed.code(), letter in (failed.details() or "")) == (StatusCode.NOT_FOUND, True)
    for method in (f"/{SERVICE}/Nothing", "/other.Service/Nothing"):
        assert (await failure(channel.unary_unary(method)(b""))).code() is StatusCode.UNIMPLEMENTED
    assert (await failure(unary(channel, "ModelInfer", bytes(100_001)))).code() is StatusCode.RESOURCE_EXHAUSTED
    bomb = bytes(50_000_000)
    assert len(gzip.compress(bomb, 6)) < 100_000
    failed = await failure(unary(channel, "ModelInfer", bomb, compression=grpc.Compression.Gzip))
    assert failed.code() is StatusCode.RESOURCE_EXHAUSTED
    assert len((await unary(channel, "ModelInfer", infer_request())).outputs) == 1


@pytest.mark.parametrize("is_raw", [True, False])
async def test_what_takes_long_to_decode_keeps_nobody_waiting(
    load: Load, listen: ListenGrpc, dial_grpc: Channels, monkeypatch: pytest.MonkeyPatch, is_raw: bool
) -> None:
    threads: list[int] = []
    decode = GrpcCall.decode

    def watched(call: GrpcCall, model: Model) -> InferRequest:
        threads.append(threading.get_ident())
        return decode(call, model)

    monkeypatch.setattr(GrpcCall, "decode", watched)
    channel = dial_grpc(await listen(SingleModel(load(models.sum_model))))
    numbers = np.ones(LONG, np.float32)
    request = ModelInferRequest(model_name="sum", raw_input_contents=[numbers.tobytes()] if is_raw else [])
    tensor = request.inputs.add(name="x", datatype="FP32", shape=[LONG // 4, 4])
    if not is_raw:
        tensor.contents.fp32_contents.extend(numbers)
    assert (await unary(channel, "ModelInfer", request.SerializeToString())).outputs[0].shape == [LONG // 4]
    assert (threads[0] == threading.get_ident(), len(threads)) == (is_raw, 1)


async def test_a_connection_too_many_is_refused(listen: ListenGrpc, dial_grpc: Channels) -> None:
    server = await listen(Holding(), max_connections=2)
    channels = [dial_grpc(server) for _ in range(3)]
    assert [(await unary(it, "ServerLive")).live for it in channels[:2]] == [True, True]
    assert (await failure(unary(channels[2], "ServerLive", timeout=20))).code() is StatusCode.UNAVAILABLE
    await channels[0].close()
    await until(lambda: takes_connections(server.port), "room for another")
    assert (await unary(channels[2], "ServerLive", wait_for_ready=True, timeout=20)).live


async def test_who_connects_and_says_nothing_is_sent_away(listen: ListenGrpc) -> None:
    server = await listen(Holding(), handshake_timeout_s=0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    async with asyncio.timeout(20):
        await reader.read()  # until the end
    writer.close()


# ---- health and reflection


async def test_health(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    stub: Any = health_pb2_grpc.HealthStub(dial_grpc(await listen(host)))
    for name in ("", SERVICE):
        assert (await stub.Check(health.HealthCheckRequest(service=name))).status == health.HealthCheckResponse.SERVING
    assert (await failure(stub.Check(health.HealthCheckRequest(service="other")))).code() is StatusCode.NOT_FOUND
    watch = stub.Watch(health.HealthCheckRequest())
    assert (await watch.read()).status == health.HealthCheckResponse.SERVING
    host.is_ready = False
    assert (await watch.read()).status == health.HealthCheckResponse.NOT_SERVING
    assert (await stub.Check(health.HealthCheckRequest())).status == health.HealthCheckResponse.NOT_SERVING
    watch.cancel()


async def test_reflection_describes_every_service(listen: ListenGrpc) -> None:
    server = await listen(Holding())

    def ask() -> tuple[list[str], Any]:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            database: Any = ProtoReflectionDescriptorDatabase(channel)
            return list(database.get_services()), database.FindFileContainingSymbol(SERVICE)

    services, file = await asyncio.to_thread(ask)
    assert sorted(services) == ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", SERVICE]
    assert "ModelInfer" in [it.name for it in file.service[0].method]


# ---- the end


async def test_what_has_begun_is_answered_and_what_comes_later_is_not(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    server = await listen(host)
    channel = dial_grpc(server)
    call = unary(channel, "ModelInfer", infer_request(request_id="unary"))
    open_stream = stream(channel)
    await open_stream.write(infer_request(request_id="stream"))
    stub: Any = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health.HealthCheckRequest())
    await watch.read()
    tool: Any = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")()
    await tool.write(b"\x3a\x00")
    assert SERVICE.encode() in await tool.read()
    await until(lambda: len(host.calls) == 2, "the calls")
    draining = asyncio.create_task(server.drain(20))
    assert (await watch.read()).status == health.HealthCheckResponse.NOT_SERVING
    await until(lambda: not takes_connections(server.port), "the port to be closed")
    late = await failure(unary(dial_grpc(server), "ModelInfer", infer_request()))
    assert late.code() is StatusCode.UNAVAILABLE
    for it in host.calls:
        answer(it)
    assert (await call).id == "unary"
    assert (await open_stream.read()).infer_response.id == "stream"
    assert await open_stream.code() is StatusCode.UNAVAILABLE
    await asyncio.wait_for(draining, 10)


async def test_a_drain_does_not_wait_for_ever(listen: ListenGrpc, dial_grpc: Channels) -> None:
    host = Holding()
    server = await listen(host)
    call = unary(dial_grpc(server), "ModelInfer", infer_request())
    await until(lambda: len(host.calls) == 1, "the call")
    await asyncio.wait_for(server.drain(0.05), 10)
    assert (await failure(call)).code() in (StatusCode.UNAVAILABLE, StatusCode.CANCELLED)
    assert host.calls[0].is_gone


async def test_a_drain_under_load_cancels_nobody(load: Load, listen: ListenGrpc, dial_grpc: Channels) -> None:
    server = await listen(SingleModel(load(models.sum_model)))
    codes = Counter[StatusCode]()

    async def client() -> None:
        channel = dial_grpc(server)
        while True:
            try:
                await unary(channel, "ModelInfer", infer_request())
                codes[StatusCode.OK] += 1
            except Failure as failed:
                codes[failed.code()] += 1
                return

    clients = [asyncio.create_task(client()) for _ in range(16)]
    await until(lambda: codes[StatusCode.OK] > 300, "300 answers")
    await server.drain(10)
    await asyncio.wait_for(asyncio.gather(*clients), 20)
    assert set(codes) <= {StatusCode.OK, StatusCode.UNAVAILABLE}, codes


async def test_a_request_for_nothing_is_answered(load: Load, listen: ListenGrpc, dial_grpc: Channels) -> None:
    """An empty message is a valid one."""
    channel = dial_grpc(await listen(SingleModel(load(models.sum_model))))
    assert (await failure(unary(channel, "ModelInfer"))).details() == "no model is called '' here"
    assert isinstance(await unary(channel, "RepositoryIndex"), message("RepositoryIndexResponse"))
