"""The gateway over gRPC, by unmodified clients: keys, limits, the log, and workers that come and go."""

import signal
import socket
import threading
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any, Self

import grpc
import msgspec.structs
import numpy as np
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from contracts.routes import KeyLimits
from serving.grpc.messages import SERVICE, ModelInferRequest, message
from tests.certificates import AUTHORITY, issue
from tests.gateway.running import RunningGateway
from tests.gateway.tables import authorization, deployment, key, revision, store_model
from tests.models import sum_model
from tests.services import wait_until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tritonclient.grpc
    from tritonclient.utils import InferenceServerException

triton: Any = tritonclient.grpc
REPLACED = "all workers are replaced"
ROWS = np.arange(8, dtype=np.float32).reshape(2, 4)


@pytest.fixture
def served(gateway: RunningGateway) -> RunningGateway:
    """A gateway that can serve version 2 of a model as `sum`; not started yet."""
    gateway.publish(
        deployment("sum", revision(store_model(gateway.artifacts, sum_model(gateway.directory / "m.onnx")), version=2))
    )
    return gateway


@pytest.fixture
def client(served: RunningGateway) -> Generator[Any]:
    served.start()
    with triton.InferenceServerClient(f"127.0.0.1:{served.grpc_port}") as connected:
        yield connected


def key_in_metadata(**changes: str) -> dict[str, str]:
    return {"authorization": authorization(**changes)["Authorization"]}


def rows_input() -> list[Any]:
    tensor = triton.InferInput("x", list(ROWS.shape), "FP32")
    tensor.set_data_from_numpy(ROWS)
    return [tensor]


def request() -> bytes:
    made = ModelInferRequest(model_name="sum", id="mine", raw_input_contents=[ROWS.tobytes()])
    made.inputs.add(name="x", datatype="FP32", shape=ROWS.shape)
    return made.SerializeToString()


def infer(channel: grpc.Channel, **metadata: str) -> Any:
    """One call; what it answers and its trailing metadata."""
    call: Any = channel.unary_unary(
        f"/{SERVICE}/ModelInfer", response_deserializer=message("ModelInferResponse").FromString
    ).with_call(request(), metadata=tuple((metadata or key_in_metadata()).items()), timeout=20, wait_for_ready=True)
    return call[0], dict(call[1].trailing_metadata())


def is_ready(channel: grpc.Channel) -> bool:
    """What the server says of itself, once it is there."""
    call: Any = channel.unary_unary(f"/{SERVICE}/ServerReady", response_deserializer=message("ServerReadyResponse").FromString)
    return call(b"", timeout=20, wait_for_ready=True).ready


def test_what_a_key_may_do(client: Any, served: RunningGateway) -> None:
    headers = key_in_metadata()
    answer = client.infer("sum", rows_input(), headers=headers, request_id="mine")
    assert (answer.as_numpy("y").tolist(), answer.get_response().id) == ([6, 22], "mine")
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("sum", headers=headers)
    assert not client.is_model_ready("sum", "1", headers=headers)
    assert client.get_server_metadata(headers=headers).name == "headrace"
    assert list(client.get_model_metadata("sum", headers=headers).versions) == ["2"]
    assert client.get_model_config("sum", headers=headers).config.name == "sum"
    (statistics,) = client.get_inference_statistics(headers=headers).model_stats
    assert (statistics.name, statistics.inference_stats.success.count) == ("sum", 1)
    wait_until(lambda: len(served.records()) == 1, "the log record")
    (record,) = served.records()
    assert (record.status, record.rows, np.frombuffer(record.input_numbers).tolist()) == (200, 2, ROWS.ravel().tolist())


@pytest.mark.parametrize(
    ("name", "headers", "code"),
    [
        ("sum", {}, "UNAUTHENTICATED"),
        ("sum", key_in_metadata(secret="x" * 32), "UNAUTHENTICATED"),
        ("sum", {"authorization": "Basic abc"}, "UNAUTHENTICATED"),
        ("other", key_in_metadata(), "NOT_FOUND"),
    ],
)
def test_refusals_arrive_as_the_client_s_own_exception(client: Any, name: str, headers: dict[str, str], code: str) -> None:
    with pytest.raises(InferenceServerException) as refused:
        client.infer(name, rows_input(), headers=headers)
    assert refused.value.status() == f"StatusCode.{code}"
    with pytest.raises(InferenceServerException) as refused:
        client.get_model_metadata(name, headers=headers)
    assert refused.value.status() == f"StatusCode.{code}"


def test_scopes_and_limits_hold(served: RunningGateway) -> None:
    table = served.deployments
    limited = msgspec.structs.replace(key("limited"), limits=KeyLimits(requests_per_day=2, rows_per_s=1000))
    served.publish(*table, keys=(limited, key("reader", scopes=())))
    served.start()
    with grpc.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
        infer(channel, **key_in_metadata(key_id="limited"))
        answer, metadata = infer(channel, **key_in_metadata(key_id="limited"))
        assert answer.id == "mine"
        assert len(metadata["x-request-id"]) == 36
        assert '"day";r=0' in metadata["ratelimit"]
        with pytest.raises(grpc.RpcError) as refused:
            infer(channel, **key_in_metadata(key_id="limited"))
        assert code_of(refused) is StatusCode.RESOURCE_EXHAUSTED
        assert "retry-after" in dict(refused.value.trailing_metadata())  # type: ignore[attr-defined]
        with pytest.raises(grpc.RpcError) as refused:
            infer(channel, **key_in_metadata(key_id="reader"))
        assert code_of(refused) is StatusCode.PERMISSION_DENIED


def test_a_stream_outlives_no_key(served: RunningGateway) -> None:
    served.start()
    answers: list[Any] = []

    def put(result: Any, error: Any) -> None:
        answers.append(error or result)

    with triton.InferenceServerClient(f"127.0.0.1:{served.grpc_port}") as client:
        client.start_stream(put, headers=key_in_metadata())
        client.async_stream_infer("sum", rows_input())
        wait_until(lambda: len(answers) == 1, "the first answer")
        version = served.publish(*served.deployments, keys=(key("another"),))
        wait_until(lambda: (status := served.status()) is not None and status.routes_version == version, "the new table")
        client.async_stream_infer("sum", rows_input())
        wait_until(lambda: len(answers) == 2, "the second answer")
        client.stop_stream(cancel_requests=True)
    assert answers[0].as_numpy("y").tolist() == [6, 22]
    assert "this API key is not known" in answers[1].message()


def test_loading_and_unloading_need_their_scope(served: RunningGateway) -> None:
    served.publish(*served.deployments, keys=(key(scopes=("infer",)), key("operator", scopes=("infer", "repository"))))
    served.start()
    operator = key_in_metadata(key_id="operator")
    with triton.InferenceServerClient(f"127.0.0.1:{served.grpc_port}") as client:
        with pytest.raises(InferenceServerException) as refused:
            client.unload_model("sum", headers=key_in_metadata())
        assert refused.value.status() == "StatusCode.PERMISSION_DENIED"
        client.unload_model("sum", headers=operator)
        wait_until(lambda: states(client, operator) == ["UNAVAILABLE"], "it to be unloaded")
        with pytest.raises(InferenceServerException) as refused:
            client.infer("sum", rows_input(), headers=operator)
        assert refused.value.status() == "StatusCode.UNAVAILABLE"
        client.load_model("sum", headers=operator)
        assert states(client, operator) == ["READY"]
        assert client.infer("sum", rows_input(), headers=operator).as_numpy("y").tolist() == [6, 22]


def states(client: Any, headers: dict[str, str]) -> list[str]:
    return [it.state for it in client.get_model_repository_index(headers=headers).models]


def test_health_follows_readiness(gateway: RunningGateway) -> None:
    """Before the first table there is nothing to serve."""
    gateway.launch()
    health: Any = health_pb2
    with grpc.insecure_channel(f"127.0.0.1:{gateway.grpc_port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)

        def status() -> Any:
            return stub.Check(health.HealthCheckRequest(), wait_for_ready=True, timeout=20).status

        assert status() == health.HealthCheckResponse.NOT_SERVING
        gateway.publish()
        wait_until(lambda: status() == health.HealthCheckResponse.SERVING, "the gateway to be ready")


def test_a_taken_port_is_one_line_and_exit_3(served: RunningGateway) -> None:
    with socket.create_server(("127.0.0.1", served.grpc_port)):
        assert served.launch(log_level="ERROR").wait(20) == 3
    assert served.output().strip().endswith("or set HEADRACE_GRPC_PORT")


class Callers:
    """Clients that call without pause, half of them on a channel that they keep, the others on a new one each time."""

    def __init__(self, port: int, clients: int) -> None:
        self._address = f"127.0.0.1:{port}"
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(bool(it % 2),), daemon=True) for it in range(clients)]
        self.failures: list[str] = []
        self.count = 0

    def __enter__(self) -> Self:
        for it in self._threads:
            it.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for it in self._threads:
            it.join(30)
            assert not it.is_alive()

    def _run(self, keeps_channel: bool) -> None:
        channel = self._dial()
        while not self._stopping.is_set():
            try:
                infer(channel)
                self.count += 1
            except grpc.RpcError as error:
                self.failures.append(str(error))
            if not keeps_channel:
                channel.close()
                channel = self._dial()
        channel.close()

    def _dial(self) -> grpc.Channel:
        return grpc.insecure_channel(self._address, options=[("grpc.use_local_subchannel_pool", 1)])


@pytest.mark.parametrize("settings", [{"workers": 2}, {"restartable": True}], ids=["two workers", "one with a parent"])
def test_a_restart_costs_no_call(served: RunningGateway, settings: dict[str, object]) -> None:
    """(A connection that meets a worker in its last moment is refused. Who waits for a connection, as here, does not notice.)"""
    served.start(**settings)
    with Callers(served.grpc_port, 6) as callers:
        for round_number in (1, 2):
            wait_until(lambda goal=callers.count + 60: callers.count >= goal, "calls before the restart")
            served.process.send_signal(signal.SIGHUP)
            wait_until(lambda times=round_number: served.output().count(REPLACED) >= times, "the new workers", 60)
        wait_until(lambda goal=callers.count + 60: callers.count >= goal, "calls after the restart")
    assert callers.failures == []
    assert served.stop() == 0


def test_tls(served: RunningGateway, tmp_path: Path) -> None:
    files = issue(tmp_path)
    served.launch(**files.settings)
    trusted = grpc.ssl_channel_credentials(AUTHORITY.cert_pem.bytes())
    with grpc.secure_channel(f"127.0.0.1:{served.grpc_port}", trusted) as channel:
        wait_until(lambda: is_ready(channel), "the model to be loaded")
        answer, _ = infer(channel)
    assert answer.id == "mine"


def code_of(refused: pytest.ExceptionInfo[grpc.RpcError]) -> StatusCode:
    error: Any = refused.value
    return error.code()
