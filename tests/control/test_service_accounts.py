"""Service accounts: machines of an organization, which act through keys of their own and enter in no other way."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from litestar import Litestar

from control.database import Pool
from control.routing.queries import read_routes
from tests.control.conftest import PASSWORD, Account, NewAccount, open_client
from tests.control.test_members import admin, join, members_of

__all__ = ["admin"]


def machines_of(account: Account) -> str:
    return f"/api/v1/organizations/{account.organization_id}/service-accounts"


def keys_of(account: Account) -> str:
    return f"/api/v1/projects/{account.project_id}/keys"


async def make(by: Account, name: str = "deployer", role: str = "developer") -> dict[str, Any]:
    answer = await by.client.post(machines_of(by), json={"name": name, "role": role})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(by: Account, machine: dict[str, Any], **fields: object) -> httpx.Response:
    return await by.client.patch(f"{machines_of(by)}/{machine['id']}", json=fields)


async def make_key(by: Account, of: Account, owner: dict[str, Any], *scopes: str) -> httpx.Response:
    return await by.client.post(keys_of(of), json={"name": "machine", "scopes": scopes, "owner_id": owner["id"]})


async def create_model_by(app: Litestar, key: httpx.Response, of: Account) -> httpx.Response:
    async with open_client(app, {"Authorization": f"Bearer {key.json()['secret']}"}) as client:
        return await client.post(f"/api/v1/projects/{of.project_id}/models", json={"name": uuid4().hex})


async def routed_keys(app: Litestar) -> set[UUID]:
    """Ids of the keys that gateways take."""
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        return {it.key_uuid for it in (await read_routes(connection)).keys}


async def test_a_service_account_is_made_listed_changed_and_deleted(account: Account):
    machine = await make(account)
    assert (machine["name"], machine["role"], machine["keys"], machine["disabled_at"]) == ("deployer", "developer", 0, None)
    changed = (await change(account, machine, name="trainer", role="viewer")).json()
    assert (changed["name"], changed["role"]) == ("trainer", "viewer")
    assert (await account.client.get(machines_of(account))).json()["items"] == [changed]
    assert (await account.client.delete(f"{machines_of(account)}/{machine['id']}")).status_code == 204
    assert (await account.client.get(machines_of(account))).json()["items"] == []
    assert (await change(account, machine, name="again")).status_code == 404


async def test_service_accounts_are_listed_in_pages(account: Account):
    made = [(await make(account, name))["id"] for name in ("a", "b", "c")]
    first = (await account.client.get(machines_of(account), params={"limit": 2})).json()
    second = (await account.client.get(machines_of(account), params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [it["id"] for it in first["items"] + second["items"]] == made
    assert second["next_cursor"] is None


async def test_machines_are_counted_apart_from_people(account: Account):
    await make(account)
    usage = (await account.client.get(f"/api/v1/organizations/{account.organization_id}/usage")).json()
    people = (await account.client.get(members_of(account))).json()["items"]
    assert (usage["members"], usage["service_accounts"], len(people)) == (1, 1, 1)


async def test_its_key_acts_in_its_stead_and_within_its_role(account: Account, app: Litestar):
    machine = await make(account)
    key = await make_key(account, account, machine, "models:write")
    assert (key.status_code, key.json()["key"]["owner"]) == (201, "deployer")
    assert (await create_model_by(app, key, account)).status_code == 201
    assert (await change(account, machine, role="viewer")).json()["keys"] == 1
    assert (await create_model_by(app, key, account)).status_code == 403
    entries = (await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit")).json()["items"]
    assert "key machine of deployer" in [it["actor"] for it in entries]


async def test_a_role_in_a_project_holds_for_machines_too(account: Account, app: Litestar):
    machine = await make(account, role="viewer")
    path = f"/api/v1/projects/{account.project_id}/members/{machine['id']}"
    assert (await account.client.put(path, json={"role": "developer"})).status_code == 200
    key = await make_key(account, account, machine, "models:write")
    assert (await create_model_by(app, key, account)).status_code == 201
    (listed,) = (await account.client.get(machines_of(account))).json()["items"]
    assert listed["project_roles"] == 1


async def test_while_it_is_disabled_its_keys_are_refused_everywhere(account: Account, app: Litestar):
    machine = await make(account)
    key = await make_key(account, account, machine, "models:write", "infer")
    key_id = UUID(key.json()["key"]["id"])
    assert (await change(account, machine, is_disabled=True)).json()["disabled_at"] is not None
    assert (await create_model_by(app, key, account)).status_code == 401
    assert key_id not in await routed_keys(app)
    assert (await change(account, machine, is_disabled=False)).json()["disabled_at"] is None
    assert (await create_model_by(app, key, account)).status_code == 201
    assert key_id in await routed_keys(app)


async def test_when_it_is_deleted_its_keys_are_revoked(account: Account, app: Litestar):
    machine = await make(account)
    key = await make_key(account, account, machine, "models:write", "infer")
    await account.client.delete(f"{machines_of(account)}/{machine['id']}")
    assert (await create_model_by(app, key, account)).status_code == 401
    assert UUID(key.json()["key"]["id"]) not in await routed_keys(app)
    (listed,) = (await account.client.get(keys_of(account))).json()["items"]
    assert (listed["owner"], listed["revoked_at"] is None) == (None, False)


async def test_it_stays_when_its_maker_leaves(account: Account, admin: Account, app: Litestar, database: asyncpg.Connection):
    made = await admin.client.post(machines_of(account), json={"name": "deployer", "role": "developer"})
    key = await make_key(account, account, made.json(), "models:write")
    assert (await admin.client.delete(f"/api/v1/me/organizations/{account.organization_id}")).status_code == 204
    await database.execute("DELETE FROM users WHERE id = $1", admin.user_id)
    assert (await create_model_by(app, key, account)).status_code == 201


async def test_it_is_no_member_to_be_made_an_owner(account: Account):
    machine = await make(account, role="admin")
    path = f"{members_of(account)}/{machine['id']}"
    assert (await account.client.patch(path, json={"role": "owner"})).status_code == 404
    assert (await account.client.delete(path)).status_code == 404
    assert (await change(account, machine, role="owner")).status_code in (400, 422)


async def test_an_organization_of_one_person_and_machines_goes_with_the_person(account: Account, database: asyncpg.Connection):
    machine = await make(account, role="admin")
    assert (await account.client.post("/api/v1/me/deletion", json={"password": PASSWORD})).status_code == 204
    left = await database.fetchval("SELECT count(*) FROM users WHERE id = $1", UUID(machine["id"]))
    assert left == 0


async def test_a_name_is_taken_once_in_capitals_or_not(account: Account, stranger: Account):
    await make(account, "deployer")
    taken = await account.client.post(machines_of(account), json={"name": "Deployer", "role": "viewer"})
    other = await make(account, "trainer")
    assert (taken.status_code, (await change(account, other, name="deployer")).status_code) == (409, 409)
    assert (await make(stranger, "deployer"))["name"] == "deployer"


async def test_nobody_makes_a_key_that_may_do_more_than_they(
    account: Account, new_account: NewAccount, database_url: str, stranger: Account
):
    developer = await join(database_url, account, await new_account(), "developer")
    admin = await make(account, "admin", "admin")
    assert (await make_key(developer, account, admin, "admin")).status_code == 403
    assert (await make_key(developer, account, admin, "models:write")).status_code == 201
    theirs = await make(stranger, "theirs", "viewer")
    assert (await make_key(account, account, theirs, "infer")).status_code == 422
    assert (await make_key(account, account, {"id": str(developer.user_id)}, "infer")).status_code == 422


async def test_nobody_takes_over_a_key_by_a_new_secret(account: Account, new_account: NewAccount, database_url: str):
    developer = await join(database_url, account, await new_account(), "developer")
    owned = [await account.client.post(keys_of(account), json={"name": it, "scopes": [it]}) for it in ("admin", "models:write")]
    rotated = [await developer.client.post(f"{keys_of(account)}/{it.json()['key']['id']}/rotate", json={}) for it in owned]
    assert [it.status_code for it in rotated] == [403, 200]


async def test_nobody_opens_a_key_that_may_do_more_than_they(account: Account, new_account: NewAccount, database_url: str):
    developer = await join(database_url, account, await new_account(), "developer")
    bound = {"name": "machine", "networks": ["10.0.0.0/8"]}
    owned = [await account.client.post(keys_of(account), json=bound | {"scopes": [it]}) for it in ("admin", "models:write")]
    paths = [f"{keys_of(account)}/{it.json()['key']['id']}" for it in owned]
    changed = [await developer.client.patch(it, json={"networks": []}) for it in paths]
    assert [it.status_code for it in changed] == [403, 200]
    assert (await account.client.patch(paths[0], json={"networks": []})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "x", "role": "owner"},
        {"name": " x", "role": "viewer"},
        {"name": "x\ny", "role": "viewer"},
        {"name": "x", "role": "viewer", "email": "a@example.com"},
        {"name": "x", "role": "viewer", "kind": "person"},
    ],
)
async def test_a_wrong_service_account_is_the_callers_fault(account: Account, body: dict[str, str]):
    assert (await account.client.post(machines_of(account), json=body)).status_code in (400, 422)


async def test_of_another_organization_no_machine_is_seen_or_changed(account: Account, stranger: Account):
    machine = await make(account)
    answers = [
        await stranger.client.get(machines_of(account)),
        await stranger.client.patch(f"{machines_of(stranger)}/{machine['id']}", json={"role": "admin"}),
        await stranger.client.delete(f"{machines_of(stranger)}/{machine['id']}"),
    ]
    assert [it.status_code for it in answers] == [404] * 3
    assert (await account.client.get(machines_of(account))).json()["items"] == [machine]


@pytest.fixture
async def pool(app: Litestar) -> Pool:
    return app.state.resources.pool


async def test_to_an_organization_only_its_own_machines_can_be_changed(account: Account, stranger: Account, pool: Pool):
    await make(account)
    await make(stranger)
    own = pool.of(account.organization_id)
    assert await own.run(lambda it: it.execute("UPDATE users SET name = 'other'")) == "UPDATE 1"
    assert await own.run(lambda it: it.execute("DELETE FROM users")) == "DELETE 1"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await own.run(lambda it: it.fetch("SELECT password_hash FROM users"))
    insert = "INSERT INTO users (kind, organization_id, name) VALUES ('service', $1, 'theirs')"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await own.run(lambda it: it.execute(insert, stranger.organization_id))
