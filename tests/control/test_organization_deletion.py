"""Deleting an organization, with seven days to undo it, and handing it over."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from litestar import Litestar

from contracts.retention import GONE, RETENTION_KEY
from control.database import Database
from control.organizations.deleting import sweep
from control.organizations.settings import publish_retentions
from control.projects.removing import sweep as sweep_projects
from control.resources import Resources
from control.routing.queries import read_routes
from tests.control.conftest import PASSWORD, Account, NewAccount
from tests.control.registry import create_version, deploy, model_file
from tests.control.test_members import give, join, role_of

DELETED = "/api/v1/me/deleted-organizations"


@pytest.fixture
async def tenants(app: Litestar) -> Database:
    return app.state.resources.pool.across_tenants


def path_of(account: Account) -> str:
    return f"/api/v1/organizations/{account.organization_id}"


def restore_of(account: Account) -> str:
    return f"{DELETED}/{account.organization_id}/restore"


async def delete(account: Account) -> None:
    answer = await account.client.delete(path_of(account))
    assert answer.status_code == 204, answer.text


async def deleted(account: Account) -> list[str]:
    return [it["id"] for it in (await account.client.get(DELETED)).json()["items"]]


async def served(tenants: Database, account: Account) -> set[str]:
    """What gateways know of the account's project."""
    async with tenants.transaction() as connection:
        table = await read_routes(connection)
    found = [it for it in (*table.deployments, *table.keys) if it.project_id == account.project_id]
    return {type(it).__name__ for it in found}


async def test_a_deleted_organization_is_gone_at_once_and_comes_back_whole(
    account: Account, new_account: NewAccount, tenants: Database, database_url: str, tmp_path: Path
):
    viewer = await join(database_url, account, await new_account(), "viewer")
    await deploy(account, await create_version(account, model_file(tmp_path)))
    key = {"name": "reader", "scopes": ["models:read"]}
    secret = (await account.client.post(f"/api/v1/projects/{account.project_id}/keys", json=key)).json()["secret"]
    before = (await account.client.get(path_of(account))).json()
    assert await served(tenants, account) == {"Deployment", "Key"}
    await delete(account)
    for it in (account, viewer):
        assert str(account.organization_id) not in [
            one["id"] for one in (await it.client.get("/api/v1/me")).json()["organizations"]
        ]
        for path in (path_of(account), f"{path_of(account)}/members", f"/api/v1/projects/{account.project_id}/models"):
            assert (await it.client.get(path)).status_code == 404, path
    assert (await account.client.post(f"/api/v1/projects/{account.project_id}/restore")).status_code == 404
    by_key = {"Authorization": f"Bearer {secret}"}
    models = f"/api/v1/projects/{account.project_id}/models"
    assert (await account.client.get(models, headers=by_key)).status_code == 401
    assert await served(tenants, account) == set()

    assert await deleted(viewer) == []
    assert (await viewer.client.post(restore_of(account))).status_code == 404
    assert await deleted(account) == [str(account.organization_id)]
    restored = await account.client.post(restore_of(account))
    assert (restored.status_code, restored.json()) == (200, before)
    assert await served(tenants, account) == {"Deployment", "Key"}
    assert (await account.client.get(models, headers=by_key)).status_code == 200
    assert await deleted(account) == []
    assert (await account.client.post(restore_of(account))).status_code == 404
    entries = (await account.client.get(f"{path_of(account)}/audit", params={"action": "organization"})).json()["items"]
    assert [(it["action"], it["actor"]) for it in entries[:2]] == [
        ("organization.restore", account.email),
        ("organization.delete", account.email),
    ]


async def test_a_project_that_was_deleted_before_stays_deleted(account: Account):
    project = f"/api/v1/projects/{account.project_id}"
    await account.client.delete(project)
    await delete(account)
    await account.client.post(restore_of(account))
    assert (await account.client.get(project)).status_code == 404
    assert (await account.client.post(f"{project}/restore")).status_code == 200


async def test_who_deletes_it_twice_at_once_can_still_restore_all_of_it(account: Account):
    answers = await asyncio.gather(*[account.client.delete(path_of(account)) for _ in range(2)])
    assert sorted(it.status_code for it in answers) == [204, 404]
    await account.client.post(restore_of(account))
    assert (await account.client.get(f"/api/v1/projects/{account.project_id}")).status_code == 200


async def test_invitations_are_taken_back(account: Account):
    invited = await account.client.post(f"{path_of(account)}/invitations", json={"emails": ["new@example.com"]})
    assert invited.json()["sent"][0]["invitation"]["role"] == "developer", invited.text
    token = invited.json()["sent"][0]["link"].partition("#")[2]
    await delete(account)
    assert (await account.client.post("/api/v1/invitations/open", json={"token": token})).status_code == 404


async def test_its_address_stays_taken_until_it_is_removed(account: Account, stranger: Account):
    slug = (await account.client.get(path_of(account))).json()["slug"]
    await delete(account)
    assert (await stranger.client.patch(path_of(stranger), json={"slug": slug})).status_code == 409


async def test_only_owners_delete_it(account: Account, new_account: NewAccount, database_url: str):
    admin = await join(database_url, account, await new_account(), "admin")
    assert (await admin.client.delete(path_of(account))).status_code == 403


async def test_after_its_time_it_is_removed_with_all_but_its_audit_log(
    app: Litestar, account: Account, database: asyncpg.Connection, tenants: Database, tmp_path: Path
):
    assert await told(app, account) is None
    await deploy(account, await create_version(account, model_file(tmp_path)))
    await delete(account)
    assert await swept(tenants, account) is False
    for table in ("organizations", "projects"):
        column = "id" if table == "organizations" else "organization_id"
        await database.execute(
            f"UPDATE {table} SET deleted_at = now() - interval '7 days 1 second' WHERE {column} = $1", account.organization_id
        )
    assert await deleted(account) == []
    assert (await account.client.post(restore_of(account))).status_code == 404
    made_meanwhile = "INSERT INTO projects (organization_id, name, slug, description) VALUES ($1, 'late', 'late', '')"
    await database.execute(made_meanwhile, account.organization_id)
    assert await swept(tenants, account)
    left: dict[str, Any] = {
        table: await database.fetchval(f"SELECT count(*) FROM {table} WHERE organization_id = $1", account.organization_id)
        for table in ("members", "projects", "audit_entries")
    }
    assert (left["members"], left["projects"], left["audit_entries"] > 0) == (0, 0, True)
    assert await told(app, account) == str(GONE).encode()


async def test_one_that_goes_with_its_owners_account_is_forgotten_by_telemetry(app: Litestar, account: Account):
    assert (await account.client.post("/api/v1/me/deletion", json={"password": PASSWORD})).status_code == 204
    assert await told(app, account) == str(GONE).encode()


async def told(app: Litestar, account: Account) -> bytes | None:
    """What telemetry hears of how long the account's organization keeps its requests."""
    resources: Resources = app.state.resources
    await publish_retentions(resources.pool.across_tenants, resources.redis)
    answer: Any = resources.redis.hget(RETENTION_KEY, str(account.organization_id))
    return await answer


async def swept(tenants: Database, account: Account) -> bool:
    """Whether a sweep of projects and then of organizations removed the account's."""
    while await sweep_projects(tenants, timedelta(days=7)):
        continue
    removed: set[object] = set()
    while (it := await sweep(tenants, timedelta(days=7))) is not None:
        removed.add(it)
    return account.organization_id in removed


async def test_an_organization_is_handed_over(account: Account, new_account: NewAccount, database_url: str):
    successor = await join(database_url, account, await new_account(), "viewer")
    answer = await account.client.post(f"{path_of(account)}/transfer", json={"user_id": str(successor.user_id)})
    assert (answer.status_code, answer.json()["role"]) == (200, "admin")
    assert (await role_of(successor, account), await role_of(account, account)) == ("owner", "admin")
    assert await give(account, account, successor, "viewer") == 403
    entry = (await successor.client.get(f"{path_of(account)}/audit", params={"action": "organization.transfer"})).json()["items"][
        0
    ]
    assert (entry["actor"], entry["target_name"], entry["after"]) == (account.email, successor.email, {"role": "owner"})


async def test_it_is_handed_to_another_member_by_an_owner_alone(
    account: Account, stranger: Account, new_account: NewAccount, database_url: str
):
    admin = await join(database_url, account, await new_account(), "admin")
    path = f"{path_of(account)}/transfer"
    tries = {(await account.client.post(path, json={"user_id": str(whom.user_id)})).status_code for whom in (account, stranger)}
    assert tries == {409, 404}
    assert (await admin.client.post(path, json={"user_id": str(admin.user_id)})).status_code == 403
