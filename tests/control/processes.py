"""Control as a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.control.conftest import SECRET
from tests.services import wait_until


def environment(database_url: str, port: int = 0) -> dict[str, str]:
    """The variables control is started with."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    return inherited | {
        "HEADRACE_DATABASE_URL": database_url,
        "HEADRACE_REDIS_URL": "unix:///nowhere.sock",
        "HEADRACE_TELEMETRY_URL": "unix:/nowhere.sock",
        "HEADRACE_SECRET": SECRET,
        "HEADRACE_CONTROL_PORT": str(port),
        "HEADRACE_BCRYPT_COST": "4",
    }


def run(*arguments: str, database_url: str = "", port: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command of control to its end."""
    return subprocess.run(
        [sys.executable, "-m", "control", *arguments],
        env=environment(database_url, port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(
    database_url: str, log: Path, redis_url: str = "unix:///nowhere.sock", **more: str
) -> Generator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """A control plane that answers, and a client of it; it is ended at the end, if it has not ended by itself."""
    with log.open("wb") as output:
        variables = environment(database_url) | {
            "HEADRACE_DATA": str(log.parent / "data"),
            "HEADRACE_REDIS_URL": redis_url,
            **more,
        }
        process = subprocess.Popen([sys.executable, "-m", "control"], env=variables, stderr=output)
    try:
        wait_until(lambda: "listening on" in log.read_text() or process.poll() is not None, "control")
        address = re.search(r"listening on (\S+)", log.read_text())
        assert address is not None, log.read_text()
        with httpx.Client(base_url=address[1], timeout=20) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
