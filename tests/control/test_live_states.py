"""What gateways do reaches open pages by itself: they take a deployment up, fail at it, let it go."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.workers import WORKERS_KEY, RevisionState, WorkerStatus, encode_worker, worker_key
from control.deployments import watching
from control.deployments.watching import Watcher, digests
from control.resources import Resources
from tests.control.conftest import Account
from tests.control.registry import Json, create_version, deploy, model_file
from tests.control.test_events import Heard, create_key, listening, resources, settings, url
from tests.control.told import told
from tests.control.workers import other_revision, report, status, write

__all__ = ["resources", "settings", "url"]

READY, LOADING, FAILED = RevisionState.READY, RevisionState.LOADING, RevisionState.FAILED


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_S", 0.02)


@pytest.fixture
async def deployment(account: Account, tmp_path: Path) -> Json:
    return await deploy(account, await create_version(account, model_file(tmp_path)))


@pytest.fixture
def redis(resources: Resources) -> Redis:
    return resources.redis


async def next_change(heard: AsyncIterator[Heard]) -> tuple[str | None, str | None]:
    async for it in heard:
        if it.kind == "change":
            return it.data["type"], it.data["target"]
    raise AssertionError("the stream has ended")


async def end(redis: Redis, worker_id: str) -> None:
    """Do what a worker does when it ends."""
    await redis.delete(worker_key(worker_id))
    await redis.zrem(WORKERS_KEY, worker_id)


async def test_pages_hear_of_every_step_of_a_deployment(url: str, account: Account, deployment: Json, redis: Redis):
    told = "deployment.state", deployment["id"]
    async with listening(url, account) as heard:
        for worker in (status("w1", report(deployment, LOADING)), status("w1", report(deployment, READY)), status("w2")):
            await write(redis, worker)
            assert await next_change(heard) == told
        await end(redis, "w2")
        assert await next_change(heard) == told
        await end(redis, "w1")
        assert await next_change(heard) == told


async def test_pages_hear_nothing_of_a_mere_sign_of_life(url: str, account: Account, deployment: Json, redis: Redis):
    async with listening(url, account) as heard:
        await write(redis, status("w1", report(deployment, READY)))
        assert (await next_change(heard))[0] == "deployment.state"
        await write(redis, status("w1", msgspec.structs.replace(report(deployment, READY), in_flight=7, queued_rows=70)))
        key = await create_key(account)
        assert await next_change(heard) == ("key.create", key)


async def test_other_projects_hear_nothing_of_it(url: str, account: Account, stranger: Account, deployment: Json, redis: Redis):
    async with listening(url, account) as heard, listening(url, stranger) as elsewhere:
        await write(redis, status("w1", report(deployment, READY)))
        assert (await next_change(heard))[0] == "deployment.state"
        key = await create_key(stranger)
        assert await next_change(elsewhere) == ("key.create", key)


async def test_what_came_while_nobody_looked_is_told_to_who_comes_back(
    url: str, account: Account, deployment: Json, redis: Redis
):
    async with listening(url, account) as heard:
        await write(redis, status("w1", report(deployment, LOADING)))
        assert (await next_change(heard))[0] == "deployment.state"
        last = (await told(redis, account, "deployment.state"))[-1].id
    await write(redis, status("w1", report(deployment, FAILED, "no memory")))
    async with listening(url, account, last) as heard:
        assert await next_change(heard) == ("deployment.state", deployment["id"])


async def test_of_several_processes_one_tells(resources: Resources, account: Account, deployment: Json, redis: Redis):
    watchers = [Watcher(resources.pool.across_tenants, redis) for _ in range(4)]
    await write(redis, status("w1", report(deployment, READY)))
    await asyncio.gather(*(it.look() for it in watchers))
    await asyncio.gather(*(it.look() for it in watchers))
    await create_key(account)
    assert [it.type for it in await told(redis, account, "key.create")].count("deployment.state") == 1


def test_what_workers_say_is_compared_whatever_their_order_and_load():
    deployment = {"id": other_revision(), "revision": {"id": other_revision()}}
    first, second = status("w1", report(deployment, READY)), status("w2", report(deployment, LOADING))
    busy = msgspec.structs.replace(first, heartbeat_at=1.0, revisions=(msgspec.structs.replace(first.revisions[0], in_flight=9),))
    assert of(first, second) == of(second, busy)
    assert of(first) != of(second) != of(first, second)
    assert UUID(next(iter(of(first)))) == first.revisions[0].deployment_id


def of(*workers: WorkerStatus) -> dict[str, str]:
    return digests([*map(encode_worker, workers), b"of another version"])
