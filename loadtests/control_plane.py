"""A control plane on a seeded database, and a client of it."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from control.migrate import migrate
from headrace.embedded.postgres import postgres_url
from headrace.embedded.valkey import valkey_url
from loadtests.seed import PASSWORD, Size, seed
from loadtests.subjects import answers, free_port, process
from tests.services import running_postgres, running_valkey

API: Final = "/api/v1"
SECRET: Final = "s" * 40


class ControlPlane(Struct, frozen=True):
    """Where it is."""

    address: str
    database_url: str
    pid: int


class Client:
    """One connection to control, kept open."""

    def __init__(self, address: str) -> None:
        self.connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        self.headers = {"Content-Type": "application/json"}

    def log_in(self, email: str) -> str:
        """Call as this person from now on; the access token."""
        token: str = self.call("POST", f"{API}/auth/login", {"email": email, "password": PASSWORD})["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"
        return token

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer. Raises RuntimeError unless it is a good one."""
        status, content = self.fetch(method, path, json.dumps(body) if body else None)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {content.decode()}")
        return json.loads(content)

    def fetch(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        self.connection.request(method, path, body, self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def time_ms(self, path: str) -> float:
        """How long one GET takes, from the first byte sent to the last one read. Raises RuntimeError if it fails."""
        began = time.perf_counter()
        status, content = self.fetch("GET", path)
        took = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {content.decode()}")
        return took * 1e3


@contextmanager
def running_control(folder: Path, size: Size, core: int | None, database_core: int | None) -> Generator[ControlPlane]:
    """A control plane, and its PostgreSQL and Valkey with `size` in them. Raises NotStarted."""
    folder.chmod(0o711)  # PostgreSQL runs as another user where we are root
    with ExitStack() as stack:
        with kept_on(database_core):
            database_url = postgres_url(stack.enter_context(running_postgres(folder)))
            redis_url = valkey_url(stack.enter_context(running_valkey(folder)))
        asyncio.run(migrate(database_url))
        asyncio.run(seed(database_url, size, SECRET))
        environment = {
            "HEADRACE_DATA": str(folder / "data"),
            "HEADRACE_DATABASE_URL": database_url,
            "HEADRACE_REDIS_URL": redis_url,
            "HEADRACE_SECRET": SECRET,
            "HEADRACE_CONTROL_PORT": str(port := free_port()),
        }
        address = f"http://127.0.0.1:{port}"
        is_ready = partial(answers, f"{address}/health/ready")
        command = [sys.executable, "-m", "control"]
        pid = stack.enter_context(process(command, folder / "control.log", core, environment, is_ready))
        yield ControlPlane(address, database_url, pid)


@contextmanager
def kept_on(core: int | None) -> Generator[None]:
    """Keep this process, and what it starts meanwhile, on one core."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
