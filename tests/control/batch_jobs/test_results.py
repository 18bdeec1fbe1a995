"""From a file of rows to the same rows with the model's answers, through a real gateway."""

import csv
import io
from pathlib import Path

import pytest

from tests import models
from tests.control.batch_jobs import jobs
from tests.control.conftest import Account
from tests.control.registry import Json, create_version, deploy

pytestmark = pytest.mark.usefixtures("serving")


@pytest.fixture
async def sums(account: Account, tmp_path: Path) -> Json:
    """A deployment of `y` = the sum of `x_0` to `x_3`."""
    return await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx")), "sums")


def rows(count: int) -> list[list[float]]:
    return [[it, it / 2, -1.0, 0.25] for it in range(count)]


async def test_csv_rows_come_back_with_the_sums_beside_them(account: Account, sums: Json):
    lines = ["id,x_0,x_1,x_2,x_3,note"] + [f'{n},{a},{b},{c},{d},"no, {n}"' for n, (a, b, c, d) in enumerate(rows(1000))]
    job = await jobs.predict(account, sums, "\n".join(lines).encode())
    found = list(csv.DictReader(io.StringIO((await jobs.download(account, job)).decode())))
    assert (job["rows_done"], job["rows_failed"], job["rows_total"]) == (1000, 0, 1000)
    assert [it["id"] for it in found] == [str(n) for n in range(1000)]
    assert [it["note"] for it in found] == [f"no, {n}" for n in range(1000)]
    assert [float(it["y"]) for it in found] == [sum(it) for it in rows(1000)]
