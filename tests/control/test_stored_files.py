"""Stored files: shared by models, deleted with the last one that holds them, never from under an upload."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from litestar import Litestar

from contracts.artifacts import ArtifactUnavailable
from contracts.settings import ControlSettings
from control.audit.recording import Who
from control.database import Database
from control.registry import artifacts, service
from control.resources import Resources
from tests.control.conftest import Account
from tests.control.registry import create_model, create_version, model_file, project, stored_files, upload

AT_ONCE = timedelta(0)


@pytest.fixture
def resources(app: Litestar) -> Resources:
    """What the application opened at start."""
    return app.state.resources


@pytest.fixture
def database(resources: Resources) -> Database:
    return resources.pool.across_tenants


@pytest.fixture
async def connection(database_url: str) -> AsyncGenerator[asyncpg.Connection]:
    """A connection of the test's own."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


class BrokenStore:
    """A store that is out of reach."""

    async def put(self, source: Path, digest: str) -> None:
        raise ArtifactUnavailable("out of reach")

    async def local_copy(self, digest: str, cache: Path) -> Path:
        raise ArtifactUnavailable("out of reach")

    async def delete(self, digest: str) -> None:
        raise ArtifactUnavailable("out of reach")

    async def check(self) -> None:
        raise ArtifactUnavailable("out of reach")


async def delete(account: Account, model_id: str) -> None:
    answer = await account.client.delete(f"{project(account)}/models/{model_id}")
    assert answer.status_code == 204, answer.text


async def test_a_file_goes_with_the_last_model_that_holds_it(
    account: Account, stranger: Account, settings: ControlSettings, tmp_path: Path
):
    file = model_file(tmp_path, 101)
    ours, theirs = await create_version(account, file), await create_version(stranger, file)
    await delete(account, ours["model_id"])
    assert ours["digest"] in stored_files(settings.data)
    await delete(stranger, theirs["model_id"])
    assert ours["digest"] not in stored_files(settings.data)


async def test_two_who_delete_the_last_holders_at_once_delete_the_file(
    account: Account, settings: ControlSettings, tmp_path: Path
):
    file = model_file(tmp_path, 102)
    holders = [await create_version(account, file) for _ in range(5)]
    await asyncio.gather(*(delete(account, it["model_id"]) for it in holders))
    assert holders[0]["digest"] not in stored_files(settings.data)


async def test_uploads_and_deletions_of_one_file_never_lose_what_a_version_needs(
    account: Account, settings: ControlSettings, tmp_path: Path
):
    content = model_file(tmp_path, 103).read_bytes()

    async def come_and_go() -> None:
        model = await create_model(account)
        answer = await upload(account, model["id"], content)
        assert answer.status_code in {201, 503}, answer.text
        await delete(account, model["id"])

    kept = await create_model(account)
    outcomes = await asyncio.gather(come_and_go(), come_and_go(), upload(account, kept["id"], content), come_and_go())
    version = outcomes[2].json()
    assert outcomes[2].status_code == 201, outcomes[2].text
    assert version["digest"] in stored_files(settings.data)


async def test_a_file_that_is_being_deleted_is_not_claimed(database: Database, connection: asyncpg.Connection):
    digest = "a" * 64
    assert await artifacts.claim(connection, digest)
    async with database.transaction() as deleting:
        assert await artifacts.doom(deleting, [digest]) == [digest]
    assert not await artifacts.claim(connection, digest)
    assert not await artifacts.hold(connection, digest)
    assert await artifacts.doom(connection, [digest]) == []  # whoever doomed it deletes it, and nobody else
    await connection.execute("DELETE FROM artifacts WHERE digest = $1", digest)


async def test_an_upload_is_told_to_come_again_while_its_file_is_being_deleted(
    account: Account, connection: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "CLAIM_PAUSE_S", 0)
    file = model_file(tmp_path, 104)
    version = await create_version(account, file)
    await delete(account, version["model_id"])
    await connection.execute("INSERT INTO artifacts (digest, doomed_at) VALUES ($1, now())", version["digest"])
    model = await create_model(account)
    refused = await upload(account, model["id"], file.read_bytes())
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    await connection.execute("DELETE FROM artifacts WHERE digest = $1", version["digest"])
    assert (await upload(account, model["id"], file.read_bytes())).status_code == 201


async def test_an_upload_finishes_the_deletion_that_a_crash_left_undone(
    account: Account, connection: asyncpg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "CLAIM_PAUSE_S", 0)
    file = model_file(tmp_path, 108)
    version = await create_version(account, file)
    await delete(account, version["model_id"])
    dead = "INSERT INTO artifacts (digest, doomed_at) VALUES ($1, now() - $2::interval)"
    await connection.execute(dead, version["digest"], artifacts.LEASE)
    model = await create_model(account)
    assert (await upload(account, model["id"], file.read_bytes())).status_code == 201


async def test_a_deletion_waits_for_an_insertion_and_then_leaves_the_file(
    account: Account, database: Database, connection: asyncpg.Connection, tmp_path: Path
):
    version = await create_version(account, model_file(tmp_path, 105))
    model = await create_model(account)
    copy = """
        INSERT INTO model_versions (model_id, number, file_name, digest, size_bytes, inspection)
        SELECT $1, 1, file_name, digest, size_bytes, inspection FROM model_versions WHERE id = $2
    """
    async with connection.transaction():
        assert await artifacts.hold(connection, version["digest"])
        await connection.execute(copy, model["id"], version["id"])
        deleting = asyncio.create_task(delete(account, version["model_id"]))
        done, _ = await asyncio.wait([deleting], timeout=0.3)
        assert not done
    await deleting
    rows = await connection.fetch("SELECT doomed_at FROM artifacts WHERE digest = $1", version["digest"])
    assert [it["doomed_at"] for it in rows] == [None]


async def test_what_a_store_out_of_reach_kept_is_deleted_by_a_later_sweep(
    account: Account,
    resources: Resources,
    connection: asyncpg.Connection,
    settings: ControlSettings,
    tmp_path: Path,
):
    version = await create_version(account, model_file(tmp_path, 106))
    ids = account.project_id, version["model_id"]
    await service.delete_model(
        resources.pool, BrokenStore(), *ids, Who(account.user_id, account.organization_id, account.project_id)
    )
    assert version["digest"] in stored_files(settings.data)
    await artifacts.sweep(resources.pool.across_tenants, resources.artifacts)
    assert version["digest"] in stored_files(settings.data), "its deleter still has the lease"
    await connection.execute("UPDATE artifacts SET doomed_at = now() - interval '1 hour' WHERE digest = $1", version["digest"])
    await artifacts.sweep(resources.pool.across_tenants, resources.artifacts)
    assert version["digest"] not in stored_files(settings.data)


async def test_a_file_that_no_version_came_to_hold_is_swept_once_it_is_old(
    account: Account, resources: Resources, connection: asyncpg.Connection, settings: ControlSettings, tmp_path: Path
):
    file, digest = model_file(tmp_path, 107), "b" * 64
    held = await create_version(account, file)
    assert await artifacts.claim(connection, digest)
    await resources.artifacts.put(file, digest)
    await artifacts.sweep(resources.pool.across_tenants, resources.artifacts)
    assert digest in stored_files(settings.data)
    await artifacts.sweep(resources.pool.across_tenants, resources.artifacts, AT_ONCE)
    assert digest not in stored_files(settings.data)
    assert held["digest"] in stored_files(settings.data)
