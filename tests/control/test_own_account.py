"""What people do about their own account: sessions, password, deletion."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from litestar import Litestar

from control.identity.throttle import FREE_FAILURES
from tests.control.conftest import PASSWORD, Account
from tests.control.registry import create_version, deploy, model_file

SESSIONS = "/api/v1/me/sessions"
NEW_PASSWORD = "four unrelated words"


async def log_in(client: AsyncClient, account: Account, password: str = PASSWORD, agent: str = "") -> dict[str, Any]:
    answer = await client.post(
        "/api/v1/auth/login", json={"email": account.email, "password": password}, headers={"User-Agent": agent}
    )
    return answer.json() | {"status": answer.status_code}


def bearer(session: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def test_sessions_say_where_they_are_used(client: AsyncClient, account: Account):
    await log_in(client, account, agent="Fire\x7ffox " + "x" * 500)
    other, own = (await account.client.get(SESSIONS)).json()["items"]
    assert (own["is_current"], own["kind"], own["address"]) == (True, "token", "127.0.0.1")
    assert own["agent"].startswith("python-httpx/")
    assert (other["is_current"], other["agent"][:9], len(other["agent"])) == (False, "Firefox x", 255)
    assert own["created_at"] <= own["last_used_at"] < own["expires_at"]


async def test_renewing_a_session_is_using_it(client: AsyncClient, account: Account):
    before = (await account.client.get(SESSIONS)).json()["items"][0]
    given = {"refresh_token": account.refresh_token}
    await client.post("/api/v1/auth/refresh", json=given, headers={"User-Agent": "newer"})
    after = (await account.client.get(SESSIONS)).json()["items"][0]
    assert (after["id"], after["agent"]) == (before["id"], "newer")
    assert after["last_used_at"] > before["last_used_at"]


async def test_a_session_is_ended_from_another_at_once(client: AsyncClient, account: Account):
    other = await log_in(client, account)
    (listed,) = [it for it in (await account.client.get(SESSIONS)).json()["items"] if not it["is_current"]]
    assert (await account.client.delete(f"{SESSIONS}/{listed['id']}")).status_code == 204
    assert (await client.get("/api/v1/me", headers=bearer(other))).status_code == 401
    assert (await client.post("/api/v1/auth/refresh", json={"refresh_token": other["refresh_token"]})).status_code == 401
    assert len((await account.client.get(SESSIONS)).json()["items"]) == 1
    assert (await account.client.delete(f"{SESSIONS}/{listed['id']}")).status_code == 404


async def test_nobody_ends_or_sees_sessions_of_others(account: Account, stranger: Account):
    (own,) = (await account.client.get(SESSIONS)).json()["items"]
    refused = await stranger.client.delete(f"{SESSIONS}/{own['id']}")
    assert (refused.status_code, refused.json()["type"]) == (404, "urn:headrace:problem:SessionNotFound")
    assert (await stranger.client.delete(f"{SESSIONS}/{uuid4()}")).status_code == 404
    assert own["id"] not in (await stranger.client.get(SESSIONS)).text
    assert (await account.client.get(SESSIONS)).status_code == 200


async def test_a_new_password_ends_all_other_sessions(client: AsyncClient, account: Account):
    other = await log_in(client, account)
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await account.client.post("/api/v1/me/password", json=change)).status_code == 204
    assert (await account.client.get("/api/v1/me")).status_code == 200
    assert (await client.get("/api/v1/me", headers=bearer(other))).status_code == 401
    assert (await log_in(client, account))["status"] == 401
    assert (await log_in(client, account, NEW_PASSWORD))["status"] == 200


async def test_a_new_password_must_be_fit(account: Account):
    change = {"current_password": PASSWORD, "new_password": "Password123!"}
    refused = await account.client.post("/api/v1/me/password", json=change)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:headrace:problem:PasswordUnfit")


@pytest.mark.parametrize(
    ("path", "body"),
    [("password", {"current_password": "a guess", "new_password": NEW_PASSWORD}), ("deletion", {"password": "a guess"})],
)
async def test_a_screen_left_open_is_not_enough(account: Account, path: str, body: dict[str, str]):
    answers = [await account.client.post(f"/api/v1/me/{path}", json=body) for _ in range(FREE_FAILURES + 1)]
    assert [it.status_code for it in answers] == [403] * FREE_FAILURES + [429]
    assert answers[0].json()["type"] == "urn:headrace:problem:PasswordWrong"
    assert (await account.client.get("/api/v1/me")).status_code == 200


async def test_an_account_is_deleted_with_what_is_its_own(app: Litestar, client: AsyncClient, account: Account, tmp_path: Path):
    await deploy(account, await create_version(account, model_file(tmp_path)))
    assert (await account.client.post("/api/v1/me/deletion", json={"password": PASSWORD})).status_code == 204
    assert (await account.client.get("/api/v1/me")).status_code == 401
    assert (await log_in(client, account))["status"] == 401
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        assert await connection.fetchval("SELECT count(*) FROM projects WHERE id = $1", account.project_id) == 0
        assert await connection.fetchval("SELECT count(*) FROM sessions WHERE user_id = $1", account.user_id) == 0
    again = {"email": account.email, "password": PASSWORD, "name": "Ada again"}
    assert (await client.post("/api/v1/auth/register", json=again)).status_code == 201


@pytest.mark.parametrize(("role", "status"), [("viewer", 409), ("owner", 204)])
async def test_an_organization_of_several_keeps_an_owner(
    app: Litestar, account: Account, stranger: Account, role: str, status: int
):
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        await connection.execute(
            "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, $3)",
            account.organization_id,
            stranger.user_id,
            role,
        )
    answer = await account.client.post("/api/v1/me/deletion", json={"password": PASSWORD})
    assert answer.status_code == status
    organizations = (await stranger.client.get("/api/v1/me")).json()["organizations"]
    assert str(account.organization_id) in [it["id"] for it in organizations]
