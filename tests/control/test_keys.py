"""API keys: the secret is shown once, gateways learn of changes, and strangers find nothing."""

import hashlib
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from contracts.key_uses import addresses_key, old_secrets_key, secret_field
from contracts.limits import utc_day
from contracts.routes import KeyLimits
from contracts.settings import ControlSettings
from control.app import create_app
from control.keys.secrets import console_key, new_key
from control.routing.queries import read_routes
from tests.control.conftest import SECRET, Account, open_client, started


async def create(account: Account, **changes: Any) -> dict[str, Any]:
    answer = await account.client.post(
        f"/api/v1/projects/{account.project_id}/keys", json={"name": "checkout", "scopes": ["infer"]} | changes
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def routes_version(app: Litestar) -> int:
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        return await connection.fetchval("SELECT version FROM route_version")


async def test_a_keys_secret_is_shown_once_and_stored_as_a_digest(app: Litestar, account: Account):
    created = await create(account)
    shown = re.fullmatch(r"hr_([a-z2-7]{12})_([A-Za-z0-9-]{32,})", created["secret"])
    assert shown is not None
    listed = await account.client.get(f"/api/v1/projects/{account.project_id}/keys")
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        stored = await connection.fetchval("SELECT secret_sha256 FROM api_keys WHERE key_id = $1", shown[1])
    assert listed.json()["items"] == [created["key"]]
    assert shown[2] not in listed.text
    assert stored == hashlib.sha256(shown[2].encode()).digest()


async def test_a_key_can_load_and_unload(account: Account):
    created = await create(account, scopes=["repository", "infer", "repository"])
    assert created["key"]["scopes"] == ["infer", "repository"]


async def test_a_key_can_expire(account: Account):
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    created = await create(account, expires_at=expires_at.isoformat())
    assert datetime.fromisoformat(created["key"]["expires_at"]) == expires_at


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2099-01-01T00:00:00"},
        {"expires_at": "9999-12-31T23:59:59-23:59"},
        {"expires_at": "soon"},
        {"scopes": []},
        {"scopes": ["root"]},
        {"name": ""},
        {"secret": "mine"},
        {"limits": {"requests_per_s": 0}},
        {"limits": {"requests_per_s": -1}},
        {"limits": {"requests_per_s": 1e-300}},
        {"limits": {"requests_per_s": 1e300}},
        {"limits": {"rows_per_s": "many"}},
        {"limits": {"burst": 10}},
        {"limits": {"requests_per_day": 1.5}},
        {"limits": {"max_concurrency": 0}},
        {"limits": {"per_month": 5}},
        {"limits": None},
    ],
)
async def test_an_unfit_key_is_refused(account: Account, change: dict[str, Any]):
    body = {"name": "checkout", "scopes": ["infer"]} | change
    answer = await account.client.post(f"/api/v1/projects/{account.project_id}/keys", json=body)
    assert answer.status_code == 422


async def test_a_revoked_key_stays_listed_as_revoked(account: Account):
    key = (await create(account))["key"]
    path = f"/api/v1/projects/{account.project_id}/keys"
    first = await account.client.delete(f"{path}/{key['id']}")
    revoked_at = (await account.client.get(path)).json()["items"][0]["revoked_at"]
    second = await account.client.delete(f"{path}/{key['id']}")
    assert (first.status_code, second.status_code) == (204, 204)
    assert revoked_at is not None
    assert (await account.client.get(path)).json()["items"][0]["revoked_at"] == revoked_at


async def test_a_keys_limits_are_kept_and_reach_the_gateways(app: Litestar, account: Account):
    limits = {"requests_per_s": 2.5, "burst": 10, "rows_per_s": 100, "requests_per_day": 1000, "max_concurrency": 4}
    key = (await create(account, limits=limits))["key"]
    listed = await account.client.get(f"/api/v1/projects/{account.project_id}/keys")
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        table = await read_routes(connection)
    [routed] = [it.limits for it in table.keys if it.key_id == key["key_id"]]
    assert key["limits"] == limits
    assert listed.json()["items"][0]["limits"] == limits
    assert routed == KeyLimits(2.5, 10, 100, 1000, 4)


async def test_a_key_has_no_limits_unless_it_is_given_some(account: Account):
    key = (await create(account))["key"]
    assert (set(key["limits"].values()), key["requests_today"]) == ({None}, None)


async def test_a_keys_name_and_limits_can_be_changed_each_alone(app: Litestar, account: Account):
    key = (await create(account, limits={"requests_per_s": 5}))["key"]
    path = f"/api/v1/projects/{account.project_id}/keys/{key['id']}"
    before = await routes_version(app)
    renamed = (await account.client.patch(path, json={"name": "till"})).json()
    limited = (await account.client.patch(path, json={"limits": {"max_concurrency": 3}})).json()
    freed = (await account.client.patch(path, json={"limits": {}})).json()
    assert (renamed["name"], renamed["limits"]["requests_per_s"]) == ("till", 5)
    assert (limited["name"], limited["limits"]["requests_per_s"], limited["limits"]["max_concurrency"]) == ("till", None, 3)
    assert set(freed["limits"].values()) == {None}
    assert await routes_version(app) > before


@pytest.mark.parametrize("change", [{"limits": {"burst": 1}}, {"limits": {"rows_per_s": 0}}, {"name": ""}, {"scopes": []}])
async def test_an_unfit_change_is_refused(account: Account, change: dict[str, Any]):
    key = (await create(account))["key"]
    answer = await account.client.patch(f"/api/v1/projects/{account.project_id}/keys/{key['id']}", json=change)
    assert answer.status_code == 422


async def test_what_a_key_used_of_its_quota_today_is_shown(app: Litestar, account: Account):
    key = (await create(account, limits={"requests_per_day": 10}))["key"]
    unlimited = (await create(account))["key"]
    path = f"/api/v1/projects/{account.project_id}/keys"
    unused = (await account.client.get(path)).json()["items"]
    redis: Redis = app.state.resources.redis
    for day, used in ((utc_day(time.time()) - 1, 9), (utc_day(time.time()), 7)):
        await redis.execute_command("HSET", f"headrace:limit:{key['id']}:day:{day}", "used", f"{used:.6f}")
    shown = {it["id"]: it["requests_today"] for it in (await account.client.get(path)).json()["items"]}
    assert {it["id"]: it["requests_today"] for it in unused} == {key["id"]: 0, unlimited["id"]: None}
    assert shown == {key["id"]: 7, unlimited["id"]: None}
    assert (await account.client.patch(f"{path}/{key['id']}", json={})).json()["requests_today"] == 7


async def test_when_an_old_secret_was_used_last_is_shown_while_it_is_good(app: Litestar, account: Account):
    redis: Any = app.state.resources.redis
    made = await create(account)
    id, path = made["key"]["id"], f"/api/v1/projects/{account.project_id}/keys"
    replaced = hashlib.sha256(made["secret"].split("_", 2)[2].encode()).digest()
    await redis.hset(old_secrets_key(UUID(id)), secret_field(replaced), 1_800_000_000)

    async def shown() -> list[str | None]:
        return [it["old_secret_used_at"] for it in (await account.client.get(path)).json()["items"]]

    assert await shown() == [None]
    await account.client.post(f"{path}/{id}/rotate", json={})
    assert await shown() == ["2027-01-15T08:00:00Z"]
    await account.client.post(f"{path}/{id}/rotate", json={})
    assert await shown() == [None]


async def test_from_where_a_key_was_used_is_shown(app: Litestar, account: Account, stranger: Account):
    redis: Any = app.state.resources.redis
    id = (await create(account))["key"]["id"]
    path = f"/api/v1/projects/{account.project_id}/keys/{id}/addresses"
    assert (await account.client.get(path)).json() == {"items": []}
    await redis.zadd(addresses_key(UUID(id)), {"198.51.100.7": 1_800_000_000, "2001:db8::1": 1_800_000_060})
    found = (await account.client.get(path)).json()["items"]
    assert found == [
        {"address": "2001:db8::1", "last_used_at": "2027-01-15T08:01:00Z"},
        {"address": "198.51.100.7", "last_used_at": "2027-01-15T08:00:00Z"},
    ]
    assert (await stranger.client.get(path)).status_code == 404


async def test_without_redis_keys_are_listed_without_their_use(settings: ControlSettings, account: Account):
    await create(account, limits={"requests_per_day": 10})
    app = create_app(msgspec.structs.replace(settings, redis_url="unix:///nowhere.sock"))
    async with started(app), open_client(app, account.headers) as client:
        answer = await client.get(f"/api/v1/projects/{account.project_id}/keys")
    assert answer.status_code == 200
    assert answer.json()["items"][0]["requests_today"] is None


async def test_gateways_learn_of_every_change_of_keys(app: Litestar, account: Account):
    versions = [await routes_version(app)]
    key = (await create(account))["key"]
    versions.append(await routes_version(app))
    await account.client.delete(f"/api/v1/projects/{account.project_id}/keys/{key['id']}")
    versions.append(await routes_version(app))
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    await account.client.post(path, json={"name": "fraud"})
    versions.append(await routes_version(app))
    assert versions == sorted(set(versions))


async def test_keys_are_listed_newest_first_in_pages(account: Account):
    for name in ("one", "two", "three"):
        await create(account, name=name)
    path = f"/api/v1/projects/{account.project_id}/keys"
    first = (await account.client.get(path, params={"limit": 2})).json()
    second = (await account.client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [it["name"] for it in first["items"] + second["items"]] == ["three", "two", "one"]


async def test_another_tenants_keys_do_not_exist(account: Account, stranger: Account):
    key = (await create(account))["key"]
    path = f"/api/v1/projects/{account.project_id}/keys"
    own_path = f"/api/v1/projects/{stranger.project_id}/keys"
    answers = [
        await stranger.client.get(path),
        await stranger.client.post(path, json={"name": "mine", "scopes": ["infer"]}),
        await stranger.client.patch(f"{path}/{key['id']}", json={"name": "mine"}),
        await stranger.client.patch(f"{own_path}/{key['id']}", json={"limits": {}}),
        await stranger.client.delete(f"{path}/{key['id']}"),
        await stranger.client.delete(f"{own_path}/{key['id']}"),
    ]
    assert [it.status_code for it in answers] == [404] * 6
    assert (await account.client.get(path)).json()["items"][0]["revoked_at"] is None


async def test_a_project_has_one_hidden_console_key(app: Litestar, account: Account):
    key = console_key(SECRET, account.project_id)
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        stored = await connection.fetch(
            "SELECT id, key_id, secret_sha256 FROM api_keys WHERE project_id = $1 AND kind = 'console'", account.project_id
        )
    hidden = await account.client.delete(f"/api/v1/projects/{account.project_id}/keys/{stored[0]['id']}")
    assert [(row["key_id"], row["secret_sha256"]) for row in stored] == [(key.key_id, key.sha256)]
    assert (await account.client.get(f"/api/v1/projects/{account.project_id}/keys")).json()["items"] == []
    assert hidden.status_code == 404


def test_console_keys_differ_by_project_and_instance():
    project = uuid4()
    keys = [console_key(SECRET, project), console_key(SECRET, uuid4()), console_key("another secret", project)]
    assert console_key(SECRET, project) == keys[0]
    assert len({it.text for it in keys}) == len({it.key_id for it in keys}) == 3


def test_new_keys_differ():
    assert len({new_key().text for _ in range(100)}) == 100
