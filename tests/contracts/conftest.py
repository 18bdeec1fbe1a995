"""A real S3 server for the artifact store."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from tests.services import free_port, wait_until

ACCESS_KEY = "tests"
SECRET_KEY = "a secret for the tests only"
IDENTITIES = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
    ]
}


PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port.grpc")


def seaweedfs_command(directory: Path, ports: dict[str, int]) -> list[str]:
    """Everything in one process on ports of its own; Lance and Iceberg, which would take fixed ones, are off."""
    return [
        str(Path(sys.executable).with_name("weed")),
        "server",
        f"-dir={directory}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}={port}" for name, port in ports.items()),
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={directory / 's3.json'}",
        f"-s3.localSocket={directory / 's3.sock'}",
        f"-filer.localSocket={directory / 'filer.sock'}",
        "-s3",
        "-filer",
        "-volume.max=20",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
    ]


@contextmanager
def running_seaweedfs(directory: Path) -> Generator[str]:
    """URL of a temporary S3 server. It would take ten seconds to end in good order, so it is killed and swept up after."""
    (directory / "s3.json").write_text(json.dumps(IDENTITIES))
    ports = {name: free_port() for name in (*PORTS, "s3.port")}
    with (directory / "log").open("wb") as log:
        command = seaweedfs_command(directory, ports)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{ports['s3.port']}"
        wait_until(lambda: answers(url), "SeaweedFS", timeout_s=60)
        yield url
    finally:
        process.kill()
        process.wait()
        for port in ports.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                left.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def s3_endpoint(service_directory: Path) -> Generator[str]:
    """URL of a temporary S3 server."""
    directory = service_directory / "s3"
    directory.mkdir()
    with running_seaweedfs(directory) as url:
        yield url


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    try:
        with urlopen(url, timeout=5):
            return True
    except HTTPError as error:
        error.close()
        return error.code < 500
    except (URLError, OSError):
        return False


@pytest.fixture
def s3_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an operator sets."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
