"""Organizations: founding, renaming, moving, and what they hold."""

from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar

from control.routing.queries import read_routes
from tests.control.conftest import Account
from tests.control.test_members import join


def path_of(account: Account) -> str:
    return f"/api/v1/organizations/{account.organization_id}"


async def found(account: Account, name: str) -> dict[str, Any]:
    answer = await account.client.post("/api/v1/organizations", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def change(account: Account, **what: Any) -> tuple[int, dict[str, Any]]:
    answer = await account.client.patch(path_of(account), json=what)
    return answer.status_code, answer.json()


async def test_a_person_may_own_several_organizations(account: Account, stranger: Account):
    made = await found(account, "Analytical Engines")
    assert (made["name"], made["role"]) == ("Analytical Engines", "owner")
    assert (await account.client.get(f"/api/v1/organizations/{made['id']}")).json() == made
    assert [it["name"] for it in (await account.client.get("/api/v1/me")).json()["organizations"]][1:] == [made["name"]]
    assert (await stranger.client.get(f"/api/v1/organizations/{made['id']}")).status_code == 404


async def test_organizations_of_one_name_have_addresses_of_their_own(account: Account, stranger: Account):
    slugs = {(await found(it, "Analytical Engines"))["slug"] for it in (account, stranger)}
    assert len(slugs) == 2


async def test_one_person_owns_so_many(account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("control.organizations.service.MOST_OWNED", 2)
    await found(account, "Second")
    assert (await account.client.post("/api/v1/organizations", json={"name": "Third"})).status_code == 409


async def test_an_organization_is_renamed(account: Account):
    before = (await account.client.get(path_of(account))).json()
    status, after = await change(account, name="Difference Engines")
    assert (status, after) == (200, before | {"name": "Difference Engines"})


async def test_a_moved_organization_is_found_under_its_new_address(account: Account, app: Litestar):
    slug = f"moved-{uuid4().hex[:8]}"
    old = (await account.client.get(path_of(account))).json()["slug"]
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        before = (await read_routes(connection)).version
    assert (await change(account, slug=slug))[1]["slug"] == slug
    async with app.state.resources.pool.across_tenants.transaction() as connection:
        after = (await read_routes(connection)).version
    lookups = [{"organization": it, "project": "default"} for it in (old, slug)]
    assert [(await account.client.get("/api/v1/lookup", params=it)).status_code for it in lookups] == [404, 200]
    assert after > before


async def test_the_address_of_another_organization_is_taken(account: Account, stranger: Account):
    slug = (await stranger.client.get(path_of(stranger))).json()["slug"]
    status, refusal = await change(account, slug=slug)
    assert (status, refusal["type"]) == (409, "urn:headrace:problem:SlugTaken")


@pytest.mark.parametrize("slug", ["admin", "headrace", "www"])
async def test_an_address_of_the_operators_is_refused(account: Account, slug: str):
    status, refusal = await change(account, slug=slug)
    assert (status, refusal["title"]) == (409, "Address reserved")
    assert (await found(account, slug.upper()))["slug"].startswith(f"{slug}-")


@pytest.mark.parametrize("slug", ["аpple", "ＡＢＣ", "a--b", "-a", "a-", "a/b", "..", "A", "a\n", "a" * 49, ""])
async def test_an_address_is_plain_letters(account: Account, slug: str):
    assert (await change(account, slug=slug))[0] in (400, 422)


@pytest.mark.parametrize("body", [{"role": "owner"}, {"id": "another"}, {"deleted_at": None}, {"name": "a\nb"}, {"name": ""}])
async def test_nothing_else_can_be_said_of_it(account: Account, body: dict[str, Any]):
    wanted = {"name": "Named", **body}
    assert (await change(account, **wanted))[0] in (400, 422)
    assert (await account.client.post("/api/v1/organizations", json=wanted)).status_code in (400, 422)


async def test_usage_counts_over_all_projects_for_administrators(account: Account, stranger: Account, database_url: str):
    await join(database_url, account, stranger, "viewer")
    project = (await account.client.post(f"{path_of(account)}/projects", json={"name": "second"})).json()
    for project_id in (account.project_id, project["id"]):
        await account.client.post(f"/api/v1/projects/{project_id}/models", json={"name": "fraud"})
    await account.client.post(f"/api/v1/projects/{project['id']}/keys", json={"name": "key", "scopes": ["infer"]})
    await account.client.post(f"{path_of(account)}/invitations", json={"emails": ["new@example.com"], "role": "viewer"})
    assert (await stranger.client.get(f"{path_of(account)}/usage")).status_code == 403
    usage = (await account.client.get(f"{path_of(account)}/usage")).json()
    assert usage == {
        "members": 2,
        "service_accounts": 0,
        "invitations": 1,
        "projects": 2,
        "models": 2,
        "model_versions": 0,
        "deployments": 0,
        "keys": 1,
        "stored_bytes": 0,
    }


async def test_what_was_deleted_counts_no_more(account: Account):
    project = f"/api/v1/projects/{account.project_id}"
    await account.client.post(f"{project}/models", json={"name": "fraud"})
    await account.client.post(f"{project}/keys", json={"name": "key", "scopes": ["infer"]})
    keys = f"{path_of(account)}/keys"
    assert [it["key"]["name"] for it in (await account.client.get(keys)).json()["items"]] == ["key"]
    await account.client.delete(project)
    assert (await account.client.get(keys)).json()["items"] == []
    usage = (await account.client.get(f"{path_of(account)}/usage")).json()
    assert (usage["projects"], usage["models"], usage["keys"]) == (0, 0, 0)
