"""What a key is for, where it may be used, and its rotation."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from litestar import Litestar

from contracts.routes import Key as RoutedKey
from control.routing.queries import read_routes
from tests.control.conftest import Account
from tests.control.registry import create_version, deploy, model_file, project


async def create(account: Account, **changes: Any) -> dict[str, Any]:
    answer = await account.client.post(f"{project(account)}/keys", json={"name": "checkout", "scopes": ["infer"]} | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(account: Account, key: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = await account.client.patch(f"{project(account)}/keys/{key['id']}", json=changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def routed(app: Litestar, key: dict[str, Any]) -> RoutedKey:
    """The key as gateways are told."""
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        table = await read_routes(connection)
    [found] = [it for it in table.keys if it.key_id == key["key_id"]]
    return found


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.rpartition("_")[2].encode()).digest()


async def test_a_key_is_for_everything_from_everywhere_and_says_whose_it_is(app: Litestar, account: Account):
    key = (await create(account))["key"]
    told = await routed(app, key)
    assert (key["owner"], key["deployments"], key["networks"]) == ("Ada Lovelace", None, [])
    assert (told.deployments, told.networks, told.previous_sha256) == (None, (), None)


async def test_a_key_outlives_its_owner(account: Account, database: asyncpg.Connection):
    key = (await create(account))["key"]
    await database.execute("UPDATE api_keys SET created_by = NULL WHERE key_id = $1", key["key_id"])
    [listed] = (await account.client.get(f"{project(account)}/keys")).json()["items"]
    assert (listed["id"], listed["owner"]) == (key["id"], None)


async def test_a_key_can_be_for_some_deployments_and_stays_so_when_they_are_gone(app: Litestar, account: Account, tmp_path: Path):
    made = await deploy(account, await create_version(account, model_file(tmp_path)))
    key = (await create(account, deployments=[made["id"], made["id"]]))["key"]
    assert key["deployments"] == [made["id"]]
    assert [str(it) for it in (await routed(app, key)).deployments or ()] == [made["id"]]
    assert (await account.client.delete(f"{project(account)}/deployments/{made['id']}")).status_code == 204
    renamed = await change(account, key, name="till", deployments=[made["id"]])
    assert (renamed["name"], renamed["deployments"]) == ("till", [made["id"]])
    assert [str(it) for it in (await routed(app, key)).deployments or ()] == [made["id"]]
    freed = await change(account, key, deployments=None)
    assert (freed["deployments"], (await routed(app, key)).deployments) == (None, None)


async def test_networks_are_written_as_everybody_does_and_each_once(app: Litestar, account: Account):
    key = (await create(account, networks=["192.0.2.7", " 10.0.0.0/255.0.0.0", "2001:DB8::/32", "10.0.0.0/8"]))["key"]
    assert key["networks"] == ["192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32"]
    assert (await routed(app, key)).networks == ("192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32")
    assert (await change(account, key, name="till"))["networks"] == key["networks"]
    assert (await change(account, key, networks=["::1"]))["networks"] == ["::1/128"]
    assert (await change(account, key, networks=[]))["networks"] == []


@pytest.mark.parametrize(
    ("change", "title"),
    [
        ({"networks": ["10.0.0.1/8"]}, "Key networks unfit"),
        ({"networks": ["10.0.0.0/33"]}, "Key networks unfit"),
        ({"networks": ["office"]}, "Key networks unfit"),
        ({"networks": ["fe80::%eth0/10"]}, "Key networks unfit"),
        ({"networks": ["١٠.0.0.0/8"]}, "Key networks unfit"),
        ({"deployments": ["00000000-0000-0000-0000-000000000001"]}, "Key deployments unfit"),
        ({"networks": [""]}, None),
        ({"networks": ["10.0.0.0/8"] * 65}, None),
        ({"networks": None}, None),
        ({"deployments": []}, None),
        ({"deployments": ["sum"]}, None),
    ],
)
async def test_unfit_bounds_are_refused(account: Account, change: dict[str, Any], title: str | None):
    key = (await create(account))["key"]
    made = await account.client.post(f"{project(account)}/keys", json={"name": "b", "scopes": ["infer"]} | change)
    changed = await account.client.patch(f"{project(account)}/keys/{key['id']}", json=change)
    for answer in (made, changed):
        assert answer.status_code == 422, answer.text
        assert title in (None, answer.json()["title"])


async def test_a_key_is_not_for_another_projects_deployments(account: Account, stranger: Account, tmp_path: Path):
    foreign = await deploy(stranger, await create_version(stranger, model_file(tmp_path)))
    answer = await account.client.post(
        f"{project(account)}/keys", json={"name": "b", "scopes": ["infer"], "deployments": [foreign["id"]]}
    )
    assert (answer.status_code, answer.json()["title"]) == (422, "Key deployments unfit")


async def test_a_rotated_key_has_a_new_secret_at_once_and_its_old_one_for_the_overlap(app: Litestar, account: Account):
    made = await create(account, networks=["::1"], limits={"max_concurrency": 3})
    path = f"{project(account)}/keys/{made['key']['id']}/rotate"
    answer = await account.client.post(path, json={"overlap_s": 3600})
    rotated, told = answer.json(), await routed(app, made["key"])
    until = datetime.fromisoformat(rotated["key"].pop("previous_expires_at"))
    assert (answer.status_code, rotated["key"]) == (200, {k: v for k, v in made["key"].items() if k != "previous_expires_at"})
    assert rotated["secret"].startswith(f"hr_{made['key']['key_id']}_")
    assert (told.secret_sha256, told.previous_sha256) == (digest(rotated["secret"]), digest(made["secret"]))
    assert told.previous_expires_at == pytest.approx(until.timestamp(), abs=1e-3)
    assert abs(until - datetime.now(UTC) - timedelta(hours=1)) < timedelta(minutes=1)

    again = (await account.client.post(path, json={"overlap_s": 0})).json()
    told = await routed(app, made["key"])
    assert again["key"]["previous_expires_at"] is None
    assert (told.secret_sha256, told.previous_sha256) == (digest(again["secret"]), digest(rotated["secret"]))
    assert told.previous_expires_at is not None
    assert told.previous_expires_at <= datetime.now(UTC).timestamp()


async def test_a_rotation_is_recorded_without_secrets(account: Account):
    made = await create(account)
    rotated = (await account.client.post(f"{project(account)}/keys/{made['key']['id']}/rotate", json={})).json()
    log = await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit")
    assert "key.rotate" in log.text
    for secret in (made["secret"], rotated["secret"]):
        assert secret.rpartition("_")[2] not in log.text
        assert digest(secret).hex() not in log.text


@pytest.mark.parametrize("body", [{"overlap_s": -1}, {"overlap_s": 2_592_001}, {"overlap_s": "1 h"}, {"secret": "mine"}])
async def test_an_unfit_rotation_is_refused(account: Account, body: dict[str, Any]):
    key = (await create(account))["key"]
    assert (await account.client.post(f"{project(account)}/keys/{key['id']}/rotate", json=body)).status_code == 422


async def test_a_key_that_works_no_more_is_neither_rotated_nor_changed(account: Account, database: asyncpg.Connection):
    revoked, expired = (await create(account))["key"], (await create(account))["key"]
    await account.client.delete(f"{project(account)}/keys/{revoked['id']}")
    await database.execute("UPDATE api_keys SET expires_at = now() WHERE key_id = $1", expired["key_id"])
    for key, word in ((revoked, "revoked"), (expired, "expired")):
        path = f"{project(account)}/keys/{key['id']}"
        for answer in (
            await account.client.post(f"{path}/rotate", json={}),
            await account.client.patch(path, json={"name": "another"}),
        ):
            assert (answer.status_code, answer.json()["title"]) == (409, "Key not working")
            assert word in answer.json()["detail"]


async def test_a_strangers_key_and_the_consoles_are_not_rotated(
    account: Account, stranger: Account, database: asyncpg.Connection
):
    key = (await create(account))["key"]
    console = await database.fetchval("SELECT id FROM api_keys WHERE project_id = $1 AND kind = 'console'", account.project_id)
    answers = [
        await stranger.client.post(f"{project(account)}/keys/{key['id']}/rotate", json={}),
        await stranger.client.post(f"{project(stranger)}/keys/{key['id']}/rotate", json={}),
        await account.client.post(f"{project(account)}/keys/{uuid4()}/rotate", json={}),
        await account.client.post(f"{project(account)}/keys/{console}/rotate", json={}),
    ]
    assert [it.status_code for it in answers] == [404] * 4


async def test_administrators_see_the_keys_of_all_projects_in_pages(account: Account, stranger: Account):
    organization = f"/api/v1/organizations/{account.organization_id}"
    other = (await account.client.post(f"{organization}/projects", json={"name": "Fraud"})).json()
    first = (await create(account, limits={"requests_per_day": 5}))["key"]
    second = (await account.client.post(f"/api/v1/projects/{other['id']}/keys", json={"name": "b", "scopes": ["infer"]})).json()
    await create(stranger)
    pages = [(await account.client.get(f"{organization}/keys", params={"limit": 1})).json()]
    pages.append(
        (await account.client.get(f"{organization}/keys", params={"limit": 1, "cursor": pages[0]["next_cursor"]})).json()
    )
    items = [it for page in pages for it in page["items"]]
    assert [it["key"] for it in items] == [second["key"], first | {"requests_today": 0}]
    assert [it["project_id"] for it in items] == [other["id"], str(account.project_id)]
    assert (items[0]["project_name"], items[0]["project_slug"]) == ("Fraud", other["slug"])
    assert pages[1]["next_cursor"] is None
    assert (await stranger.client.get(f"{organization}/keys")).status_code == 404
