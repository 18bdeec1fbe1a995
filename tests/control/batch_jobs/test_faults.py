"""Whatever dies, moves or is cancelled in mid-job: no row is lost, none is there twice, and none is another model's."""

import asyncio
import itertools
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from contracts.settings import ControlSettings
from control.database import connected
from tests import models
from tests.control import processes
from tests.control.batch_jobs import jobs
from tests.control.conftest import Account
from tests.control.registry import Json, create_version, deploy, project, stored_files
from tests.gateway.running import RunningGateway
from tests.services import wait_until

ROWS = 150_000
FIRST = itertools.count(step=ROWS)


class Table:
    """The rows of one test, and what the model says to them; no other test has the same files."""

    def __init__(self) -> None:
        numbers = range(begin := next(FIRST), begin + ROWS)
        self.content = b"id,x_0,x_1\n" + b"".join(b"%d,%d,0.5\n" % (it, it) for it in numbers)
        self.results = b"id,x_0,x_1,y\n" + b"".join(b"%d,%d,0.5,%d.5\n" % (it, it, it) for it in numbers)


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    """The control plane of the tests runs no jobs: others that may be killed do."""
    return msgspec.structs.replace(settings, batch_jobs_at_once=0)


@pytest.fixture
async def sums(account: Account, serving: RunningGateway, tmp_path: Path) -> Json:
    """A deployment of `y` = `x_0` + `x_1`."""
    return await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx", width=2)))


@contextmanager
def other_control(settings: ControlSettings) -> Generator[subprocess.Popen[bytes]]:
    """A control process beside ours that runs jobs; killed at the end if it has not ended."""
    variables = processes.environment(settings.database_url) | {
        "HEADRACE_DATA": str(settings.data / "other"),
        "HEADRACE_REDIS_URL": settings.redis_url,
        "HEADRACE_ARTIFACTS": settings.artifacts,
        "HEADRACE_GATEWAY_URL": settings.gateway_url,
        "HEADRACE_BATCH_JOBS_AT_ONCE": "1",
    }
    process = subprocess.Popen([sys.executable, "-m", "control"], env=variables)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def progressed(account: Account, job: Json, beyond: int = 0) -> Json:
    """The job once more than `beyond` rows are done, but not all."""
    async with asyncio.timeout(60):
        while (now := await jobs.look(account, job))["rows_done"] <= beyond:
            assert now["state"] in {"queued", "running"}, now
            await asyncio.sleep(jobs.POLL_S)
    assert now["state"] == "running"
    return now


def kill_at_once(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` a control process and what it started, the children first, so that nobody can say goodbye."""
    process.send_signal(signal.SIGSTOP)
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()


async def let_the_lease_end(database_url: str, job: Json) -> None:
    """Make it as late as it has to be for others to take the job."""
    async with connected(database_url) as connection:
        changed = await connection.execute("UPDATE batch_jobs SET lease_until = now() WHERE id = $1", job["id"])
    assert changed == "UPDATE 1"


async def test_a_killed_control_planes_job_goes_on_where_it_was(
    account: Account, sums: Json, table: Table, settings: ControlSettings
):
    job = await jobs.start(account, sums, table.content)
    with other_control(settings) as process:
        before = await progressed(account, job)
        kill_at_once(process)
    await let_the_lease_end(settings.database_url, job)
    with other_control(settings):
        after = await progressed(account, job, before["rows_done"])
        done = await jobs.until(account, job, "succeeded", timeout_s=90)
    assert after["started_at"] == before["started_at"]
    assert (done["rows_done"], done["rows_failed"], done["rows_total"]) == (ROWS, 0, ROWS)
    assert await jobs.download(account, job) == table.results


async def test_a_killed_process_of_a_job_is_replaced(account: Account, sums: Json, table: Table, settings: ControlSettings):
    job = await jobs.start(account, sums, table.content)
    with other_control(settings) as process:
        await progressed(account, job)
        for child in psutil.Process(process.pid).children():
            child.kill()
        await jobs.until(account, job, "succeeded")
    assert await jobs.download(account, job) == table.results


async def test_a_control_plane_that_ends_in_good_order_gives_its_job_back_at_once(
    account: Account, sums: Json, table: Table, settings: ControlSettings
):
    job = await jobs.start(account, sums, table.content)
    with other_control(settings) as process:
        await progressed(account, job)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 10) == 0
    assert (await jobs.look(account, job))["state"] == "queued"
    with other_control(settings):
        await jobs.until(account, job, "succeeded")
    assert await jobs.download(account, job) == table.results


async def test_a_cancelled_job_stops_and_can_be_resumed(account: Account, sums: Json, table: Table, settings: ControlSettings):
    job = await jobs.start(account, sums, table.content)
    with other_control(settings) as process:
        await progressed(account, job)
        answer = await account.client.post(f"{jobs.path(account, job)}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        await asyncio.to_thread(wait_until, lambda: not psutil.Process(process.pid).children(), "the job's process to end")
        stopped = await jobs.look(account, job)
        assert stopped["rows_done"] < ROWS
        again = await account.client.post(f"{jobs.path(account, job)}/cancel")
        assert (again.status_code, again.json()["detail"]) == (409, "the job is over: cancelled")
        resumed = await account.client.post(f"{jobs.path(account, job)}/resume")
        assert resumed.json()["rows_done"] == stopped["rows_done"]
        await jobs.until(account, job, "succeeded")
    assert await jobs.download(account, job) == table.results
    assert (await account.client.post(f"{jobs.path(account, job)}/resume")).status_code == 409


async def test_a_deleted_job_stops_and_leaves_no_files(account: Account, sums: Json, table: Table, settings: ControlSettings):
    artifacts = Path(settings.artifacts)
    before = stored_files(artifacts)
    job = await jobs.start(account, sums, table.content)
    with other_control(settings) as process:
        await progressed(account, job)
        assert (await account.client.delete(jobs.path(account, job))).status_code == 204
        await asyncio.to_thread(wait_until, lambda: not psutil.Process(process.pid).children(), "the job's process to end")
    assert (await account.client.get(jobs.path(account, job))).status_code == 404
    assert stored_files(artifacts) == before


async def test_a_job_survives_a_gateway_that_is_away(
    account: Account, sums: Json, table: Table, settings: ControlSettings, gateway: RunningGateway
):
    job = await jobs.start(account, sums, table.content)
    with other_control(settings):
        await progressed(account, job)
        gateway.kill()
        await asyncio.to_thread(gateway.start)
        await jobs.until(account, job, "succeeded")
    assert await jobs.download(account, job) == table.results


async def test_results_of_two_models_are_never_mixed(
    account: Account, sums: Json, table: Table, settings: ControlSettings, tmp_path: Path
):
    other = await create_version(account, models.sum_model(tmp_path / "other.onnx", width=2, metadata={"other": "file"}))
    path = f"{project(account)}/deployments/{sums['id']}"
    job = await jobs.start(account, sums, table.content)
    with other_control(settings):
        await progressed(account, job)
        await account.client.patch(path, json={"model_version_id": other["id"]})
        failed = await jobs.until(account, job, "failed")
        assert f"now serves {other['model_name']!r} version 1" in failed["reason"]
        assert 0 < failed["rows_done"] < ROWS
        assert failed["results"] is None
        await account.client.patch(path, json={"model_version_id": sums["revision"]["model_version"]["id"]})
        resumed = await account.client.post(f"{jobs.path(account, job)}/resume")
        assert (resumed.json()["state"], resumed.json()["reason"]) == ("queued", "")
        await jobs.until(account, job, "succeeded")
    assert await jobs.download(account, job) == table.results


async def test_a_job_ends_with_its_deployment(account: Account, sums: Json, table: Table, settings: ControlSettings):
    job = await jobs.start(account, sums, table.content)
    with other_control(settings):
        await progressed(account, job)
        await account.client.delete(f"{project(account)}/deployments/{sums['id']}")
        failed = await jobs.until(account, job, "failed")
    assert "was deleted" in failed["reason"]
    assert (failed["deployment_id"], failed["deployment_name"]) == (None, sums["name"])
