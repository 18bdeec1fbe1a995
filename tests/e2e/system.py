"""A whole Headrace on free ports in a temporary data directory, driven by its own command."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.services import is_alive, wait_until

Json = dict[str, Any]
RETRY_S = 0.02
"""After a refused connection: a client that tries without end would take the core that the process needs to come back."""


@dataclass
class System:
    """One instance; `facts` is what `headrace up --json` printed."""

    data: Path
    facts: Json

    def headrace(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command against this instance."""
        return run_headrace(self.data, *arguments)

    def ask(self, *arguments: str) -> Json:
        """What the command prints with --json; it must succeed."""
        done = self.headrace(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def pids(self) -> dict[str, int]:
        """Every supervised process that runs."""
        return {it["name"]: it["pid"] for it in self.ask("status")["processes"] if it["pid"]}

    def kill(self, name: str) -> None:
        """`kill -9` one process and wait until the supervisor has another one ready."""
        before = self.pids()[name]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: self.is_ready(name, other_than=before), f"{name} to come back", 40)

    def is_ready(self, name: str, other_than: int) -> bool:
        """Whether a process `name` is ready whose pid is not `other_than`."""
        now = next(it for it in self.ask("status")["processes"] if it["name"] == name)
        return now["state"] == "ready" and now["pid"] not in (None, other_than)

    def client(self, token: str) -> httpx.Client:
        """A client of the control plane's API."""
        return httpx.Client(
            base_url=self.facts["console_url"], headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False
        )


def run_headrace(data: Path, *arguments: str, settings: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """Run the command with its data in `data`."""
    return subprocess.run(
        [sys.executable, "-m", "headrace", *arguments],
        env={**environment(data), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def environment(data: Path) -> dict[str, str]:
    """The environment of a command whose data is in `data`, free of the tester's own settings."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    return mine | {"HEADRACE_DATA": str(data), "HEADRACE_BCRYPT_COST": "5"}


def start(data: Path, settings: Mapping[str, str] = {}) -> System:
    """Start an instance on free ports."""
    done = run_headrace(data, "up", "--detach", "--port-base", "0", "--json", settings=settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return System(data, json.loads(done.stdout))


@contextmanager
def running(data: Path, settings: Mapping[str, str] = {}) -> Generator[System]:
    """A started instance, stopped at the end; fails if a process of it is left over."""
    system = start(data, settings)
    try:
        yield system
    finally:
        pids = [*system.pids().values(), system.ask("status")["pid"]]
        system.headrace("down")
        wait_until(lambda: not any(map(is_alive, pids)), "every process to end", 3)


class Caller:
    """Calls a deployment in a loop from a thread while the block runs; `failures` holds every answer that was not 200."""

    def __init__(self, url: str, key: str, deployment: str, request: Json) -> None:
        self._path = f"{url}/v2/models/{deployment}/infer"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._request = request
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._call_on, daemon=True)
        self.answered = 0
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.hear(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(30)

    def hear(self, more: int) -> None:
        """Wait until `more` further calls were answered."""
        target = self.answered + more
        wait_until(lambda: self.answered >= target, f"{more} more answers", 30)

    def _call_on(self) -> None:
        with httpx.Client(headers=self._headers, timeout=20, trust_env=False) as client:
            while not self._over.is_set():
                self._call(client)

    def _call(self, client: httpx.Client) -> None:
        try:
            answer = client.post(self._path, json=self._request)
        except httpx.HTTPError as error:
            self.failures.append(repr(error))
            self._over.wait(RETRY_S)
            return
        if answer.is_success:
            self.answered += 1
        else:
            self.failures.append(f"{answer.status_code} {answer.text}")
