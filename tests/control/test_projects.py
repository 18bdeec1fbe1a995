"""Projects: creating, finding, paging, and that another tenant's do not exist."""

from uuid import uuid4

import pytest

from control.slugs import candidate_slugs, slug_of
from tests.control.conftest import Account


def projects_of(account: Account) -> str:
    """Where the projects of the account's organization stand in the API."""
    return f"/api/v1/organizations/{account.organization_id}/projects"


async def create(account: Account, name: str, description: str = "") -> dict[str, str]:
    answer = await account.client.post(projects_of(account), json={"name": name, "description": description})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_created_project_can_be_read_back(account: Account):
    project = await create(account, "Fraud détection", "Cards, mostly.")
    assert project["slug"] == "fraud-detection"
    assert project["models"] == project["versions"] == project["deployments"] == 0
    assert project["created_at"].endswith("Z")
    assert (await account.client.get(f"/api/v1/projects/{project['id']}")).json() == project


async def test_a_project_is_found_by_its_slugs(account: Account):
    project = await create(account, "fraud")
    found = await account.client.get("/api/v1/lookup", params={"organization": project["organization_slug"], "project": "fraud"})
    assert found.json() == project


async def test_a_second_project_of_the_same_name_is_refused(account: Account):
    await create(account, "fraud")
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    again = await account.client.post(path, json={"name": "fraud"})
    assert again.status_code == 409
    assert again.json()["type"] == "urn:headrace:problem:ProjectNameTaken"


async def test_two_names_that_make_one_slug_are_told_apart(account: Account):
    slugs = {(await create(account, name))["slug"] for name in ("Card fraud", "card-fraud", "CARD FRAUD!")}
    assert len(slugs) == 3


async def test_projects_are_listed_newest_first_in_pages(account: Account):
    for name in ("one", "two", "three"):
        await create(account, name)
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    first = (await account.client.get(path, params={"limit": 3})).json()
    second = (await account.client.get(path, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [it["name"] for it in first["items"]] == ["three", "two", "one"]
    assert [it["name"] for it in second["items"]] == ["default"]
    assert second["next_cursor"] is None


async def test_a_page_that_just_fits_has_no_next(account: Account):
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    assert (await account.client.get(path, params={"limit": 1})).json()["next_cursor"] is None


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "many"}, {"cursor": "here"}])
async def test_a_wrong_page_is_the_callers_fault(account: Account, query: dict[str, str]):
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    assert (await account.client.get(path, params=query)).status_code == 422


async def test_another_tenants_projects_do_not_exist(account: Account, stranger: Account):
    slug = (await account.client.get(f"/api/v1/projects/{account.project_id}")).json()["organization_slug"]
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    answers = [
        await stranger.client.get(path),
        await stranger.client.post(path, json={"name": "mine now"}),
        await stranger.client.get(f"/api/v1/projects/{account.project_id}"),
        await stranger.client.get("/api/v1/lookup", params={"organization": slug, "project": "default"}),
    ]
    assert [it.status_code for it in answers] == [404] * 4


async def test_what_never_existed_is_not_found(account: Account):
    paths = [
        f"/projects/{uuid4()}",
        f"/organizations/{uuid4()}/projects",
        "/projects/default",
        "/lookup?organization=a&project=b",
    ]
    assert [(await account.client.get(f"/api/v1{it}")).status_code for it in paths] == [404] * 4


async def test_text_with_a_nul_is_the_callers_fault(account: Account):
    answer = await account.client.get("/api/v1/lookup", params={"organization": "\x00", "project": "default"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ada's models", "adas-models"),
        ("Größe & Maß", "groe-ma"),
        ("  --a--b--  ", "a-b"),
        ("模型", "project"),
        ("x" * 100, "x" * 48),
    ],
)
def test_a_slug_is_fit_for_an_address(name: str, slug: str):
    assert slug_of(name, "project") == slug


def test_candidates_differ():
    candidates = list(candidate_slugs("fraud", "project"))
    assert candidates[0] == "fraud"
    assert len(set(candidates)) == len(candidates)
