"""Deployments: a name, a line of immutable revisions, and the change that reaches the gateways."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from contracts.routes import Batching, Cache, RevisionSettings
from tests.control.conftest import Account
from tests.control.registry import Json, create_version, deploy, model_file, project


@pytest.fixture
async def version(account: Account, tmp_path: Path) -> Json:
    """A model version."""
    return await create_version(account, model_file(tmp_path))


async def test_a_new_deployment_has_revision_1(account: Account, version: Json):
    deployment = await deploy(account, version, "fraud")
    revision = deployment["revision"]
    assert (deployment["name"], deployment["project_id"]) == ("fraud", str(account.project_id))
    assert (revision["number"], revision["model_version"]) == (1, version)
    assert revision["settings"] == msgspec.to_builtins(RevisionSettings())
    assert (deployment["state"], deployment["workers"]) == ("unavailable", [])
    assert (await account.client.get(f"{project(account)}/deployments/{deployment['id']}")).json() == deployment


@pytest.mark.parametrize("name", ["a", "0", "fraud-2", "x" * 63])
async def test_a_fit_name_is_taken(account: Account, version: Json, name: str):
    assert (await deploy(account, version, name))["name"] == name


@pytest.mark.parametrize("name", ["", "Fraud", "-a", "a-", "a_b", "a.b", "a b", "ä", "x" * 64, "a\n"])
async def test_an_unfit_name_is_refused(account: Account, version: Json, name: str):
    body = {"name": name, "model_version_id": version["id"]}
    answer = await account.client.post(f"{project(account)}/deployments", json=body)
    assert answer.status_code == 422


async def test_a_name_is_taken_once_in_a_project(account: Account, stranger: Account, version: Json, tmp_path: Path):
    await deploy(account, version, "fraud")
    body = {"name": "fraud", "model_version_id": version["id"]}
    assert (await account.client.post(f"{project(account)}/deployments", json=body)).status_code == 409
    await deploy(stranger, await create_version(stranger, model_file(tmp_path)), "fraud")


@pytest.mark.parametrize(
    "batching",
    [{"max_batch_size": 0}, {"max_batch_size": 4097}, {"max_delay_us": -1}, {"max_delay_us": 1_000_001}, {"max_delay_ms": 5}],
)
async def test_unfit_batching_is_refused(account: Account, version: Json, batching: dict[str, int]):
    deployment = await deploy(account, version)
    body = {"name": "other", "model_version_id": version["id"], "settings": {"batching": batching}}
    assert (await account.client.post(f"{project(account)}/deployments", json=body)).status_code == 422
    path = f"{project(account)}/deployments/{deployment['id']}"
    assert (await account.client.patch(path, json={"settings": {"batching": batching}})).status_code == 422


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"batching": {"max_batch_size": 8, "max_queue_rows": 7}}, "max_queue_rows"),
        ({"batching": {"max_delay_us": 5000, "timeout_ms": 5}}, "max_delay_us"),
        ({"batching": {"max_delay_us": 5000}, "latency_goal_ms": 5}, "latency goal"),
        ({"batching": {"timeout_ms": 5}, "latency_goal_ms": 6}, "timeout_ms"),
        ({"batching": {"padding": {"buckets": [8, 8]}}}, "padding.buckets"),
    ],
)
async def test_settings_that_cannot_both_hold_are_refused(account: Account, version: Json, wanted: dict[str, Any], named: str):
    deployment = await deploy(account, version)
    body = {"name": "other", "model_version_id": version["id"], "settings": wanted}
    answer = await account.client.post(f"{project(account)}/deployments", json=body)
    assert (answer.status_code, named in answer.json()["detail"]) == (422, True)
    path = f"{project(account)}/deployments/{deployment['id']}"
    assert (await account.client.patch(path, json={"settings": wanted})).status_code == 422


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, RevisionSettings(Batching(8, 100))),
        ({"settings": {"batching": {"max_delay_us": 0}}}, RevisionSettings(Batching(None, 0))),
        ({"settings": {"cache": {"ttl_s": 5}}}, RevisionSettings(cache=Cache(ttl_s=5))),
    ],
)
async def test_a_change_makes_a_new_revision_of_what_it_does_not_name(
    account: Account, version: Json, change: dict[str, Any], expected: RevisionSettings
):
    deployment = await deploy(account, version, settings={"batching": {"max_batch_size": 8, "max_delay_us": 100}})
    path = f"{project(account)}/deployments/{deployment['id']}"
    changed = (await account.client.patch(path, json=change)).json()
    assert changed["revision"]["number"] == 2
    assert changed["revision"]["model_version"] == version
    assert changed["revision"]["settings"] == msgspec.to_builtins(expected)
    assert changed["updated_at"] > deployment["updated_at"]


async def test_another_version_is_put_in_place_and_the_history_is_kept(account: Account, version: Json, tmp_path: Path):
    deployment = await deploy(account, version)
    path = f"{project(account)}/deployments/{deployment['id']}"
    newer = await create_version(account, model_file(tmp_path, 1), version["model_id"])
    changed = (await account.client.patch(path, json={"model_version_id": newer["id"]})).json()
    first = (await account.client.get(f"{path}/revisions", params={"limit": 1})).json()
    cursor = {"cursor": first["next_cursor"]}
    second = (await account.client.get(f"{path}/revisions", params=cursor)).json()
    assert changed["revision"]["model_version"] == newer
    assert [*first["items"], *second["items"]] == [changed["revision"], deployment["revision"]]
    assert second["next_cursor"] is None


async def test_concurrent_changes_get_numbers_of_their_own(account: Account, version: Json):
    deployment = await deploy(account, version)
    path = f"{project(account)}/deployments/{deployment['id']}"
    answers = await asyncio.gather(*(account.client.patch(path, json={}) for _ in range(4)))
    assert [it.status_code for it in answers] == [200] * 4
    revisions = (await account.client.get(f"{path}/revisions")).json()["items"]
    assert [it["number"] for it in revisions] == [5, 4, 3, 2, 1]


async def test_deployments_are_listed_newest_first_page_by_page(account: Account, version: Json):
    made = [await deploy(account, version) for _ in range(3)]
    path = f"{project(account)}/deployments"
    first = (await account.client.get(path, params={"limit": 2})).json()
    second = (await account.client.get(path, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [*first["items"], *second["items"]] == made[::-1]
    assert second["next_cursor"] is None


async def test_a_deployment_is_deleted_with_its_history(account: Account, version: Json):
    deployment = await deploy(account, version)
    path = f"{project(account)}/deployments/{deployment['id']}"
    await account.client.patch(path, json={})
    assert (await account.client.delete(path)).status_code == 204
    assert (await account.client.get(path)).status_code == 404
    assert (await account.client.delete(path)).status_code == 404


async def test_a_version_of_another_project_cannot_be_deployed(
    account: Account, stranger: Account, version: Json, tmp_path: Path
):
    body = {"name": "fraud", "model_version_id": version["id"]}
    assert (await stranger.client.post(f"{project(stranger)}/deployments", json=body)).status_code == 404
    theirs = await deploy(stranger, await create_version(stranger, model_file(tmp_path)))
    change = {"model_version_id": version["id"]}
    assert (await stranger.client.patch(f"{project(stranger)}/deployments/{theirs['id']}", json=change)).status_code == 404
    shown = (await stranger.client.get(f"{project(stranger)}/deployments")).json()["items"]
    assert [(it["id"], it["revision"]["number"]) for it in shown] == [(theirs["id"], 1)]


async def test_a_deployment_of_another_project_is_not_found(account: Account, stranger: Account, version: Json):
    deployment = await deploy(account, version)
    path = f"{project(stranger)}/deployments/{deployment['id']}"
    for address in (path, f"{path}/revisions", f"{path}/monitoring/requests", f"{path}/monitoring/recent"):
        assert (await stranger.client.get(address)).status_code == 404, address
    assert (await stranger.client.patch(path, json={})).status_code == 404
    assert (await stranger.client.post(f"{path}/infer", json={})).status_code == 404
    assert (await stranger.client.delete(path)).status_code == 404
    assert (await account.client.get(f"{project(account)}/deployments/{deployment['id']}")).status_code == 200


async def test_what_does_not_exist_is_not_found(account: Account):
    path = f"{project(account)}/deployments/{uuid4()}"
    for address in (path, f"{path}/revisions", f"{path}/monitoring/requests", f"{path}/monitoring/recent"):
        assert (await account.client.get(address)).status_code == 404
    assert (await account.client.patch(path, json={})).status_code == 404
