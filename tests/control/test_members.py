"""Members: lists, roles, who may change whom, and that an owner always stays."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest
from litestar import Litestar

from contracts.errors import Forbidden
from control.audit.recording import Who
from control.identity.permissions import LEAST_ROLE, MEANINGS, Role
from control.members import service
from tests.control.conftest import Account, NewAccount


def members_of(account: Account) -> str:
    return f"/api/v1/organizations/{account.organization_id}/members"


async def join(database_url: str, of: Account, who: Account, role: Role) -> Account:
    """Make `who` a member of `of`'s organization."""
    connection = await asyncpg.connect(database_url)
    values = of.organization_id, who.user_id, role
    await connection.execute("INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, $3)", *values)
    await connection.close()
    return who


@pytest.fixture
async def admin(account: Account, new_account: NewAccount, database_url: str) -> Account:
    return await join(database_url, account, await new_account(), "admin")


@pytest.fixture
async def viewer(account: Account, new_account: NewAccount, database_url: str) -> Account:
    return await join(database_url, account, await new_account(), "viewer")


async def give(caller: Account, of: Account, whom: Account, role: str) -> int:
    return (await caller.client.patch(f"{members_of(of)}/{whom.user_id}", json={"role": role})).status_code


async def role_of(account: Account, of: Account) -> str | None:
    organizations = (await account.client.get("/api/v1/me")).json()["organizations"]
    return next((it["role"] for it in organizations if it["id"] == str(of.organization_id)), None)


async def test_members_are_listed_in_pages(account: Account, admin: Account, viewer: Account):
    first = (await viewer.client.get(members_of(account), params={"limit": 2})).json()
    second = (await viewer.client.get(members_of(account), params={"limit": 2, "cursor": first["next_cursor"]})).json()
    listed = [(it["user_id"], it["email"], it["role"]) for it in first["items"] + second["items"]]
    people = ((account, "owner"), (admin, "admin"), (viewer, "viewer"))
    assert listed == [(str(it.user_id), it.email, role) for it, role in people]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("words", ["%", "_" * 5, "nobody at all"])
async def test_words_that_nobody_holds_find_nobody(account: Account, words: str):
    assert (await account.client.get(members_of(account), params={"q": words})).json()["items"] == []


async def test_members_are_found_by_part_of_their_address(account: Account, admin: Account):
    found = (await account.client.get(members_of(account), params={"q": admin.email[4:20].upper()})).json()["items"]
    assert [it["user_id"] for it in found] == [str(admin.user_id)]


async def test_roles_in_projects_are_counted(account: Account, viewer: Account):
    path = f"/api/v1/projects/{account.project_id}/members/{viewer.user_id}"
    assert (await account.client.put(path, json={"role": "developer"})).status_code == 200
    counted = {it["user_id"]: it["project_roles"] for it in (await account.client.get(members_of(account))).json()["items"]}
    assert counted == {str(account.user_id): 0, str(viewer.user_id): 1}


async def test_a_role_holds_from_the_next_call_on(account: Account, admin: Account, viewer: Account):
    path = f"/api/v1/projects/{account.project_id}/models"
    before = await viewer.client.post(path, json={"name": "fraud"})
    assert await give(admin, account, viewer, "developer") == 200
    after = await viewer.client.post(path, json={"name": "fraud"})
    assert (before.status_code, after.status_code) == (403, 201)


async def test_who_is_removed_finds_nothing_there_any_more(account: Account, admin: Account, viewer: Account, database_url: str):
    connection = await asyncpg.connect(database_url)
    insert = "INSERT INTO project_members (project_id, user_id, role) VALUES ($1, $2, 'admin')"
    await connection.execute(insert, account.project_id, viewer.user_id)
    assert (await admin.client.delete(f"{members_of(account)}/{viewer.user_id}")).status_code == 204
    left = await connection.fetchval("SELECT count(*) FROM project_members WHERE user_id = $1", viewer.user_id)
    await connection.close()
    assert left == 0
    assert (await viewer.client.get(f"/api/v1/projects/{account.project_id}")).status_code == 404
    assert (await admin.client.delete(f"{members_of(account)}/{viewer.user_id}")).status_code == 404


async def test_owners_are_made_changed_and_removed_by_owners_alone(account: Account, admin: Account, viewer: Account):
    assert await give(admin, account, viewer, "owner") == 403
    assert await give(admin, account, admin, "owner") == 403
    assert await give(admin, account, account, "viewer") == 403
    assert (await admin.client.delete(f"{members_of(account)}/{account.user_id}")).status_code == 403
    assert await give(account, account, admin, "owner") == 200
    assert await give(admin, account, account, "viewer") == 200
    assert (await role_of(admin, account), await role_of(account, account)) == ("owner", "viewer")


async def test_the_last_owner_stays(account: Account, admin: Account):
    assert await give(account, account, account, "admin") == 409
    assert (await account.client.delete(f"{members_of(account)}/{account.user_id}")).status_code == 409
    refused = await account.client.delete(f"/api/v1/me/organizations/{account.organization_id}")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:headrace:problem:LastOwner")
    assert await give(account, account, account, "owner") == 200


async def test_two_owners_who_go_at_once_leave_one(account: Account, admin: Account):
    await give(account, account, admin, "owner")
    path = f"/api/v1/me/organizations/{account.organization_id}"
    answers = await asyncio.gather(account.client.delete(path), admin.client.delete(path))
    assert sorted(it.status_code for it in answers) == [204, 409]


async def test_who_was_demoted_a_moment_ago_changes_nobody(app: Litestar, account: Account, admin: Account, viewer: Account):
    organization_id, pool = account.organization_id, app.state.resources.pool
    async with pool.of(organization_id).transaction() as connection:
        with pytest.raises(Forbidden):
            await service.remove(connection, Who(viewer.user_id, organization_id, None), viewer.user_id, admin.user_id)
    assert await role_of(admin, account) == "admin"


async def test_a_member_may_leave(account: Account, viewer: Account):
    path = f"/api/v1/me/organizations/{account.organization_id}"
    assert (await viewer.client.delete(path)).status_code == 204
    assert await role_of(viewer, account) is None
    assert (await viewer.client.delete(path)).status_code == 404


async def test_of_another_organization_nobody_is_seen_or_changed(account: Account, stranger: Account):
    one = f"{members_of(account)}/{account.user_id}"
    own = f"{members_of(stranger)}/{account.user_id}"
    answers = [
        await stranger.client.get(members_of(account)),
        await stranger.client.patch(one, json={"role": "viewer"}),
        await stranger.client.delete(one),
        await stranger.client.patch(own, json={"role": "viewer"}),
        await stranger.client.delete(own),
        await stranger.client.delete(f"/api/v1/me/organizations/{account.organization_id}"),
        await stranger.client.delete(f"/api/v1/me/organizations/{uuid4()}"),
    ]
    assert [it.status_code for it in answers] == [404] * 7


@pytest.mark.parametrize("body", [{"role": "god"}, {"role": None}, {}, {"role": "viewer", "organization_id": str(uuid4())}])
async def test_a_wrong_change_is_the_callers_fault(account: Account, body: dict[str, str]):
    answer = await account.client.patch(f"{members_of(account)}/{account.user_id}", json=body)
    assert answer.status_code in (400, 422)


async def test_the_roles_are_told_as_the_table_has_them(viewer: Account):
    table = (await viewer.client.get("/api/v1/roles")).json()
    assert table["roles"] == ["viewer", "developer", "admin", "owner"]
    roles = {role: {it["name"] for it in table["permissions"] if role in it["roles"]} for role in table["roles"]}
    assert roles["owner"] == {name for name, least in LEAST_ROLE.items() if least is not None} == MEANINGS.keys() - {"account"}
    assert all(it["sentence"].endswith(".") for it in table["permissions"])
    assert roles["viewer"] < roles["developer"] < roles["admin"] < roles["owner"]
    assert "members:write" in roles["admin"] - roles["developer"]
    assert "organization:delete" in roles["owner"] - roles["admin"]
