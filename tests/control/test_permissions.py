"""Every operation, called as nobody, as each role, as a stranger and with API keys, against the table of permissions."""

import re
from collections.abc import AsyncGenerator
from typing import Any, get_args
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from litestar import Litestar, get

from control.access import check_guarded
from control.app import API_HANDLERS
from control.identity.permissions import LEAST_ROLE, ROLES, Permission, Role, allows
from control.keys.schemas import Scope
from tests.control.conftest import Account, NewAccount

OPERATIONS = {
    handler.operation_id: (method, path, handler.opt.get("permission"))
    for handler in API_HANDLERS
    for method in handler.http_methods
    for path in handler.paths
    if not handler.opt.get("public") and isinstance(handler.operation_id, str)
}
TENANTS = {name: it for name, it in OPERATIONS.items() if "{organization_id" in it[1] or "{project_id" in it[1]}


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[asyncpg.Connection]:
    """A connection, for what the API has no words for."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


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


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_nobody_may_do_anything(operation: str, client: httpx.AsyncClient, account: Account) -> None:
    assert (await call(client, operation, account)).status_code == 401


@pytest.mark.parametrize("scope", get_args(Scope))
async def test_an_api_key_is_for_gateways_alone(scope: str, app: Litestar, client: httpx.AsyncClient, account: Account) -> None:
    new = {"name": "key", "scopes": [scope]}
    secret = (await account.client.post(f"/api/v1/projects/{account.project_id}/keys", json=new)).json()["secret"]
    client.headers["Authorization"] = f"Bearer {secret}"
    for operation in OPERATIONS:
        assert (await call(client, operation, account)).status_code == 401, operation


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
