"""The API does what its OpenAPI document says, whatever it is sent: schemathesis makes it up."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from control.migrate import migrate
from tests import models
from tests.control import processes
from tests.control.conftest import PASSWORD, create_database

SECONDS = int(os.environ.get("FUZZ_API_S", "30"))
"""How long it is tried; `make fuzz-api` takes longer."""
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


def with_one_of_everything(client: httpx.Client, folder: Path) -> dict[str, str]:
    """What the configuration asks for: an owner's token, and the ids of what is theirs."""
    person = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}
    session = client.post("/api/v1/auth/register", json=person).json()
    client.headers["Authorization"] = f"Bearer {session['access_token']}"
    project = f"/api/v1/projects/{session['project_id']}"
    model = client.post(f"{project}/models", json={"name": "sums"}).json()
    version = client.post(
        f"{project}/models/{model['id']}/versions",
        params={"file_name": "sum.onnx"},
        content=models.sum_model(folder / "sum.onnx").read_bytes(),
        headers={"Content-Type": "application/octet-stream"},
    ).json()
    deployment = client.post(f"{project}/deployments", json={"name": "sums", "model_version_id": version["id"]}).json()
    return {
        "TOKEN": session["access_token"],
        "ORGANIZATION": session["organization_id"],
        "PROJECT": session["project_id"],
        "MODEL": model["id"],
        "DEPLOYMENT": deployment["id"],
        "NOBODY": str(uuid4()),
    }


@pytest.mark.timeout(SECONDS + 120)
def test_what_schemathesis_makes_up_is_answered_as_described(postgres_url: str, redis_url: str, tmp_path: Path):
    database_url = asyncio.run(create_database(postgres_url, f"described-{uuid4()}"))
    asyncio.run(migrate(database_url))
    with processes.serving(database_url, tmp_path / "log", redis_url) as (_, client):
        command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIGURATION), "run"]
        found = subprocess.run(
            [*command, f"{client.base_url.join('/api/openapi.json')}", f"--max-time={SECONDS}", "--warnings=off"],
            env=os.environ | with_one_of_everything(client, tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS + 90,
            check=False,
        )
        still = client.get("/api/v1/me")
    assert found.returncode == 0, found.stdout + found.stderr
    assert re.search(r"Selected: (\d+)/.*Tested: \1\b", found.stdout, re.DOTALL), f"not everything was tried: {found.stdout}"
    assert still.status_code == 200, "the session ended, so that not much was tried"
    assert "Traceback" not in (tmp_path / "log").read_text()
