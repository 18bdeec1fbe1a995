"""Pages hear how a job gets on: when it starts, how far it is, but not too often, and how it ends."""

from itertools import pairwise
from pathlib import Path

import pytest
from litestar import Litestar

from control.batch_jobs.telling import PROGRESS_S
from tests import models
from tests.control.batch_jobs import jobs
from tests.control.conftest import Account
from tests.control.registry import Json, create_version, deploy
from tests.control.told import Told, told

pytestmark = pytest.mark.usefixtures("serving")


async def told_of(job: Json, app: Litestar, account: Account, last: str) -> list[Told]:
    return [it for it in await told(app.state.resources.redis, account, f"batch_job.{last}") if it.target == job["id"]]


async def test_of_a_job_that_succeeds(app: Litestar, account: Account, tmp_path: Path):
    deployment = await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx", width=2)))
    content = b"x_0,x_1\n" + b"1,2\n" * 20_000
    job = await jobs.predict(account, deployment, content)
    found = await told_of(job, app, account, "succeed")
    progress = [int(it.id.partition("-")[0]) for it in found if it.type == "batch_job.progress"]
    assert [it.type.partition(".")[2] for it in found] == ["create", "start", *["progress"] * len(progress), "succeed"]
    assert progress
    assert all(later - earlier > 900 * PROGRESS_S for earlier, later in pairwise(progress))


async def test_of_a_job_that_fails(app: Litestar, account: Account, tmp_path: Path):
    deployment = await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx", width=2)))
    job = await jobs.start(account, deployment, b"x_0,x_1\n1,2\n")
    path = f"/api/v1/projects/{account.project_id}/deployments/{deployment['id']}"
    assert (await account.client.delete(path)).status_code == 204
    await jobs.until(account, job, "failed", "cancelled", "succeeded")
    found = await told_of(job, app, account, "fail")
    assert [it.type for it in found][:1] == ["batch_job.create"]
