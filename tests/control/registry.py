"""Models and deployments, made through the API."""

import asyncio
import os
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests import models
from tests.control.conftest import Account

Json = dict[str, Any]


def project(account: Account) -> str:
    """Where the account's project stands in the API."""
    return f"/api/v1/projects/{account.project_id}"


def model_file(folder: Path, seed: int = 0) -> Path:
    """A model file; another seed makes another file."""
    return models.linear_model(folder / f"linear-{seed}.onnx", seed=seed)


async def create_model(account: Account, name: str = "") -> Json:
    """A new model."""
    answer = await account.client.post(f"{project(account)}/models", json={"name": name or f"model {uuid4().hex}"})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def upload(
    account: Account, model_id: str, content: bytes | AsyncIterable[bytes], file_name: str = "model.onnx"
) -> httpx.Response:
    """What the server says to an upload."""
    path = f"{project(account)}/models/{model_id}/versions"
    headers = {"Content-Type": "application/octet-stream"}
    return await account.client.post(path, params={"file_name": file_name}, content=content, headers=headers)


async def create_version(account: Account, file: Path, model_id: str = "") -> Json:
    """A new version, of a new model unless told otherwise."""
    model_id = model_id or (await create_model(account))["id"]
    content = await asyncio.to_thread(file.read_bytes)
    answer = await upload(account, model_id, content, file.name)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def deploy(account: Account, version: Json, name: str = "", **more: Any) -> Json:
    """A new deployment of `version`."""
    body = {"name": name or f"d-{uuid4().hex}", "model_version_id": version["id"], **more}
    answer = await account.client.post(f"{project(account)}/deployments", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def stored_files(folder: Path) -> set[str]:
    """Names of all files below `folder`, from which some may be vanishing at this moment."""
    return {name for _, _, names in os.walk(folder) for name in names}
