"""From a file of rows to the same rows with the model's answers, through a real gateway."""

import csv
import io
import json
from pathlib import Path

import onnx
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests import models
from tests.control.batch_jobs import jobs
from tests.control.batch_jobs.jobs import parquet
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


async def test_json_lines_come_back_with_the_sums_beside_them(account: Account, sums: Json):
    lines = [{"x_0": a, "x_1": b, "x_2": c, "x_3": d, "extra": {"n": [n, None, "é"]}} for n, (a, b, c, d) in enumerate(rows(300))]
    job = await jobs.predict(account, sums, b"\n\n".join(json.dumps(it).encode() for it in lines), "rows.jsonl")
    found = [json.loads(it) for it in (await jobs.download(account, job)).splitlines()]
    assert found == [line | {"y": sum(row)} for line, row in zip(lines, rows(300), strict=True)]
    assert job["results"]["file_name"] == "rows-results.jsonl"


async def test_parquet_rows_come_back_with_the_sums_beside_them(account: Account, sums: Json):
    table = pa.table(
        {f"x_{it}": pa.array([row[it] for row in rows(5000)], pa.float64()) for it in range(4)}
        | {"when": pa.array(range(5000), pa.timestamp("us")), "tags": [["a", None]] * 5000, "y": ["taken"] * 5000}
    )
    job = await jobs.predict(account, sums, parquet(table, row_group_size=700), "rows.parquet")
    found = pyarrow.parquet.read_table(io.BytesIO(await jobs.download(account, job)))
    assert found.select(table.schema.names).equals(table)
    assert found.schema.names == [*table.schema.names, "predicted_y"]
    assert found["predicted_y"].type == pa.float32()
    assert found["predicted_y"].to_pylist() == [sum(it) for it in rows(5000)]


async def test_features_are_found_by_the_names_in_the_models_metadata(account: Account, tmp_path: Path):
    metadata = {"headrace.features": '["age", {"name": "income"}]'}
    version = await create_version(account, models.sum_model(tmp_path / "named.onnx", width=2, metadata=metadata))
    job = await jobs.predict(account, await deploy(account, version), b"income,age\n1000,42\n")
    assert await jobs.download(account, job) == b"income,age,y\n1000,42,1042\n"


async def test_each_output_of_several_values_is_as_many_columns_of_a_csv_file(account: Account, tmp_path: Path):
    version = await create_version(account, models.linear_model(tmp_path / "linear.onnx", width=2, outputs=2))
    job = await jobs.predict(account, await deploy(account, version), b"x_0,x_1,y\n0,0,label\n")
    assert await jobs.download(account, job) == b"x_0,x_1,y,predicted_y_0,predicted_y_1\n0,0,label,0,0\n"


@pytest.mark.parametrize("name", ["BOOL", "INT8", "UINT8", "INT64", "UINT64", "FLOAT16", "FLOAT", "DOUBLE", "STRING"])
async def test_every_datatype_goes_through_unchanged(account: Account, tmp_path: Path, name: str):
    values: dict[str, list[object]] = {
        "BOOL": [True, False],
        "INT8": [-128, 127],
        "UINT8": [0, 255],
        "INT64": [-(2**63), 2**63 - 1],
        "UINT64": [0, 2**64 - 1],
        "FLOAT16": [0.5, -65504.0],
        "FLOAT": [0.25, -1e38],
        "DOUBLE": [0.1, 1e308],
        "STRING": ["", 'Zoë, "x"\n'],
    }
    version = await create_version(account, models.identity_model(tmp_path / "echo.onnx", onnx.TensorProto.DataType.Value(name)))
    deployment = await deploy(account, version)
    lines = b"\n".join(json.dumps({"x_0": it, "x_1": it}).encode() for it in values[name])
    job = await jobs.predict(account, deployment, lines, "rows.jsonl")
    found = [json.loads(it) for it in (await jobs.download(account, job)).splitlines()]
    assert [it["y"] for it in found] == [[it, it] for it in values[name]]


async def test_rows_of_different_lengths_go_through_as_lists(account: Account, tmp_path: Path):
    model = models.identity_model(tmp_path / "free.onnx", models.FLOAT, ("N", "length"))
    deployment = await deploy(account, await create_version(account, model))
    lists = [[1.0], [2.0, 3.0], [4.0, 5.0], [], [6.0] * 9]
    lines = b"x\n" + b"".join(b'"%s"\n' % json.dumps(it).encode() for it in lists)
    job = await jobs.predict(account, deployment, lines)
    assert job["rows_done"] == len(lists), await jobs.download(account, job, "failed-rows")
    found = list(csv.DictReader(io.StringIO((await jobs.download(account, job)).decode())))
    assert [json.loads(it["y"]) for it in found] == lists


async def test_a_model_without_a_row_axis_runs_once_a_row(account: Account, tmp_path: Path):
    deployment = await deploy(account, await create_version(account, models.scalar_model(tmp_path / "scalar.onnx")))
    job = await jobs.predict(account, deployment, b"x\n1\n2\n3\n")
    assert await jobs.download(account, job) == b"x,y\n1,2\n2,3\n3,4\n"


async def test_mixed_inputs_are_columns_of_their_own(account: Account, tmp_path: Path):
    deployment = await deploy(account, await create_version(account, models.columns_model(tmp_path / "columns.onnx")))
    job = await jobs.predict(account, deployment, b'country,amount\nCH,12.5\n"a""b",\n')
    assert await jobs.download(account, job) == b'country,amount,amount_out,country_out\nCH,12.5,12.5,CH\n"a""b",,nan,"a""b"\n'


async def test_rows_of_a_model_that_mixes_them_go_alone(account: Account, tmp_path: Path):
    deployment = await deploy(account, await create_version(account, models.mixing_model(tmp_path / "mixing.onnx")))
    job = await jobs.predict(account, deployment, b"x_0,x_1\n1,2\n3,4\n5,6\n")
    assert (await jobs.download(account, job)).splitlines()[1:] == [b"1,2,0,0", b"3,4,0,0", b"5,6,0,0"]


async def test_what_people_do_with_jobs_is_in_the_audit_log(account: Account, sums: Json):
    job = await jobs.predict(account, sums, b"x_0,x_1,x_2,x_3\n1,2,3,4\n", "customers.csv")
    await account.client.delete(jobs.path(account, job))
    log = await account.client.get(f"/api/v1/organizations/{account.organization_id}/audit", params={"action": "batch_job"})
    found = [(it["action"], it["target_id"], it["target_name"]) for it in log.json()["items"]]
    assert found == [(f"batch_job.{it}", job["id"], "customers.csv") for it in ("delete", "create")]
