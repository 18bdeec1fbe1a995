"""Whoever is not in a private project learns nothing of it: no list, search, count or address gives it away."""

import re
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from control.app import API_HANDLERS
from tests.control.conftest import Account, NewAccount
from tests.control.registry import create_version, deploy, model_file
from tests.control.test_members import join

WORD = "zanzibar"
READING = [
    path
    for handler in API_HANDLERS
    if "GET" in handler.http_methods and "events" not in str(handler.operation_id).lower()
    for path in handler.paths
]
SEARCHES = [{}, {"q": WORD}, {"tags": WORD}, {"target": WORD}, {"action": "project.create"}, {"state": "deleted"}]


@pytest.fixture
async def viewer(account: Account, new_account: NewAccount, database_url: str) -> Account:
    return await join(database_url, account, await new_account(), "viewer")


@pytest.fixture
async def hidden(account: Account) -> Account:
    """The account, in a private project."""
    about = {"name": WORD, "description": f"all about {WORD}", "tags": [WORD], "visibility": "private"}
    made = await account.client.post(f"/api/v1/organizations/{account.organization_id}/projects", json=about)
    return in_project(account, made.json()["id"])


def in_project(account: Account, project_id: str) -> Account:
    return msgspec.structs.replace(account, project_id=UUID(project_id))


async def fill(hidden: Account, folder: Path) -> None:
    """One of everything."""
    version = await create_version(hidden, model_file(folder))
    deployment = await deploy(hidden, version, f"{WORD}-deployment")
    key = {"name": f"{WORD} key", "scopes": ["infer"], "deployments": [deployment["id"]]}
    made = await hidden.client.post(f"/api/v1/projects/{hidden.project_id}/keys", json=key)
    assert made.status_code == 201, made.text


async def seen(by: Account) -> dict[str, str]:
    """What every list, search and count of their organization and of the project that they are in tells somebody."""
    found: dict[str, str] = {}
    for path in READING:
        path = path.replace("{organization_id:uuid}", str(by.organization_id)).replace("{project_id:uuid}", str(by.project_id))
        if "{" not in path:
            for search in SEARCHES:
                answer = await by.client.get(f"/api/v1{path}", params=search)
                found[f"{path} {search}"] = answer.text if answer.status_code == 200 else str(answer.status_code)
    return found


async def test_nothing_gives_away_what_is_in_it(hidden: Account, account: Account, viewer: Account, tmp_path: Path):
    outside = msgspec.structs.replace(viewer, organization_id=account.organization_id, project_id=account.project_id)
    before = await seen(outside)
    assert len(before) > 10 * len(SEARCHES)
    await fill(hidden, tmp_path)
    assert await seen(outside) == before
    assert [path for path, text in before.items() if WORD in text] == []
    assert [path for path, text in before.items() if str(hidden.project_id) in text] == []
    assert WORD in "".join((await seen(account)).values())


async def test_its_addresses_lead_nowhere(hidden: Account, viewer: Account):
    slug = next(it["slug"] for it in (await hidden.client.get("/api/v1/me")).json()["organizations"])
    looked_up = await viewer.client.get("/api/v1/lookup", params={"organization": slug, "project": WORD})
    assert looked_up.status_code == 404
    for path in READING:
        if "{project_id:uuid}" in path:
            path = re.sub(r"\{[^}]*:(uuid|int)\}", "1", path.replace("{project_id:uuid}", str(hidden.project_id)))
            assert (await viewer.client.get(f"/api/v1{path}")).status_code == 404, path
