"""Files that no job is made of: refused at once with what is wrong, and nothing of them is kept."""

from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow as pa
import pytest

from contracts.settings import ControlSettings
from tests import models
from tests.control.batch_jobs import jobs
from tests.control.batch_jobs.jobs import parquet
from tests.control.conftest import Account
from tests.control.registry import Json, create_version, deploy, project, stored_files


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    """Small files only, and no job runs."""
    return msgspec.structs.replace(settings, max_batch_input_bytes=12 << 20, batch_jobs_at_once=0)


@pytest.fixture
async def sums(account: Account, tmp_path: Path) -> Json:
    """A deployment of `y` = `x_0` + `x_1`."""
    return await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx", width=2)))


TWICE = parquet(pa.table([pa.array([1.0]), pa.array([2.0])], names=["x_0", "x_0"]))
FLAT = parquet(pa.table({"x_0": [1.0], "x_1": [1.0]}))

REFUSED = {
    "nothing": (b"", "rows.csv", "the file is empty"),
    "only a header": (b"x_0,x_1\n", "rows.csv", "the file has no rows"),
    "half a header": (b"x_0,x_1", "rows.csv", "cannot infer number of columns"),
    "no such column": (b"x_0,z\n1,2\n", "rows.csv", "no column 'x_1'"),
    "semicolons": (b"x_0;x_1\n1;2\n", "rows.csv", "the file has 'x_0;x_1'"),
    "a column twice": (b"x_0,x_1,x_0\n1,2,3\n", "rows.csv", "two columns are named 'x_0'"),
    "a name in Latin-1": (b"x_0,x_1,\xe9\n1,2,3\n", "rows.csv", "not UTF-8"),
    "an open quote": (b'x_0,x_1\n1,"' + b"2\n" * (5 << 20), "rows.csv", "a quote is not closed"),
    "a huge line": (b"x_0,x_1\n1," + b"2" * (9 << 20) + b"\n", "rows.csv", "more than 2 MiB"),
    "too many columns": (b",".join(b"c%d" % it for it in range(10_001)) + b"\n", "rows.csv", "10,001 columns"),
    "blank lines": (b"\n\n\n", "rows.jsonl", "the file has no rows"),
    "other fields": (b'{"a": 1}\n', "rows.jsonl", "no column 'x_0'"),
    "no objects": (b"1\n2\n", "rows.jsonl", "no column 'x_0'"),
    "no Parquet": (b"x_0,x_1\n1,2\n", "rows.parquet", "cannot be read"),
    "a cut Parquet": (FLAT[: len(FLAT) // 2], "rows.parquet", "cannot be read"),
    "a column twice in Parquet": (TWICE, "rows.parquet", "two columns are named 'x_0'"),
    "a Parquet without rows": (parquet(pa.table({"x_0": pa.array([], pa.float64()), "x_1": []})), "rows.parquet", "no rows"),
    "an unknown ending": (b"1,2", "rows.xlsx", "must end in one of"),
    "no ending": (b"1,2", "rows", "must end in one of"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_file_that_does_not_fit_is_refused_and_not_kept(
    account: Account, sums: Json, settings: ControlSettings, what: str
):
    content, file_name, reason = REFUSED[what]
    before = stored_files(settings.data) | stored_files(Path(settings.artifacts))
    answer = await jobs.send(account, sums, content, file_name)
    assert answer.status_code == 422, answer.text
    assert reason in answer.json()["detail"]
    assert (await account.client.get(f"{project(account)}/batch-jobs")).json()["items"] == []
    assert stored_files(settings.data) | stored_files(Path(settings.artifacts)) == before


async def test_a_file_that_is_too_large_is_refused_announced_or_not(account: Account, sums: Json):
    content = b"x_0,x_1\n" + b"1,2\n" * (4 << 20)

    async def unannounced():
        yield content

    parameters = {"deployment_id": sums["id"], "file_name": "rows.csv"}
    announced = await jobs.send(account, sums, content)
    chunked = await account.client.post(f"{project(account)}/batch-jobs", params=parameters, content=unannounced())
    assert (announced.status_code, chunked.status_code) == (413, 413)
    assert announced.json()["detail"] == chunked.json()["detail"] == "an input file may have 12,582,912 bytes at most"


async def test_a_page_that_decompresses_to_gigabytes_is_refused(account: Account, sums: Json, settings: ControlSettings):
    long = pa.array(["z" * (300 << 20)])
    table = pa.table({"x_0": [1.0], "x_1": [1.0], "a": long, "b": long, "c": long, "d": long})
    bomb = parquet(table, compression="zstd", use_dictionary=False, write_statistics=False)
    assert len(bomb) < 1 << 20
    answer = await jobs.send(account, sums, bomb, "bomb.parquet")
    assert answer.status_code == 422, answer.text
    assert "memory" in answer.json()["detail"]


async def test_what_is_not_the_projects_is_not_there(account: Account, stranger: Account, sums: Json):
    content = b"x_0,x_1\n1,2\n"
    assert (await jobs.send(stranger, sums, content)).status_code == 404
    assert (await jobs.send(account, {"id": str(uuid4())}, content)).status_code == 404
    job = await jobs.start(account, sums, content)
    calls = [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/resume"), ("GET", "/results"), ("GET", "/failed-rows")]
    for method, tail in calls:
        answer = await stranger.client.request(method, f"{project(stranger)}/batch-jobs/{job['id']}{tail}")
        assert (answer.status_code, answer.json()["title"]) == (404, "Batch job not found")
        assert (await stranger.client.request(method, jobs.path(account, job) + tail)).status_code == 404
    theirs = await stranger.client.post(
        f"{project(stranger)}/batch-jobs", params={"deployment_id": sums["id"], "input_of": job["id"]}
    )
    assert theirs.status_code == 404
    assert (await jobs.look(account, job))["state"] == "queued"


async def test_a_project_may_not_queue_jobs_without_end(account: Account, sums: Json, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("control.batch_jobs.queries.MAX_OPEN_JOBS", 2)
    jobs_there = [await jobs.start(account, sums, b"x_0,x_1\n1,2\n") for _ in range(2)]
    answer = await jobs.send(account, sums, b"x_0,x_1\n3,4\n")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    await account.client.post(f"{jobs.path(account, jobs_there[0])}/cancel")
    assert (await jobs.send(account, sums, b"x_0,x_1\n3,4\n")).status_code == 201


async def test_a_job_is_resumed_only_where_a_new_one_would_be_taken(
    account: Account, sums: Json, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("control.batch_jobs.queries.MAX_OPEN_JOBS", 1)
    first = await jobs.start(account, sums, b"x_0,x_1\n1,2\n")
    await account.client.post(f"{jobs.path(account, first)}/cancel")
    second = await jobs.start(account, sums, b"x_0,x_1\n1,2\n")
    assert (await account.client.post(f"{jobs.path(account, first)}/resume")).status_code == 429
    await account.client.delete(jobs.path(account, second))
    assert (await account.client.post(f"{jobs.path(account, first)}/resume")).json()["state"] == "queued"


async def test_a_job_whose_deployment_is_deleted_cannot_be_resumed(account: Account, sums: Json):
    job = await jobs.start(account, sums, b"x_0,x_1\n1,2\n")
    await account.client.post(f"{jobs.path(account, job)}/cancel")
    assert (await account.client.delete(f"{project(account)}/deployments/{sums['id']}")).status_code == 204
    answer = await account.client.post(f"{jobs.path(account, job)}/resume")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "the deployment of this job was deleted; make a new job with `input_of`",
    )


async def test_a_job_of_a_deleted_organization_is_stopped_and_resumed_after_its_return(account: Account, sums: Json):
    job = await jobs.start(account, sums, b"x_0,x_1\n1,2\n")
    assert (await account.client.delete(f"/api/v1/organizations/{account.organization_id}")).status_code == 204
    assert (await account.client.get(jobs.path(account, job))).status_code == 404
    await account.client.post(f"/api/v1/me/deleted-organizations/{account.organization_id}/restore")
    assert (await jobs.look(account, job))["state"] == "cancelled"
    assert (await account.client.post(f"{jobs.path(account, job)}/resume")).json()["state"] == "queued"


async def test_few_files_are_looked_into_at_once_and_few_may_wait(account: Account, sums: Json, monkeypatch: pytest.MonkeyPatch):
    content = b"x_0,x_1\n1,2\n"
    job = await jobs.start(account, sums, content)
    monkeypatch.setattr("control.registry.slots.MAX_WAITING", 0)
    again = await account.client.post(
        f"{project(account)}/batch-jobs", params={"deployment_id": sums["id"], "input_of": job["id"]}
    )
    for answer in (again, await jobs.send(account, sums, content)):
        assert (answer.status_code, answer.json()["title"]) == (503, "Uploads busy")
        assert int(answer.headers["Retry-After"]) > 0


async def test_names_of_columns_do_not_make_a_refusal_long(account: Account, sums: Json):
    answer = await jobs.send(account, sums, b"a" * 100_000 + b"\n1\n")
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) <= 2000


async def test_jobs_are_listed_a_page_at_a_time_newest_first(account: Account, sums: Json):
    made = [(await jobs.start(account, sums, b"x_0,x_1\n1,%d\n" % it))["id"] for it in range(3)]
    first = (await account.client.get(f"{project(account)}/batch-jobs", params={"limit": 2})).json()
    rest = await account.client.get(f"{project(account)}/batch-jobs", params={"limit": 2, "cursor": first["next_cursor"]})
    assert [it["id"] for it in [*first["items"], *rest.json()["items"]]] == made[::-1]
    assert rest.json()["next_cursor"] is None


async def test_a_file_goes_with_the_last_job_that_holds_it(account: Account, sums: Json, settings: ControlSettings):
    first = await jobs.start(account, sums, b"x_0,x_1\n1,2\n")
    again = await account.client.post(
        f"{project(account)}/batch-jobs", params={"deployment_id": sums["id"], "input_of": first["id"]}
    )
    assert again.status_code == 201, again.text
    assert again.json()["input"] == first["input"]
    artifacts = Path(settings.artifacts)
    assert (await account.client.delete(jobs.path(account, first))).status_code == 204
    assert first["input"]["digest"] in stored_files(artifacts)
    assert (await account.client.delete(jobs.path(account, again.json()))).status_code == 204
    assert first["input"]["digest"] not in stored_files(artifacts)
