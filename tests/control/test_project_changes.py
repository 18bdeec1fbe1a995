"""Projects after their creation: what is changed, who sees them as what, the archive, and deletion with a week to undo it."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from litestar import Litestar

from contracts.retention import GONE_PROJECTS_KEY, gone_project
from control.database import Database, Pool
from control.identity.permissions import Role
from control.projects.removing import publish_removed, sweep
from control.routing.queries import read_routes
from tests.control.conftest import Account, NewAccount
from tests.control.registry import Json, create_version, deploy, model_file, project
from tests.control.test_projects import create, projects_of

VISIBILITY = {"visibility": "private"}


@pytest.fixture
async def database(database_url: str):
    """A pool of its own, for what goes on beside the requests."""
    pool = Pool(database_url, connections=2)
    await pool.open()
    yield pool.across_tenants
    await pool.close()


async def join(database: Database, account: Account, person: Account, role: Role) -> None:
    """Make `person` a member of `account`'s organization."""
    statement = "INSERT INTO members (organization_id, user_id, role) VALUES ($1, $2, $3)"
    await database.run(lambda it: it.execute(statement, account.organization_id, person.user_id, role))


async def names(account: Account, organization_of: Account, **query: Any) -> list[str]:
    answer = await account.client.get(projects_of(organization_of), params=query)
    assert answer.status_code == 200, answer.text
    return [it["name"] for it in answer.json()["items"]]


async def served(database: Database, account: Account) -> tuple[int, int]:
    """How many deployments and keys of the account's project gateways serve."""
    async with database.transaction() as connection:
        table = await read_routes(connection)
    return (
        sum(it.project_id == account.project_id for it in table.deployments),
        sum(it.project_id == account.project_id for it in table.keys),
    )


async def test_name_description_and_tags_can_be_changed_and_the_address_stays(account: Account):
    changed = {"name": "Fraud", "description": "Cards.", "tags": ["team-a", "eu", "eu"]}
    answer = await account.client.patch(project(account), json=changed)
    found = (await account.client.get(project(account))).json()
    assert answer.status_code == 200
    assert answer.json() == found
    assert (found["name"], found["slug"], found["description"], found["tags"]) == ("Fraud", "default", "Cards.", ["team-a", "eu"])


async def test_what_a_change_does_not_name_stays(account: Account):
    await account.client.patch(project(account), json={"description": "Cards.", "tags": ["eu"]})
    found = (await account.client.patch(project(account), json={"tags": []})).json()
    assert (found["name"], found["description"], found["tags"]) == ("default", "Cards.", [])


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": None},
        {"tags": ["Not Lower"]},
        {"tags": ["раураl"]},  # Cyrillic: looks like "paypal"
        {"tags": [str(number) for number in range(21)]},
        {"visibility": "private"},
        {"organization_id": "01a205d7-0886-7a58-b111-df9c2ff4e571"},
        {"deleted_at": None},
    ],
)
async def test_an_unfit_change_is_the_callers_fault(account: Account, body: Json):
    assert (await account.client.patch(project(account), json=body)).status_code in (400, 422)


async def test_a_change_to_a_name_that_is_taken_is_refused(account: Account):
    await create(account, "fraud")
    answer = await account.client.patch(project(account), json={"name": "fraud"})
    assert (answer.status_code, answer.json()["title"]) == (409, "Project name taken")


async def test_a_private_project_is_seen_by_its_members_and_administrators_alone(
    account: Account, new_account: NewAccount, database: Database
):
    developer, admin, guest = await new_account(), await new_account(), await new_account()
    await join(database, account, developer, "developer")
    await join(database, account, admin, "admin")
    await join(database, account, guest, "developer")
    await account.client.put(f"{project(account)}/members/{guest.user_id}", json={"role": "viewer"})
    assert await names(developer, account) == ["default"]
    answer = await account.client.put(f"{project(account)}/visibility", json=VISIBILITY)
    assert answer.json()["visibility"] == "private"
    assert await names(developer, account) == []
    assert (await developer.client.get(project(account))).status_code == 404
    assert [(await it.client.get(project(account))).json()["role"] for it in (account, admin, guest)] == [
        "owner",
        "admin",
        "viewer",
    ]


async def test_who_creates_a_private_project_administers_it(account: Account, new_account: NewAccount, database: Database):
    developer = await new_account()
    await join(database, account, developer, "developer")
    answer = await developer.client.post(projects_of(account), json={"name": "secret", **VISIBILITY})
    assert (answer.status_code, answer.json()["role"], answer.json()["visibility"]) == (201, "admin", "private")
    shown = await developer.client.put(f"/api/v1/projects/{answer.json()['id']}/visibility", json={"visibility": "organization"})
    assert shown.status_code == 200


async def test_a_role_in_a_project_is_given_changed_and_taken_back(account: Account, new_account: NewAccount, database: Database):
    person = await new_account()
    await join(database, account, person, "viewer")
    path = f"{project(account)}/members/{person.user_id}"
    given = (await account.client.put(path, json={"role": "developer"})).json()
    changed = (await account.client.put(path, json={"role": "admin"})).json()
    assert (given["organization_role"], given["project_role"], given["role"]) == ("viewer", "developer", "developer")
    assert changed["role"] == "admin"
    assert (await person.client.patch(project(account), json={"tags": ["mine"]})).status_code == 200
    assert (await account.client.delete(path)).status_code == 204
    assert (await person.client.patch(project(account), json={"tags": []})).status_code == 403
    assert (await account.client.delete(path)).status_code == 404


async def test_members_are_listed_in_pages_with_the_role_that_counts(
    account: Account, new_account: NewAccount, database: Database
):
    person = await new_account()
    await join(database, account, person, "developer")
    path = f"{project(account)}/members"
    await account.client.put(f"{path}/{person.user_id}", json={"role": "viewer"})
    first = (await account.client.get(path, params={"limit": 1})).json()
    second = (await account.client.get(path, params={"cursor": first["next_cursor"]})).json()
    shown = [(it["email"], it["organization_role"], it["project_role"], it["role"]) for it in first["items"] + second["items"]]
    assert shown == [(account.email, "owner", None, "owner"), (person.email, "developer", "viewer", "viewer")]
    assert second["next_cursor"] is None


async def test_a_role_goes_to_members_of_the_organization_alone(account: Account, stranger: Account):
    answer = await account.client.put(f"{project(account)}/members/{stranger.user_id}", json={"role": "viewer"})
    assert answer.status_code == 404
    assert (await stranger.client.get(project(account))).status_code == 404


async def test_an_administrator_of_the_organization_keeps_their_role(account: Account):
    answer = await account.client.put(f"{project(account)}/members/{account.user_id}", json={"role": "viewer"})
    assert (answer.status_code, answer.json()["title"]) == (409, "Role fixed")


@pytest.mark.parametrize("role", ["owner", "root", None])
async def test_a_role_that_projects_do_not_have_is_refused(account: Account, role: str | None):
    answer = await account.client.put(f"{project(account)}/members/{account.user_id}", json={"role": role})
    assert answer.status_code in (400, 422)


async def test_an_archived_project_can_be_read_and_not_changed_and_is_served_on(
    account: Account, database: Database, tmp_path: Any
):
    await deploy(account, await create_version(account, model_file(tmp_path)))
    key = (await account.client.post(f"{project(account)}/keys", json={"name": "old", "scopes": ["infer"]})).json()["key"]
    before = await served(database, account)
    archived = await account.client.post(f"{project(account)}/archive")
    assert archived.json()["archived_at"]
    assert (await account.client.get(f"{project(account)}/models")).status_code == 200
    refused = await account.client.post(f"{project(account)}/models", json={"name": "another"})
    assert (refused.status_code, refused.json()["title"]) == (409, "Project archived")
    assert await served(database, account) == before
    assert (await account.client.delete(f"{project(account)}/keys/{key['id']}")).status_code == 204
    assert (await names(account, account), await names(account, account, state="archived")) == ([], ["default"])
    assert (await account.client.post(f"{project(account)}/unarchive")).json()["archived_at"] is None
    assert (await account.client.post(f"{project(account)}/models", json={"name": "another"})).status_code == 201


async def test_a_deleted_project_is_gone_at_once_for_people_and_gateways(account: Account, database: Database, tmp_path: Any):
    await deploy(account, await create_version(account, model_file(tmp_path)))
    slug = (await account.client.get(project(account))).json()["organization_slug"]
    before = await served(database, account)
    assert (await account.client.delete(project(account))).status_code == 204
    assert (before, await served(database, account)) == ((1, 1), (0, 0))
    gone = [
        await account.client.get(project(account)),
        await account.client.get(f"{project(account)}/models"),
        await account.client.delete(project(account)),
        await account.client.get("/api/v1/lookup", params={"organization": slug, "project": "default"}),
    ]
    assert [it.status_code for it in gone] == [404] * 4
    assert (await names(account, account), await names(account, account, state="deleted")) == ([], ["default"])


async def test_a_restored_project_is_as_it_was(account: Account, database: Database, tmp_path: Any):
    await deploy(account, await create_version(account, model_file(tmp_path)))
    before = (await account.client.get(project(account))).json()
    await account.client.delete(project(account))
    answer = await account.client.post(f"{project(account)}/restore")
    assert (answer.status_code, answer.json()) == (200, before)
    assert await served(database, account) == (1, 1)


async def test_the_name_of_a_deleted_project_is_free_and_its_address_is_not(account: Account):
    await account.client.delete(project(account))
    heir = await create(account, "default")
    refused = await account.client.post(f"{project(account)}/restore")
    assert heir["slug"] != "default"
    assert (refused.status_code, "named 'default'" in refused.json()["detail"]) == (409, True)
    await account.client.patch(f"/api/v1/projects/{heir['id']}", json={"name": "heir"})
    assert (await account.client.post(f"{project(account)}/restore")).json()["slug"] == "default"


async def test_deleting_a_project_stops_its_batch_jobs(account: Account, database: Database, database_url: str):
    connection = await asyncpg.connect(database_url)
    try:
        statement = """
            INSERT INTO batch_jobs (project_id, deployment_name, model_name, model_version, file_name, format, rows_total, state,
                runner, lease_until)
            VALUES ($1, 'd', 'm', 1, 'rows.csv', 'csv', 1, 'running', uuidv7(), now() + interval '1 hour')
            RETURNING id
        """
        job = await connection.fetchval(statement, account.project_id)
        await account.client.delete(project(account))
        assert await connection.fetchval("SELECT state FROM batch_jobs WHERE id = $1", job) == "cancelled"
    finally:
        await connection.close()


async def test_what_can_be_restored_is_shown_to_administrators_alone(
    account: Account, new_account: NewAccount, database: Database
):
    developer = await new_account()
    await join(database, account, developer, "developer")
    await account.client.delete(project(account))
    assert await names(developer, account, state="deleted") == []
    assert (await developer.client.post(f"{project(account)}/restore")).status_code == 403


async def test_after_its_time_a_deleted_project_is_removed_with_all_that_is_in_it(
    account: Account, database: Database, tmp_path: Any
):
    await deploy(account, await create_version(account, model_file(tmp_path)))
    await account.client.delete(project(account))
    swept = set(await sweep_all(database, timedelta(days=7)))
    assert account.project_id not in swept
    later = "UPDATE projects SET deleted_at = now() - interval '7 days 1 second' WHERE id = $1"
    await database.run(lambda it: it.execute(later, account.project_id))
    await sweep_all(database, timedelta(days=7))
    left = "SELECT count(*) FROM models WHERE project_id = $1"
    assert await database.run(lambda it: it.fetchval(left, account.project_id)) == 0
    assert await names(account, account, state="deleted") == []
    assert (await account.client.post(f"{project(account)}/restore")).status_code == 404
    log = f"/api/v1/organizations/{account.organization_id}/audit"
    (told,) = (await account.client.get(log, params={"action": "project.remove"})).json()["items"]
    assert (told["actor_id"], told["target_id"]) == (None, str(account.project_id))


async def test_telemetry_is_told_of_removed_projects_as_long_as_it_may_know_them(
    app: Litestar, account: Account, database: Database
):
    redis = app.state.resources.redis
    await account.client.delete(project(account))
    await sweep_all(database, timedelta())
    member = gone_project(account.organization_id, account.project_id).encode()
    await publish_removed(database, redis)
    assert member in await redis.smembers(GONE_PROJECTS_KEY)
    longer = "UPDATE removed_projects SET removed_at = now() - interval '401 days' WHERE id = $1"
    await database.run(lambda it: it.execute(longer, account.project_id))
    await publish_removed(database, redis)
    assert member not in await redis.smembers(GONE_PROJECTS_KEY)


async def sweep_all(database: Database, kept_for: timedelta) -> list[Any]:
    found: list[Any] = []
    while (swept := await sweep(database, kept_for)) is not None:
        found.append(swept)
    return found


async def test_what_others_do_to_a_project_is_not_found(account: Account, stranger: Account):
    path = project(account)
    answers = [
        await stranger.client.patch(path, json={"name": "mine"}),
        await stranger.client.put(f"{path}/visibility", json=VISIBILITY),
        await stranger.client.post(f"{path}/archive"),
        await stranger.client.post(f"{path}/unarchive"),
        await stranger.client.delete(path),
        await stranger.client.post(f"{path}/restore"),
        await stranger.client.get(f"{path}/members"),
        await stranger.client.put(f"{path}/members/{stranger.user_id}", json={"role": "admin"}),
        await stranger.client.delete(f"{path}/members/{account.user_id}"),
    ]
    assert [it.status_code for it in answers] == [404] * 9
    assert (await account.client.get(path)).json()["name"] == "default"


async def test_changes_are_in_the_audit_log(account: Account):
    await account.client.patch(project(account), json={"tags": ["eu"]})
    await account.client.post(f"{project(account)}/archive")
    await account.client.delete(project(account))
    await account.client.post(f"{project(account)}/restore")
    log = (await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit")).json()["items"]
    by_action = {it["action"]: it for it in log}
    assert {"project.archive", "project.delete", "project.restore"} <= by_action.keys()
    update = by_action["project.update"]
    assert (update["before"]["tags"], update["after"]["tags"]) == ([], ["eu"])
