"""Clients that call without pause, on connections they keep or on a new one each time, and count what goes wrong."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from tests.gateway.running import ROW, RunningGateway, body
from tests.gateway.tables import authorization
from tests.services import wait_until

PATIENCE_S = 30.0


class Hammer:
    """One client in a thread of its own.

    Not httpx: it says nothing of a connection that it found closed when it wanted to send. Here every connection that ends
    without having been announced counts as a failure.
    """

    def __init__(self, gateway: RunningGateway, keeps_alive: bool, name: str = "sum") -> None:
        self._port, self._keeps_alive = gateway.port, keeps_alive
        self._path = f"/v2/models/{name}/infer"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.statuses = Counter[int]()
        self.failures: list[str] = []

    @property
    def count(self) -> int:
        return self.statuses.total() + len(self.failures)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        headers = authorization() | {"content-type": "application/json"}
        content = json.dumps(body(ROW))
        connection = self._dial()
        while not self._stopping.is_set():
            try:
                connection.request("POST", self._path, content, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
                connection = self._dial()
                continue
            self.statuses[answer.status] += 1
            if answer.will_close or not self._keeps_alive:
                connection.close()
                connection = self._dial()
        connection.close()

    def _dial(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)


class Hammers:
    """Several clients, half of which keep their connections, or all."""

    def __init__(self, gateway: RunningGateway, clients: int, keep_alive: bool) -> None:
        self._clients = [Hammer(gateway, keep_alive or bool(index % 2)) for index in range(clients)]

    @property
    def failures(self) -> list[str]:
        return [failure for it in self._clients for failure in it.failures]

    @property
    def statuses(self) -> Counter[int]:
        return sum((it.statuses for it in self._clients), Counter[int]())

    def start(self) -> None:
        for it in self._clients:
            it.start()

    def stop(self) -> None:
        for it in self._clients:
            it.stop()

    def wait_for_more(self, calls: int) -> None:
        """Return when each client has made that many more."""
        goals = [it.count + calls for it in self._clients]
        wait_until(lambda: all(it.count >= goal for it, goal in zip(self._clients, goals, strict=True)), f"{calls} more calls")


@contextmanager
def hammering(gateway: RunningGateway, clients: int = 6, *, keep_alive: bool = False) -> Generator[Hammers]:
    """Calls until the end of the block."""
    hammers = Hammers(gateway, clients, keep_alive)
    hammers.start()
    hammers.wait_for_more(5)
    try:
        yield hammers
    finally:
        hammers.stop()
