"""A job takes the same memory whatever the size of its file."""

from pathlib import Path

import msgspec
import pytest

from contracts.settings import ControlSettings
from tests import models
from tests.control.batch_jobs import jobs
from tests.control.conftest import Account
from tests.control.registry import create_version, deploy
from tests.gateway.running import RunningGateway

ROWS = 5600
FILLER = "z" * 50_000


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    """Little memory for a job."""
    return msgspec.structs.replace(settings, batch_job_memory_bytes=256 << 20)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
async def test_a_file_much_larger_than_the_memory_of_its_job_is_predicted(
    account: Account, serving: RunningGateway, tmp_path: Path, name: str
):
    deployment = await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx", width=2)))
    lines = {
        "rows.csv": b"x_0,x_1,filler\n" + b"".join(b"%d,1,%s%d\n" % (it, FILLER.encode(), it) for it in range(ROWS)),
        "rows.jsonl": b"".join(b'{"x_0":%d,"x_1":1,"filler":"%s%d"}\n' % (it, FILLER.encode(), it) for it in range(ROWS)),
    }[name]
    assert len(lines) > 256 << 20
    job = await jobs.predict(account, deployment, lines, name)
    assert (job["rows_done"], job["rows_failed"]) == (ROWS, 0)
    assert job["results"]["size_bytes"] > len(lines)
