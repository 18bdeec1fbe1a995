"""A deployment's state, as the workers' reports make it."""

import time
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from contracts.settings import ControlSettings
from contracts.workers import WORKER_TTL_S, WORKERS_KEY, Choice, CurvePoint, RevisionState, Tuning, worker_key
from control.app import create_app
from control.deployments.schemas import Worker
from control.deployments.status import SILENT, judge
from control.resources import open_redis
from tests.control.conftest import Account, open_client, started
from tests.control.registry import Json, create_version, deploy, model_file, project
from tests.control.workers import other_revision, report, status, write

READY, LOADING, FAILED = RevisionState.READY, RevisionState.LOADING, RevisionState.FAILED


WHY = {"failed": "no memory", "unloaded": "it was unloaded"}


def workers(*states: str) -> list[Worker]:
    return [
        msgspec.structs.replace(SILENT, worker_id=str(number), state=it, error=WHY.get(it, ""))
        for number, it in enumerate(states)
    ]


@pytest.mark.parametrize(
    ("states", "is_served_by_earlier", "state", "reason"),
    [
        ([], False, "unavailable", "no gateway worker"),
        (["pending"], False, "pending", "no worker has picked up revision 3"),
        (["pending", "pending"], True, "pending", "no worker has picked up"),
        (["loading"], False, "starting", "loading revision 3"),
        (["loading", "pending"], True, "starting", "loading"),
        (["loading", "failed"], False, "starting", "loading"),
        (["ready"], False, "ready", ""),
        (["ready", "ready"], True, "ready", ""),
        (["ready", "loading"], False, "degraded", "1 of 2 workers"),
        (["ready", "pending"], False, "degraded", "1 of 2 workers"),
        (["ready", "failed", "ready"], False, "degraded", "2 of 3 workers serve revision 3; another failed: no memory"),
        (["failed"], False, "failed", "no memory"),
        (["failed", "pending"], False, "failed", "no memory"),
        (["failed"], True, "degraded", "an earlier one still serves: no memory"),
        (["unloaded", "unloaded"], False, "unavailable", "it was unloaded"),
        (["unloaded", "pending"], False, "unavailable", "it was unloaded"),
        (["unloaded", "ready"], False, "degraded", "1 of 2 workers"),
    ],
)
def test_the_state_follows_from_the_workers(states: list[str], is_served_by_earlier: bool, state: str, reason: str):
    judged = judge(workers(*states), 3, is_served_by_earlier)
    assert judged.state == state
    assert reason in judged.reason
    assert bool(judged.reason) == (state != "ready")


@pytest.fixture
async def deployment(account: Account, tmp_path: Path) -> Json:
    """A deployment nobody serves yet."""
    return await deploy(account, await create_version(account, model_file(tmp_path)))


@pytest.fixture
async def redis(redis_url: str, deployment: Json):
    """A client of the emptied Redis."""
    async with open_redis(redis_url) as redis:
        yield redis


async def state(account: Account, deployment: Json) -> Json:
    return (await account.client.get(f"{project(account)}/deployments/{deployment['id']}")).json()


async def test_what_a_worker_reports_is_shown(account: Account, deployment: Json, redis: Redis):
    worker = status("w1", report(deployment, READY))
    await write(redis, worker)
    shown = await state(account, deployment)
    listed = (await account.client.get(f"{project(account)}/deployments")).json()["items"]
    [seen] = shown["workers"]
    assert (shown["state"], shown["state_reason"]) == ("ready", "")
    assert (seen["worker_id"], seen["state"], seen["error"]) == ("w1", "ready", "")
    assert (seen["memory_bytes"], seen["queued_rows"], seen["in_flight"]) == (1000, 2, 3)
    assert seen["heartbeat_at"].endswith("Z")
    assert listed == [shown]


async def test_what_a_worker_measured_is_shown(account: Account, deployment: Json, redis: Redis):
    tuning = Tuning((CurvePoint(8, 2, 40.5),), (Choice("max_batch_size", "8", "it is the fastest", False),), 1e9, 0.25)
    await write(redis, status("w1", msgspec.structs.replace(report(deployment, READY), tuning=tuning)))
    [seen] = (await state(account, deployment))["workers"]
    assert seen["tuning"] == {
        "points": [{"rows": 8, "threads": 2, "run_us": 40.5}],
        "choices": [{"name": "max_batch_size", "value": "8", "reason": "it is the fastest", "is_pinned": False}],
        "measured_at": 1e9,
        "took_s": 0.25,
    }


async def test_a_failure_is_shown_with_its_reason(account: Account, deployment: Json, redis: Redis):
    await write(redis, status("w1", report(deployment, FAILED, "node 7 is bad")))
    shown = await state(account, deployment)
    assert (shown["state"], shown["state_reason"]) == ("failed", "node 7 is bad")
    assert shown["workers"][0]["error"] == "node 7 is bad"


async def test_a_failed_change_leaves_the_earlier_revision_serving(account: Account, deployment: Json, redis: Redis):
    earlier = report(deployment, READY, revision_id=other_revision())
    await write(redis, status("w1", earlier, report(deployment, FAILED, "node 7 is bad")))
    assert (await state(account, deployment))["state"] == "degraded"


async def test_reports_on_other_deployments_do_not_count(account: Account, deployment: Json, redis: Redis):
    other = await deploy(account, deployment["revision"]["model_version"])
    await write(redis, status("w1", report(other, READY)))
    assert (await state(account, deployment))["state"] == "pending"
    assert (await state(account, other))["state"] == "ready"


async def test_a_worker_that_fell_silent_does_not_count(account: Account, deployment: Json, redis: Redis):
    long_ago = time.time() - WORKER_TTL_S - 1
    await write(redis, status("w1", report(deployment, READY), heartbeat_at=long_ago))
    await write(redis, status("w2", report(deployment, READY)))
    await redis.delete(worker_key("w2"))
    assert (await state(account, deployment))["state"] == "unavailable"


async def test_a_report_nobody_can_read_does_not_count(account: Account, deployment: Json, redis: Redis):
    await redis.set(worker_key("w1"), b"\xc1 no message pack")
    await redis.zadd(WORKERS_KEY, {"w1": time.time()})
    assert (await state(account, deployment))["state"] == "unavailable"


async def test_without_redis_the_state_is_unknown_and_nothing_fails(
    account: Account, deployment: Json, settings: ControlSettings, tmp_path: Path
):
    blind = create_app(msgspec.structs.replace(settings, redis_url=f"unix://{tmp_path}/nobody.sock"))
    async with started(blind), open_client(blind, account.headers) as client:
        answer = await client.get(f"{project(account)}/deployments/{deployment['id']}")
        page = await client.get(f"{project(account)}/deployments")
        made = await client.patch(f"{project(account)}/deployments/{deployment['id']}", json={})
    assert (answer.status_code, page.status_code, made.status_code) == (200, 200, 200)
    assert answer.json()["state"] == page.json()["items"][0]["state"] == "unknown"
    assert "cannot be read" in answer.json()["state_reason"]
