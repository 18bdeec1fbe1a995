"""Batch jobs, made and followed through the API."""

import asyncio
import io
import time
from typing import Any

import httpx
import pyarrow.parquet

from tests.control.conftest import Account
from tests.control.registry import Json, project

POLL_S = 0.05


async def send(account: Account, deployment: Json, content: bytes, file_name: str = "rows.csv", **more: Any) -> httpx.Response:
    """What the server says to a new job."""
    parameters = {"deployment_id": deployment["id"], "file_name": file_name, **more}
    headers = {"Content-Type": "application/octet-stream"}
    return await account.client.post(f"{project(account)}/batch-jobs", params=parameters, content=content, headers=headers)


async def start(account: Account, deployment: Json, content: bytes, file_name: str = "rows.csv") -> Json:
    """A new job."""
    answer = await send(account, deployment, content, file_name)
    assert answer.status_code == 201, answer.text
    return answer.json()


def path(account: Account, job: Json) -> str:
    """Where the job stands in the API."""
    return f"{project(account)}/batch-jobs/{job['id']}"


async def look(account: Account, job: Json) -> Json:
    """The job as it is now."""
    answer = await account.client.get(path(account, job))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(account: Account, job: Json, *states: str, timeout_s: float = 60.0) -> Json:
    """The job once it is in one of `states`."""
    deadline = time.monotonic() + timeout_s
    while (now := await look(account, job))["state"] not in states:
        assert now["state"] in {"queued", "running"}, now
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {states}: {now}"
        await asyncio.sleep(POLL_S)
    return now


async def predict(account: Account, deployment: Json, content: bytes, file_name: str = "rows.csv") -> Json:
    """A job that succeeded."""
    return await until(account, await start(account, deployment, content, file_name), "succeeded")


async def download(account: Account, job: Json, what: str = "results") -> bytes:
    """A file of the job's."""
    answer = await account.client.get(f"{path(account, job)}/{what}")
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == int(answer.headers["Content-Length"])
    return answer.content


def parquet(table: Any, **options: Any) -> bytes:
    """The bytes of a Parquet file of an Arrow table."""
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target, **options)
    return target.getvalue()
