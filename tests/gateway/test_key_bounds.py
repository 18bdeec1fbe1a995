"""Keys that are for some deployments, or for some networks: over HTTP and gRPC, whatever was found out about a head before."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import grpc
import httpx
import msgspec
import pytest

from contracts.routes import Artifact, Deployment, Key, RouteTable
from gateway.endpoints import Endpoint
from gateway.routing import Caller, DeploymentNotAllowed, NetworkNotAllowed, Routes
from serving.grpc.messages import SERVICE, ModelInferRequest, message
from tests.gateway.running import ROW, RunningGateway, body
from tests.gateway.tables import SECRET, authorization, deployment, key, revision, store_model
from tests.models import sum_model
from tests.services import wait_until

NEEDS = ("infer", "repository")


def bounded(key_id: str = "abcdefghijkl", **bounds: Any) -> Key:
    return msgspec.structs.replace(key(key_id, scopes=NEEDS), **bounds)


def caller_of(made: Key, *deployments: Deployment) -> Caller:
    endpoints = {it.deployment_id: Endpoint() for it in deployments}
    routes = Routes(RouteTable(1, deployments, (made,)), endpoints)
    return routes.authenticate(f"Bearer hr_{made.key_id}_{SECRET}".encode(), 0.0)


def test_a_key_for_some_deployments_knows_no_others() -> None:
    made = revision(Artifact("0" * 64, 1))
    mine, other = deployment("mine", made), deployment("other", made)
    foreign = deployment("foreign", made, project=UUID(int=9))
    caller = caller_of(bounded(deployments=(mine.deployment_id, foreign.deployment_id, UUID(int=7))), mine, other, foreign)
    assert list(caller.deployments) == ["mine"]
    assert caller.endpoint("mine") is caller.deployments["mine"]
    for name in ("other", "foreign", "absent"):
        with pytest.raises(DeploymentNotAllowed, match=name):
            caller.endpoint(name)


def test_a_key_for_deployments_that_are_gone_is_for_none() -> None:
    other = deployment("other", revision(Artifact("0" * 64, 1)))
    assert not caller_of(bounded(deployments=()), other).deployments
    assert not caller_of(bounded(deployments=(UUID(int=7),)), other).deployments


@pytest.mark.parametrize(
    ("networks", "address", "is_allowed"),
    [
        (("10.0.0.0/8",), "10.255.0.1", True),
        (("10.0.0.0/8",), "11.0.0.1", False),
        (("10.0.0.0/8",), "::ffff:10.0.0.1", True),
        (("10.0.0.0/8",), "::10.0.0.1", False),
        (("192.0.2.7/32", "2001:db8::/32"), "192.0.2.7", True),
        (("192.0.2.7/32", "2001:db8::/32"), "192.0.2.8", False),
        (("192.0.2.7/32", "2001:db8::/32"), "2001:db8:1::1", True),
        (("192.0.2.7/32", "2001:db8::/32"), "2001:db9::1", False),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("0.0.0.0/0",), "::1", False),
        (("0.0.0.0/0", "::/0"), "", False),
    ],
)
def test_networks_of_both_families(networks: tuple[str, ...], address: str, is_allowed: bool) -> None:
    caller = caller_of(bounded(networks=networks))
    if is_allowed:
        caller.check_network(address)
    else:
        with pytest.raises(NetworkNotAllowed):
            caller.check_network(address)


@pytest.fixture
def served(gateway: RunningGateway) -> RunningGateway:
    """A gateway with the deployments `sum` and `other`, which has no keys yet."""
    artifact = store_model(gateway.artifacts, sum_model(gateway.directory / "m.onnx"))
    gateway.publish(deployment("sum", revision(artifact)), deployment("other", revision(artifact)))
    gateway.start()
    return gateway


def publish(served: RunningGateway, made: Key) -> None:
    """Give the gateway this one key, and wait until it has it."""
    version = served.publish(*served.deployments, keys=(made,))
    wait_until(lambda: (it := served.status()) is not None and it.routes_version == version, "the table to be taken")


def grpc_code(served: RunningGateway, name: str = "sum") -> grpc.StatusCode:
    request = ModelInferRequest(model_name=name)
    request.inputs.add(name="x", datatype="FP32", shape=[1, 4]).contents.fp32_contents.extend(ROW)
    with grpc.insecure_channel(f"127.0.0.1:{served.grpc_port}") as channel:
        call: Callable[..., Any] = channel.unary_unary(
            f"/{SERVICE}/ModelInfer", response_deserializer=message("ModelInferResponse").FromString
        )
        try:
            call(request.SerializeToString(), metadata=(("authorization", authorization()["Authorization"]),), timeout=20)
        except grpc.RpcError as error:
            return error.code()  # type: ignore[attr-defined]
    return grpc.StatusCode.OK


def test_what_is_not_on_a_keys_list_is_forbidden_everywhere(served: RunningGateway) -> None:
    publish(served, bounded(deployments=(served.deployments[0].deployment_id,)))
    for _ in range(2):  # the second time its head is known
        assert served.infer("sum").status_code == 200
        refused = served.infer("other")
        assert (refused.status_code, "some deployments only" in refused.json()["error"]) == (403, True)
    assert served.http.post("/v1/predict/other", json={"x": ROW}, headers=authorization()).status_code == 403
    assert served.http.get("/v2/models/other", headers=authorization()).status_code == 403
    index = served.http.post("/v2/repository/index", headers=authorization()).json()
    assert [it["name"] for it in index] == ["sum"]
    assert served.http.post("/v2/repository/models/other/unload", headers=authorization()).status_code == 403
    assert (grpc_code(served, "sum"), grpc_code(served, "other")) == (grpc.StatusCode.OK, grpc.StatusCode.PERMISSION_DENIED)


def test_a_key_of_another_network_is_forbidden_everywhere(served: RunningGateway) -> None:
    publish(served, bounded(networks=("192.0.2.0/24",)))
    for path in ("/v2/models/sum/infer", "/v1/predict/sum", "/v2/repository/index"):
        refused = served.http.post(path, json=body(ROW), headers=authorization())
        assert (refused.status_code, "may not be used from 127.0.0.1" in refused.text) == (403, True)
    assert served.http.get("/v2", headers=authorization()).status_code == 403
    assert grpc_code(served) is grpc.StatusCode.PERMISSION_DENIED
    publish(served, bounded(networks=("127.0.0.0/8", "::1/128")))
    assert served.infer().status_code == 200
    assert grpc_code(served) is grpc.StatusCode.OK


def test_a_head_that_came_from_the_right_network_opens_nothing_from_another(served: RunningGateway) -> None:
    publish(served, bounded(networks=("127.0.0.1/32",)))
    request = served.http.build_request("POST", "/v2/models/sum/infer", json=body(ROW), headers=authorization())
    for _ in range(3):
        assert served.http.send(request).status_code == 200
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as elsewhere:
        for _ in range(3):
            assert elsewhere.send(request).status_code == 403
    assert served.http.send(request).status_code == 200
