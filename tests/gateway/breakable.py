"""A Valkey that tests may kill and bring back."""

import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import redis

from headrace.embedded.valkey import valkey_command, valkey_url
from tests.services import accepts, start, wait_until


class BreakableValkey:
    """One Valkey with its data under `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._socket = directory / "valkey.sock"
        self._command = valkey_command(directory / "valkey", self._socket)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = valkey_url(self._socket)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = start(self._command, self._directory / "valkey.log")
        wait_until(lambda: accepts(self._socket), "Valkey")
        with self.client() as client:
            wait_until(client.ping, "Valkey's first answer")

    def kill(self) -> None:
        """End it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def stalled(self) -> Generator[None]:
        """It accepts connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A client for the test's own use."""
        return redis.Redis.from_url(self.url, socket_timeout=5)
