"""Refresh tokens: each is good once, and a second use ends the family."""

import asyncio

from httpx import AsyncClient
from litestar import Litestar

from tests.control.conftest import Account

REFRESH = "/api/v1/auth/refresh"


async def test_a_refresh_gives_a_new_pair_that_works(client: AsyncClient, account: Account):
    session = (await client.post(REFRESH, json={"refresh_token": account.refresh_token})).json()
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert session["refresh_token"] != account.refresh_token
    assert me.status_code == 200


async def test_a_token_used_twice_ends_the_whole_family(client: AsyncClient, account: Account):
    second = (await client.post(REFRESH, json={"refresh_token": account.refresh_token})).json()
    reused = await client.post(REFRESH, json={"refresh_token": account.refresh_token})
    newest = await client.post(REFRESH, json={"refresh_token": second["refresh_token"]})
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {second['access_token']}"})
    assert [reused.status_code, newest.status_code, me.status_code] == [401, 401, 401]


async def test_of_two_who_use_a_token_at_once_only_one_succeeds(client: AsyncClient, account: Account):
    answers = await asyncio.gather(*(client.post(REFRESH, json={"refresh_token": account.refresh_token}) for _ in range(4)))
    assert sorted(it.status_code for it in answers) == [200, 401, 401, 401]


async def test_other_sessions_of_the_person_outlive_a_theft(client: AsyncClient, account: Account):
    login = {"email": account.email, "password": "a good enough password"}
    other = (await client.post("/api/v1/auth/login", json=login)).json()
    for _ in range(2):
        await client.post(REFRESH, json={"refresh_token": account.refresh_token})
    assert (await client.post(REFRESH, json={"refresh_token": other["refresh_token"]})).status_code == 200


async def test_a_theft_stands_in_the_audit_log_once(client: AsyncClient, account: Account):
    for _ in range(3):
        await client.post(REFRESH, json={"refresh_token": account.refresh_token})
    login = {"email": account.email, "password": "a good enough password"}
    session = (await client.post("/api/v1/auth/login", json=login)).json()
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    log = f"/api/v1/organizations/{account.organization_id}/audit"
    (told,) = (await client.get(log, params={"action": "account.end_copied_session"})).json()["items"]
    assert (told["actor_id"], told["target_name"]) == (None, account.email)


async def test_an_expired_session_cannot_be_refreshed(app: Litestar, client: AsyncClient, account: Account):
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        await connection.execute("UPDATE sessions SET expires_at = now() WHERE user_id = $1", account.user_id)
    assert (await client.post(REFRESH, json={"refresh_token": account.refresh_token})).status_code == 401


async def test_an_access_token_ends_with_its_session(app: Litestar, account: Account):
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        await connection.execute("UPDATE sessions SET expires_at = now() WHERE user_id = $1", account.user_id)
    assert (await account.client.get("/api/v1/me")).status_code == 401


async def test_an_unknown_or_absent_token_is_refused(client: AsyncClient):
    assert (await client.post(REFRESH, json={"refresh_token": "made up"})).status_code == 401
    assert (await client.post(REFRESH, json={})).status_code == 401
    assert (await client.post(REFRESH, json={"refresh_token": "x" * 1000})).status_code == 422


async def test_tokens_are_stored_as_digests_only(app: Litestar, account: Account):
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        stored = await connection.fetch("SELECT sha256 FROM refresh_tokens")
    assert all(len(row["sha256"]) == 32 and account.refresh_token.encode() not in row["sha256"] for row in stored)
