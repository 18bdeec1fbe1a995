"""API keys as callers of the control API: which are good, from where, in whose stead, and what the audit log says of them."""

from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from control.identity.permissions import SCOPES
from tests.control.conftest import Account, NewAccount
from tests.control.registry import project

FORBIDDEN = "urn:headrace:problem:Forbidden"


@pytest.fixture
async def machine(account: Account, client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with an API key of `account`'s project that may do everything there."""
    await present(client, await create(account))
    return client


async def create(account: Account, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await account.client.post(f"{project(account)}/keys", json={"name": "CI", "scopes": scopes or ["admin"]} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def present(client: httpx.AsyncClient, created: dict[str, Any]) -> None:
    client.headers["Authorization"] = f"Bearer {created['secret']}"


async def test_a_key_changes_things_and_the_audit_log_names_it(account: Account, machine: httpx.AsyncClient):
    made = await machine.post(f"{project(account)}/models", json={"name": "churn"})
    assert made.status_code == 201
    log = (await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit")).json()["items"]
    [entry] = [it for it in log if it["action"] == "model.create"]
    assert (entry["actor"], entry["actor_id"]) == (f"key CI of {account.email}", str(account.user_id))


async def test_a_key_makes_keys_only_if_it_may(account: Account, machine: httpx.AsyncClient):
    new = {"name": "other", "scopes": ["infer"]}
    assert (await machine.post(f"{project(account)}/keys", json=new)).status_code == 201
    await present(machine, await create(account, "models:write", "deployments:write", "infer"))
    refused = await machine.post(f"{project(account)}/keys", json=new)
    assert (refused.status_code, refused.json()["detail"]) == (403, "this needs a key with the scope admin")


async def test_both_secrets_of_a_rotation_are_good_until_the_overlap_is_over(account: Account, client: httpx.AsyncClient):
    old = await create(account)
    path = f"{project(account)}/keys/{old['key']['id']}"
    new = (await account.client.post(f"{path}/rotate", json={"overlap_s": 3600})).json()
    for it in (old, new):
        await present(client, it)
        assert (await client.get(project(account))).status_code == 200
    newest = (await account.client.post(f"{path}/rotate", json={"overlap_s": 0})).json()
    answers: list[int] = []
    for it in (old, new, newest):
        await present(client, it)
        answers.append((await client.get(project(account))).status_code)
    assert answers == [401, 401, 200]


async def test_a_revoked_key_is_refused_at_once(account: Account, client: httpx.AsyncClient):
    created = await create(account)
    await present(client, created)
    assert (await client.get(project(account))).status_code == 200
    await account.client.delete(f"{project(account)}/keys/{created['key']['id']}")
    assert (await client.get(project(account))).status_code == 401


async def test_an_expired_key_is_refused(account: Account, machine: httpx.AsyncClient, database: asyncpg.Connection):
    await database.execute("UPDATE api_keys SET expires_at = now() WHERE kind = 'api' AND project_id = $1", account.project_id)
    assert (await machine.get(project(account))).status_code == 401


@pytest.mark.parametrize("end", ["", "_", "0", "x"])
async def test_an_altered_key_is_refused(account: Account, machine: httpx.AsyncClient, end: str):
    secret = machine.headers["Authorization"]
    machine.headers["Authorization"] = secret[:-1] + end if end != secret[-1] else secret[:-1] + "1"
    assert (await machine.get(project(account))).status_code == 401


@pytest.mark.parametrize("token", ["hr_", "hr__", "hr_" + "a" * 5000, "hr_a_b_c", "hr_%00_x", "hr_é_é"])
async def test_what_only_looks_like_a_key_is_refused(account: Account, client: httpx.AsyncClient, token: str):
    answer = await client.get(project(account), headers={b"Authorization": f"Bearer {token}".encode()})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


async def test_the_consoles_own_key_is_none_for_this_api(account: Account, client: httpx.AsyncClient, app: Litestar):
    from control.keys.secrets import console_key

    client.headers["Authorization"] = f"Bearer {console_key(app.state.resources.settings.secret, account.project_id).text}"
    assert (await client.get(project(account))).status_code == 401


@pytest.mark.parametrize(("networks", "status"), [(["127.0.0.0/8", "::1"], 200), (["10.0.0.0/8"], 403)])
async def test_a_key_is_used_from_its_networks_alone(
    account: Account, client: httpx.AsyncClient, networks: list[str], status: int
):
    await present(client, await create(account, networks=networks))
    assert (await client.get(project(account))).status_code == status


async def test_a_key_whose_owner_has_left_does_nothing_here(
    account: Account, machine: httpx.AsyncClient, new_account: NewAccount, database: asyncpg.Connection
):
    other = await new_account()
    for owner in (other.user_id, None):
        await database.execute("UPDATE api_keys SET created_by = $1 WHERE project_id = $2", owner, account.project_id)
        answer = await machine.get(project(account))
        assert (answer.status_code, answer.json()["type"]) == (403, FORBIDDEN)


async def test_an_archived_project_is_only_read(account: Account, machine: httpx.AsyncClient):
    assert (await machine.post(f"{project(account)}/archive")).status_code == 200
    assert (await machine.post(f"{project(account)}/models", json={"name": "churn"})).status_code == 409
    assert (await machine.get(f"{project(account)}/models")).status_code == 200
    assert (await machine.post(f"{project(account)}/unarchive")).status_code == 200


async def test_a_deleted_projects_keys_are_refused(account: Account, machine: httpx.AsyncClient):
    assert (await machine.delete(project(account))).status_code == 204
    assert (await machine.get(project(account))).status_code == 401
    assert (await account.client.post(f"{project(account)}/restore")).status_code == 200
    assert (await machine.get(project(account))).status_code == 200


async def test_every_scope_is_explained(account: Account):
    items = (await account.client.get("/api/v1/scopes")).json()["items"]
    assert [it["name"] for it in items] == list(SCOPES)
    assert all(it["sentence"].endswith(".") for it in items)
