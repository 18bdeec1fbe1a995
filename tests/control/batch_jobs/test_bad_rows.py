"""Rows that are wrong fail alone, each with its reason; all others have results."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import models
from tests.control.batch_jobs import jobs
from tests.control.conftest import Account
from tests.control.registry import Json, create_version, deploy

pytestmark = pytest.mark.usefixtures("serving")


@pytest.fixture
async def sums(account: Account, tmp_path: Path) -> Json:
    """A deployment of `y` = `x_0` + `x_1`."""
    return await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx", width=2)))


async def failures(account: Account, job: Json) -> list[dict[str, Any]]:
    """The file of failed rows."""
    return [json.loads(it) for it in (await jobs.download(account, job, "failed-rows")).splitlines()]


async def test_every_kind_of_bad_csv_row_fails_alone(account: Account, sums: Json):
    content = b"x_0,x_1\n1,2\nseven,2\n3\n1,2,3\n\n1e39,0\n1e400,0\n\xff,1\n1_000,1\n 5 ,5\n,1\n8\n"
    job = await jobs.predict(account, sums, content)
    assert await jobs.download(account, job) == b"x_0,x_1,y\n1,2,3\n 5 ,5,10\n,1,nan\n"
    assert (job["rows_done"], job["rows_failed"], job["rows_total"]) == (3, 8, 11)
    assert [(it["row"], it["error"]) for it in await failures(account, job)] == [
        (2, "column 'x_0': 'seven' is not a number"),
        (3, "the row has 1 values, the header has 2"),
        (4, "the row has 3 values, the header has 2"),
        (5, "column 'x_0': 1e+39 is too large for FP32"),
        (6, "column 'x_0': '1e400' is too large for FP32"),
        (7, "the row is not UTF-8"),
        (8, "column 'x_0': '1_000' is not a number"),
        (11, "the row has 1 values, the header has 2"),
    ]


async def test_every_kind_of_bad_json_line_fails_alone(account: Account, sums: Json):
    lines = [
        b'{"x_0": 1, "x_1": 2}',
        b'{"x_0": 1}',
        b'{"x_0": "1", "x_1": 2}',
        b'{"x_0": true, "x_1": 2}',
        b"[1, 2]",
        b"{nonsense",
        b'{"x_0": "\xff", "x_1": 2}',
        b"[" * 100_000,
        b'{"x_0": 1e400, "x_1": 2}',
        b'{"x_0": null, "x_1": 2}',
        b'{"x_0": 1, "x_1": 2, "filler": "%s"}' % (b"z" * (5 << 20)),
        b'{"x_0": 1, "x_1": 2, "filler": %s}' % (b"[" * 300 + b"]" * 300),
        b'{"x_0": 3, "x_1": 4}',
    ]
    job = await jobs.predict(account, sums, b"\n".join(lines), "rows.jsonl")
    results = [json.loads(it)["y"] for it in (await jobs.download(account, job)).splitlines()]
    failed = await failures(account, job)
    assert results == [3.0, None, 7.0]
    assert [it["row"] for it in failed] == [2, 3, 4, 5, 6, 7, 8, 9, 11, 12]
    assert failed[0] == {"row": 2, "error": "column 'x_1': the row has no such field", "values": {"x_0": 1}}
    assert "more than 4 MiB" in failed[-2]["error"]
    assert "nested too deeply" in failed[-1]["error"]


async def test_rows_that_the_model_fails_on_are_found_among_the_good_ones(account: Account, tmp_path: Path):
    deployment = await deploy(account, await create_version(account, models.failing_model(tmp_path / "failing.onnx")))
    indices = [it % 10 for it in range(400)]
    indices[17], indices[18], indices[399] = 99, 10, -77
    job = await jobs.predict(account, deployment, ("x\n" + "\n".join(map(str, indices))).encode())
    good = [it for it in indices if 0 <= it < 10]
    assert (await jobs.download(account, job)).decode() == "x,y\n" + "".join(f"{it},{it * 10}\n" for it in good)
    assert [it["row"] for it in await failures(account, job)] == [18, 19, 400]


async def test_a_file_whose_every_row_fails_has_no_results(account: Account, sums: Json):
    job = await jobs.predict(account, sums, b"x_0,x_1\na,b\nc,d\n")
    assert (job["rows_done"], job["rows_failed"], job["results"]) == (0, 2, None)
    answer = await account.client.get(f"{jobs.path(account, job)}/results")
    assert (answer.status_code, answer.json()["title"]) == (404, "Batch job file missing")


async def test_a_field_that_appears_late_is_not_overwritten_by_a_result(account: Account, sums: Json):
    lines = [b'{"x_0": 1, "x_1": 2}'] * 1000 + [b'{"x_0": 1, "x_1": 2, "y": "mine"}']
    job = await jobs.predict(account, sums, b"\n".join(lines), "rows.jsonl")
    [failed] = await failures(account, job)
    assert (failed["row"], failed["values"]["y"]) == (1001, "mine")
