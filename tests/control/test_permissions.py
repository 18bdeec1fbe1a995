"""Every operation, called as nobody, as each role, as a stranger and with API keys, against the table of permissions."""

import re
from typing import Any, get_args
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from litestar import get

from control.access import check_guarded
from control.app import API_HANDLERS
from control.identity.permissions import LEAST_ROLE, ROLES, SCOPES, Permission, Role, Scope, allows
from tests.control.conftest import Account, NewAccount

OPERATIONS = {
    handler.operation_id: (method, path, handler.opt.get("permission"))
    for handler in API_HANDLERS
    for method in handler.http_methods
    for path in handler.paths
    if not handler.opt.get("public") and isinstance(handler.operation_id, str)
}
TENANTS = {name: it for name, it in OPERATIONS.items() if "{organization_id" in it[1] or "{project_id" in it[1]}


async def call(client: httpx.AsyncClient, operation: str, of: Account) -> httpx.Response:
    """The operation on `of`'s organization or project; what lies below is made up, and so is the body: none is right."""
    method, path, _ = OPERATIONS[operation]
    path = path.replace("{organization_id:uuid}", str(of.organization_id)).replace("{project_id:uuid}", str(of.project_id))
    path = re.sub(r"\{[^}]*:uuid\}", lambda _: str(uuid4()), path)
    path = re.sub(r"\{[^}]*:int\}", "1", path)
    assert "{" not in path, path
    return await client.request(method, f"/api/v1{path}")


async def give_role(database: asyncpg.Connection, of: Account, to: Account, role: Role) -> None:
    await database.execute(
        "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, $3)", of.organization_id, to.user_id, role
    )


def test_every_operation_is_described_once() -> None:
    assert len(OPERATIONS) >= 30
    assert all(permission in LEAST_ROLE for _, _, permission in OPERATIONS.values())
    assert set(LEAST_ROLE) == set(get_args(Permission))


def test_a_route_that_names_no_permission_keeps_the_control_plane_from_starting() -> None:
    @get("/open")
    async def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="names no permission"):
        check_guarded([forgotten])


async def test_nobody_may_do_anything(client: httpx.AsyncClient, account: Account) -> None:
    for operation in OPERATIONS:
        assert (await call(client, operation, account)).status_code == 401, operation


async def use_key(client: httpx.AsyncClient, of: Account, *scopes: Scope) -> None:
    """Let `client` present a new key of `of`'s project."""
    made = await of.client.post(f"/api/v1/projects/{of.project_id}/keys", json={"name": "machine", "scopes": scopes})
    client.headers["Authorization"] = f"Bearer {made.json()['secret']}"


async def undelete(database: asyncpg.Connection, of: Account) -> None:
    """Bring back what an operation of the walk deleted or archived."""
    await database.execute("UPDATE organizations SET deleted_at = NULL WHERE id = $1", of.organization_id)
    await database.execute("UPDATE projects SET deleted_at = NULL, archived_at = NULL WHERE id = $1", of.project_id)


@pytest.mark.parametrize("scope", get_args(Scope))
async def test_a_key_may_do_what_the_table_says_of_its_scope(
    scope: Scope, client: httpx.AsyncClient, account: Account, database: asyncpg.Connection
) -> None:
    await use_key(client, account, scope)
    for operation, (_, path, permission) in OPERATIONS.items():
        answer = await call(client, operation, account)
        if "{project_id" in path and permission in SCOPES[scope].permissions:
            assert answer.status_code not in (401, 403), (operation, answer.text)
            assert f"no project {account.project_id}" not in answer.text, operation
            await undelete(database, account)
        else:
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:headrace:problem:Forbidden"), (
                operation,
                answer.text,
            )


async def test_to_keys_of_strangers_nothing_exists(client: httpx.AsyncClient, account: Account, stranger: Account) -> None:
    await use_key(client, stranger, "admin")
    for operation in TENANTS:
        answer = await call(client, operation, account)
        assert (answer.status_code, answer.json()["detail"].split()[0]) == (404, "no"), operation


@pytest.mark.parametrize("role", ["viewer", "developer", "admin"])
async def test_a_key_may_do_no_more_than_its_owner(
    role: Role, client: httpx.AsyncClient, account: Account, new_account: NewAccount, database: asyncpg.Connection
) -> None:
    person = await new_account()
    await give_role(database, account, person, role)
    await use_key(client, account, "admin")
    await database.execute("UPDATE api_keys SET created_by = $1 WHERE project_id = $2", person.user_id, account.project_id)
    for operation, (_, path, permission) in TENANTS.items():
        assert permission is not None
        if "{project_id" in path and permission in SCOPES["admin"].permissions:
            answer = await call(client, operation, account)
            assert (answer.status_code == 403) is not allows(role, permission), (operation, answer.text)
            await undelete(database, account)


def test_scopes_give_nothing_that_is_about_people_or_the_organization() -> None:
    given = {permission for it in SCOPES.values() for permission in it.permissions}
    in_projects = {permission for _, path, permission in OPERATIONS.values() if "{project_id" in path}
    assert set(SCOPES) == set(get_args(Scope))
    assert given <= in_projects | {"experiments:read", "experiments:write"}


async def test_to_strangers_nothing_exists(account: Account, stranger: Account) -> None:
    for operation in TENANTS:
        answer = await call(stranger.client, operation, account)
        assert (answer.status_code, answer.json()["detail"].split()[0]) == (404, "no"), operation
        assert str(account.project_id) in answer.text or str(account.organization_id) in answer.text, operation


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_do_what_the_table_says(
    role: Role, account: Account, new_account: NewAccount, database: asyncpg.Connection
) -> None:
    person = await new_account()
    await give_role(database, account, person, role)
    for operation, (_, _, permission) in TENANTS.items():
        assert permission is not None
        answer = await call(person.client, operation, account)
        if allows(role, permission):
            assert answer.status_code not in (401, 403), (operation, answer.text)
            assert f"no project {account.project_id}" not in answer.text, operation
            await undelete(database, account)
        else:
            assert (answer.status_code, answer.json()["type"]) == (403, "urn:headrace:problem:Forbidden"), operation
            assert f"needs the role {LEAST_ROLE[permission]}; yours is {role}" in answer.json()["detail"]


IN_PROJECT: dict[tuple[str, Role, Role | None], Role | None] = {
    ("organization", "viewer", None): "viewer",
    ("organization", "viewer", "developer"): "developer",
    ("organization", "developer", "viewer"): "viewer",
    ("organization", "admin", "viewer"): "admin",
    ("private", "developer", None): None,
    ("private", "viewer", "admin"): "admin",
    ("private", "admin", None): "admin",
    ("private", "owner", None): "owner",
}
"""By the project's visibility, the role in the organization and the one in the project: what role comes of it."""


@pytest.mark.parametrize(("visibility", "role", "own"), IN_PROJECT)
async def test_a_role_in_a_project_raises_or_restricts(
    visibility: str, role: Role, own: Role | None, account: Account, new_account: NewAccount, database: asyncpg.Connection
) -> None:
    person, wanted = await new_account(), IN_PROJECT[visibility, role, own]
    await give_role(database, account, person, role)
    await database.execute("UPDATE projects SET visibility = $2 WHERE id = $1", account.project_id, visibility)
    if own is not None:
        await database.execute(
            "INSERT INTO project_members (project_id, user_id, role) VALUES ($1, $2, $3)", account.project_id, person.user_id, own
        )
    found = await call(person.client, "getProject", account)
    listed = (await call(person.client, "listProjects", account)).json()["items"]
    assert found.status_code == (404 if wanted is None else 200)
    assert [UUID(it["id"]) for it in listed] == ([] if wanted is None else [account.project_id])
    project: dict[str, Any] = (await call(account.client, "getProject", account)).json()
    slugs = {"organization": project["organization_slug"], "project": project["slug"]}
    assert (await person.client.get("/api/v1/lookup", params=slugs)).status_code == found.status_code
    if wanted is not None:
        made = await call(person.client, "createModel", account)
        assert (made.status_code == 403) is not allows(wanted, "models:write")
