"""Models: a line of versions under one name."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.control.conftest import Account
from tests.control.registry import create_model, create_version, deploy, model_file, project, upload


async def test_a_new_model_has_no_versions(account: Account):
    answer = await account.client.post(f"{project(account)}/models", json={"name": "Fraud", "description": "Cards"})
    model = answer.json()
    assert answer.status_code == 201
    assert (model["name"], model["description"], model["project_id"]) == ("Fraud", "Cards", str(account.project_id))
    assert (model["versions"], model["latest_version"], model["deployments"]) == (0, None, [])
    assert (await account.client.get(f"{project(account)}/models/{model['id']}")).json() == model


async def test_a_second_model_of_the_same_name_is_refused(account: Account):
    await create_model(account, "Fraud")
    answer = await account.client.post(f"{project(account)}/models", json={"name": "Fraud"})
    assert answer.status_code == 409
    assert "Fraud" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 65}, {"name": " x"}, {"name": "x\n"}, {"name": "x", "colour": "red"}]
)
async def test_an_unfit_model_is_refused(account: Account, body: dict[str, str]):
    answer = await account.client.post(f"{project(account)}/models", json=body)
    assert answer.status_code == 422


async def test_models_are_listed_newest_first_page_by_page(account: Account):
    ids = [(await create_model(account))["id"] for _ in range(3)]
    first = (await account.client.get(f"{project(account)}/models", params={"limit": 2})).json()
    query = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await account.client.get(f"{project(account)}/models", params=query)).json()
    assert [it["id"] for it in [*first["items"], *second["items"]]] == ids[::-1]
    assert second["next_cursor"] is None


async def test_a_model_shows_its_latest_version_and_where_it_is_deployed(account: Account, tmp_path: Path):
    model = await create_model(account)
    first = await create_version(account, model_file(tmp_path, 1), model["id"])
    second = await create_version(account, model_file(tmp_path, 2), model["id"])
    deployment = await deploy(account, first)
    shown = (await account.client.get(f"{project(account)}/models/{model['id']}")).json()
    listed = (await account.client.get(f"{project(account)}/models")).json()["items"]
    assert shown["versions"] == 2
    assert shown["latest_version"] == second
    assert shown["deployments"] == [{"id": deployment["id"], "name": deployment["name"], "version": 1}]
    assert listed == [shown]


async def test_versions_are_listed_newest_first_page_by_page(account: Account, tmp_path: Path):
    model = await create_model(account)
    versions = [await create_version(account, model_file(tmp_path, seed), model["id"]) for seed in range(3)]
    path = f"{project(account)}/models/{model['id']}/versions"
    first = (await account.client.get(path, params={"limit": 2})).json()
    second = (await account.client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [*first["items"], *second["items"]] == versions[::-1]
    assert second["next_cursor"] is None
    assert (await account.client.get(f"{path}/2")).json() == versions[1]


async def test_what_does_not_exist_is_not_found(account: Account):
    model = await create_model(account)
    models = f"{project(account)}/models"
    for path in (f"{models}/{uuid4()}", f"{models}/{uuid4()}/versions", f"{models}/{model['id']}/versions/1"):
        assert (await account.client.get(path)).status_code == 404
    assert (await account.client.delete(f"{models}/{uuid4()}")).status_code == 404
    assert (await upload(account, str(uuid4()), b"anything")).status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", str(2**31), "9" * 30])
async def test_a_number_no_version_can_have_is_refused(account: Account, number: str):
    model = await create_model(account)
    answer = await account.client.get(f"{project(account)}/models/{model['id']}/versions/{number}")
    assert answer.status_code == 422


async def test_a_model_of_another_project_is_not_found(account: Account, stranger: Account, tmp_path: Path):
    version = await create_version(account, model_file(tmp_path))
    path = f"{project(stranger)}/models/{version['model_id']}"
    for address in (path, f"{path}/versions", f"{path}/versions/1"):
        assert (await stranger.client.get(address)).status_code == 404
    assert (await stranger.client.delete(path)).status_code == 404
    assert (await upload(stranger, version["model_id"], b"anything")).status_code == 404
    assert (await stranger.client.get(f"{project(stranger)}/models")).json()["items"] == []


async def test_a_model_is_deleted_with_its_versions(account: Account, tmp_path: Path):
    version = await create_version(account, model_file(tmp_path))
    path = f"{project(account)}/models/{version['model_id']}"
    assert (await account.client.delete(path)).status_code == 204
    assert (await account.client.get(path)).status_code == 404


async def test_a_model_in_use_is_not_deleted(account: Account, tmp_path: Path):
    version = await create_version(account, model_file(tmp_path))
    deployment = await deploy(account, version)
    path = f"{project(account)}/models/{version['model_id']}"
    refused = await account.client.delete(path)
    assert refused.status_code == 409
    assert deployment["name"] in refused.json()["detail"]
    assert (await account.client.delete(f"{project(account)}/deployments/{deployment['id']}")).status_code == 204
    assert (await account.client.delete(path)).status_code == 204


async def test_a_model_in_a_deployments_history_is_not_deleted(account: Account, tmp_path: Path):
    old = await create_version(account, model_file(tmp_path, 1))
    new = await create_version(account, model_file(tmp_path, 2))
    deployment = await deploy(account, old)
    path = f"{project(account)}/deployments/{deployment['id']}"
    assert (await account.client.patch(path, json={"model_version_id": new["id"]})).status_code == 200
    assert (await account.client.delete(f"{project(account)}/models/{old['model_id']}")).status_code == 409
