"""Monitoring: telemetry is asked in the project's name, and only for the project's deployments."""

import time
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import msgspec
import pytest

from contracts.settings import ControlSettings
from contracts.tenancy import TENANT_HEADER, verify_tenant
from tests.control import wire
from tests.control.conftest import SECRET, Account
from tests.control.registry import Json, create_version, deploy, model_file, project

COUNTS = {"requests": 3, "errors": 1, "server_errors": 0, "rows": 9, "p50_us": 500, "p95_us": 800, "p99_us": 900}
SUMMARY = {
    "from": "2026-11-22T10:00:00Z",
    "to": "2026-11-22T11:00:00Z",
    "step_s": 60,
    "points": [{"time": "2026-11-22T10:30:00Z", **COUNTS}],
    "totals": {**COUNTS, "lost": 0},
}
RECENT = {
    "items": [
        {
            "request_id": "01a205d7-0886-7a58-b111-df9c2ff4e571",
            "time": "2026-11-22T10:30:00.123456Z",
            "status": 200,
            "error_code": "",
            "rows": 3,
            "batch_rows": 8,
            "total_us": 700,
            "queue_us": 100,
            "infer_us": 500,
            "version_id": "01a205d7-0a53-78ed-b316-41940902ff60",
        }
    ]
}
PROBLEM = {"type": "t", "title": "Range invalid", "status": 422, "detail": "`from` must be before `to`", "instance": "/"}


@pytest.fixture
async def telemetry(short_tmp: Path) -> AsyncGenerator[wire.Server]:
    """Stands where telemetry would."""
    async with wire.on_socket(short_tmp / "telemetry.sock") as server:
        yield server


@pytest.fixture
def settings(settings: ControlSettings, short_tmp: Path) -> ControlSettings:
    """Control asks telemetry on a Unix socket."""
    return msgspec.structs.replace(settings, telemetry_url=f"unix:{short_tmp}/telemetry.sock")


@pytest.fixture
async def deployment(account: Account, tmp_path: Path) -> Json:
    """A deployment."""
    return await deploy(account, await create_version(account, model_file(tmp_path)))


def monitoring(account: Account, deployment: Json) -> str:
    return f"{project(account)}/deployments/{deployment['id']}/monitoring"


async def test_a_summary_is_asked_for_in_the_projects_name(account: Account, deployment: Json, telemetry: wire.Server):
    telemetry.body = msgspec.json.encode(SUMMARY)
    bounds = {"from": "2026-11-22T10:00:00Z", "to": "2026-11-22T12:00:00+01:00"}
    answer = await account.client.get(f"{monitoring(account, deployment)}/requests", params=bounds)
    [heard] = telemetry.heard
    query = parse_qs(urlsplit(heard.target).query)
    tenant = verify_tenant(heard.headers[TENANT_HEADER.lower()], SECRET, time.time())
    assert (answer.status_code, answer.json()) == (200, SUMMARY)
    assert urlsplit(heard.target).path == "/monitoring/requests"
    assert query["deployment_id"] == [deployment["id"]]
    assert query["from"] == ["2026-11-22T10:00:00+00:00"]
    assert query["to"] == ["2026-11-22T12:00:00+01:00"]
    assert (tenant.organization_id, tenant.project_id) == (account.organization_id, account.project_id)
    assert account.access_token not in str(heard.headers)


async def test_without_a_range_telemetry_chooses(account: Account, deployment: Json, telemetry: wire.Server):
    telemetry.body = msgspec.json.encode(SUMMARY)
    assert (await account.client.get(f"{monitoring(account, deployment)}/requests")).status_code == 200
    assert parse_qs(urlsplit(telemetry.heard[0].target).query).keys() == {"deployment_id"}


async def test_recent_calls_are_passed_on(account: Account, deployment: Json, telemetry: wire.Server):
    telemetry.body = msgspec.json.encode(RECENT)
    answer = await account.client.get(f"{monitoring(account, deployment)}/recent", params={"limit": 7})
    assert (answer.status_code, answer.json()) == (200, RECENT)
    assert parse_qs(urlsplit(telemetry.heard[0].target).query)["limit"] == ["7"]


@pytest.mark.parametrize("query", ["recent?limit=0", "recent?limit=501", "recent?limit=x", "requests?from=yesterday"])
async def test_an_unfit_query_does_not_reach_telemetry(account: Account, deployment: Json, telemetry: wire.Server, query: str):
    assert (await account.client.get(f"{monitoring(account, deployment)}/{query}")).status_code == 422
    assert telemetry.heard == []


async def test_what_telemetry_finds_wrong_with_a_range_is_the_callers_to_know(
    account: Account, deployment: Json, telemetry: wire.Server
):
    telemetry.status, telemetry.body = 422, msgspec.json.encode(PROBLEM)
    answer = await account.client.get(f"{monitoring(account, deployment)}/requests")
    assert (answer.status_code, answer.json()["detail"]) == (422, PROBLEM["detail"])


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (401, b"{}"), (200, b"not JSON"), (200, b"{}"), (422, b"oops")])
async def test_a_telemetry_that_gives_no_usable_answer_is_unavailable(
    account: Account, deployment: Json, telemetry: wire.Server, status: int, body: bytes
):
    telemetry.status, telemetry.body = status, body
    answer = await account.client.get(f"{monitoring(account, deployment)}/requests")
    assert answer.status_code == 503
    assert answer.json()["title"] == "Telemetry unavailable"
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_telemetry_that_is_not_there_is_unavailable(account: Account, deployment: Json):
    for name in ("requests", "recent"):
        answer = await account.client.get(f"{monitoring(account, deployment)}/{name}")
        assert answer.status_code == 503
        assert "inference goes on" in answer.json()["detail"]


async def test_a_strangers_deployment_is_not_asked_about(
    account: Account, stranger: Account, deployment: Json, telemetry: wire.Server
):
    path = f"{project(stranger)}/deployments/{deployment['id']}/monitoring"
    for name in ("requests", "recent"):
        assert (await stranger.client.get(f"{path}/{name}")).status_code == 404
    assert telemetry.heard == []


def traffic_of(account: Account, what: str) -> str:
    return f"/api/v1/organizations/{account.organization_id}/monitoring/{what}"


async def test_an_organizations_traffic_names_the_projects_that_the_caller_sees(account: Account, telemetry: wire.Server):
    day = {"day": "2026-11-22T00:00:00Z", "requests": 9, "errors": 1}
    seen = {"project_id": str(account.project_id), "requests": 5, "errors": 1}
    hidden = {"project_id": str(uuid4()), "requests": 4, "errors": 0}
    telemetry.body = msgspec.json.encode({"days": [day], "projects": [seen, hidden]})
    answer = await account.client.get(traffic_of(account, "requests"), params={"days": 7})
    assert answer.json() == {"days": [day], "projects": [{**seen, "name": "default", "slug": "default"}]}
    [heard] = telemetry.heard
    tenant = verify_tenant(heard.headers[TENANT_HEADER.lower()], SECRET, time.time())
    assert (tenant.organization_id, tenant.project_id) == (account.organization_id, None)
    assert heard.target == "/monitoring/organization?days=7"


async def test_a_page_of_projects_asks_telemetry_once_and_for_ones_own_alone(
    account: Account, stranger: Account, telemetry: wire.Server
):
    counted = {"items": [{"project_id": str(account.project_id), "requests": 5, "errors": 1}]}
    telemetry.body = msgspec.json.encode(counted)
    wanted = {"project_id": [str(account.project_id), str(stranger.project_id)]}
    assert (await account.client.get(traffic_of(account, "projects"), params=wanted)).json() == counted
    [heard] = telemetry.heard
    assert parse_qs(urlsplit(heard.target).query) == {"project_id": [str(account.project_id)]}
    nobodys = {"project_id": [str(stranger.project_id)]}
    assert (await account.client.get(traffic_of(account, "projects"), params=nobodys)).json() == {"items": []}
    assert len(telemetry.heard) == 1


async def test_without_telemetry_an_organizations_traffic_is_not_known(account: Account, telemetry: wire.Server):
    telemetry.status = 503
    assert (await account.client.get(traffic_of(account, "requests"))).status_code == 503


async def test_what_a_key_did_is_told_of_ones_own_keys(account: Account, stranger: Account, telemetry: wire.Server):
    made = await account.client.post(f"{project(account)}/keys", json={"name": "checkout", "scopes": ["infer"]})
    key = made.json()["key"]["id"]
    history = {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z", "step_s": 3600, "points": [], "use": None}
    telemetry.body = msgspec.json.encode(history)
    answer = await account.client.get(f"{project(account)}/keys/{key}/monitoring", params={"days": 1})
    assert (answer.status_code, answer.json()) == (200, history)
    assert telemetry.heard[0].target == f"/monitoring/keys/{key}?days=1"
    for caller, of in ((account, uuid4()), (stranger, key)):
        assert (await caller.client.get(f"{project(account)}/keys/{of}/monitoring")).status_code == 404
    assert len(telemetry.heard) == 1
