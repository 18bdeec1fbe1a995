"""From a model file to a deployment that answers: the steps `deploy` and `demo` share."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from headrace.client import ApiClient, Json
from headrace.errors import DeploymentFailed, Refused, TimedOut

POLL_S: Final = 0.1
KEY_TIMEOUT_S: Final = 10.0
UNAUTHENTICATED: Final = 401


def deploy_file(client: ApiClient, project_id: str, file: Path, name: str, step: Callable[[str], None]) -> Json:
    """Upload `file` to the model `name` and point the deployment `name` at it; bytes already there are not sent again."""
    project = f"/api/v1/projects/{project_id}"
    version = _version_of(client, project, file, name, step)
    deployments = f"{project}/deployments"
    existing = next((it for it in client.items(deployments) if it["name"] == name), None)
    if existing is None:
        step(f"deploying {name}")
        return client.post(deployments, {"name": name, "model_version_id": version["id"]})
    if existing["revision"]["model_version"]["id"] == version["id"]:
        return existing
    step(f"moving {name} to version {version['number']}")
    return client.patch(f"{deployments}/{existing['id']}", {"model_version_id": version["id"]})


def wait_until_ready(client: ApiClient, deployment: Json, timeout_s: float) -> Json:
    """The deployment once it is ready. Raises DeploymentFailed with the reason, or TimedOut."""
    path = f"/api/v1/projects/{deployment['project_id']}/deployments/{deployment['id']}"
    deadline = time.monotonic() + timeout_s
    while True:
        now = client.get(path)
        if now["state"] == "ready":
            return now
        if now["state"] in ("failed", "degraded") and any(it["state"] == "failed" for it in now["workers"]):
            raise DeploymentFailed(f"{now['name']} is {now['state']}: {now['state_reason']}")
        if time.monotonic() > deadline:
            raise TimedOut(f"{now['name']} is still {now['state']} after {timeout_s:.0f} s: {now['state_reason']}")
        time.sleep(POLL_S)


def make_key(client: ApiClient, inference_url: str, project_id: str, name: str, scopes: list[str]) -> Json:
    """A new API key (`key`, and once its `secret`) that the gateway already knows."""
    made = client.post(f"/api/v1/projects/{project_id}/keys", {"name": name, "scopes": scopes})
    deadline = time.monotonic() + KEY_TIMEOUT_S
    while not key_is_known(inference_url, made["secret"]):
        if time.monotonic() > deadline:
            raise TimedOut(f"the gateway does not know the new key after {KEY_TIMEOUT_S:.0f} s")
        time.sleep(POLL_S)
    return made


def key_is_known(inference_url: str, secret: str) -> bool:
    """Whether the gateway takes `secret`: it tells only a known key that there is no model of this name."""
    try:
        ApiClient(inference_url, secret).get("/v2/models/no-such-model")
    except Refused as error:
        return error.answered != UNAUTHENTICATED
    return True


def _version_of(client: ApiClient, project: str, file: Path, name: str, step: Callable[[str], None]) -> Json:
    models = f"{project}/models"
    model = next((it for it in client.items(models) if it["name"] == name), None) or client.post(models, {"name": name})
    versions = f"{models}/{model['id']}/versions"
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if known := next((it for it in client.items(versions) if it["digest"] == digest), None):
        return known
    step(f"uploading {file.name} ({file.stat().st_size:,} bytes)")
    return client.upload(versions, file)
