"""Trying a deployment: the gateway's word is passed on, under a key the person never sees."""

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest

from contracts.settings import ControlSettings
from control.deployments import trial
from control.keys.secrets import console_key
from tests.control import wire
from tests.control.conftest import SECRET, Account
from tests.control.registry import Json, create_version, deploy, model_file, project
from tests.services import free_port

REQUEST = b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[1,2,3,4]}], "parameters": {"a": 1}}'


@pytest.fixture
async def gateway() -> AsyncGenerator[wire.Server]:
    """Stands where the gateway would."""
    async with wire.on_port() as server:
        yield server


@pytest.fixture
def settings(settings: ControlSettings, gateway: wire.Server) -> ControlSettings:
    """Control reaches the gateway at an address of its own."""
    return msgspec.structs.replace(
        settings, gateway_url=f"http://127.0.0.1:{gateway.port}", inference_url="http://inference.example"
    )


@pytest.fixture
async def deployment(account: Account, tmp_path: Path) -> Json:
    """A deployment."""
    return await deploy(account, await create_version(account, model_file(tmp_path)), "fraud")


async def attempt(account: Account, deployment: Json, body: bytes = REQUEST) -> httpx.Response:
    path = f"{project(account)}/deployments/{deployment['id']}/infer"
    return await account.client.post(path, content=body, headers={"Content-Type": "application/json"})


async def test_the_request_reaches_the_gateway_unchanged_under_the_projects_hidden_key(
    account: Account, deployment: Json, gateway: wire.Server
):
    gateway.body = b'{"model_name":"fraud","outputs":[]}'
    answer = await attempt(account, deployment)
    [heard] = gateway.heard
    assert (answer.status_code, answer.content) == (200, gateway.body)
    assert answer.headers["content-type"] == "application/json"
    assert float(answer.headers["X-Headrace-Gateway-Ms"]) > 0
    assert (heard.method, heard.target, heard.body) == ("POST", "/v2/models/fraud/infer", REQUEST)
    assert heard.headers["authorization"] == f"Bearer {console_key(SECRET, account.project_id).text}"
    assert account.access_token not in str(heard.headers)


async def test_the_gateway_is_asked_where_its_time_went_and_its_word_is_passed_on(
    account: Account, deployment: Json, gateway: wire.Server
):
    gateway.headers = {"Server-Timing": "decode;dur=0.021, infer;dur=1.250", "X-Headrace-Cache": "hit", "Set-Cookie": "a=b"}
    answer = await attempt(account, deployment)
    assert gateway.heard[0].headers["x-headrace-timing"] == "1"
    assert {it: answer.headers.get(it) for it in gateway.headers} == gateway.headers | {"Set-Cookie": None}
    gateway.headers = {}
    assert "Server-Timing" not in (await attempt(account, deployment)).headers


@pytest.mark.parametrize("status", [400, 404, 429, 503, 504])
async def test_the_gateways_refusal_is_passed_on(account: Account, deployment: Json, gateway: wire.Server, status: int):
    gateway.status, gateway.body = status, b'{"error":"input x: 3 values, the shape says 4"}'
    answer = await attempt(account, deployment)
    assert (answer.status_code, answer.content) == (status, gateway.body)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_gateway_that_does_not_know_the_project_yet_does_not_end_the_persons_session(
    account: Account, deployment: Json, gateway: wire.Server, status: int
):
    gateway.status = status
    answer = await attempt(account, deployment)
    assert answer.status_code == 503
    assert "does not know this project yet" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_gateway_that_hangs_up_is_unavailable(account: Account, deployment: Json, gateway: wire.Server):
    gateway.is_rude = True
    answer = await attempt(account, deployment)
    assert answer.status_code == 503
    assert answer.json()["title"] == "Gateway unavailable"


async def test_an_answer_without_bounds_is_cut_off(
    account: Account, deployment: Json, gateway: wire.Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trial, "MAX_ANSWER_BYTES", 1 << 20)
    gateway.body = bytes((1 << 20) + 1)
    answer = await attempt(account, deployment)
    assert answer.status_code == 413
    assert "1 MiB" in answer.json()["detail"]


async def test_a_request_without_bounds_is_refused(account: Account, deployment: Json, gateway: wire.Server):
    answer = await attempt(account, deployment, bytes(trial.MAX_REQUEST_BYTES + 1))
    assert answer.status_code == 413
    assert gateway.heard == []


async def test_a_gateway_that_is_not_there_is_unavailable():
    async with trial.open_gateway(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(trial.GatewayUnavailable):
            await trial.infer(client, SECRET, uuid4(), "fraud", REQUEST)
