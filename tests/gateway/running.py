"""A real `python -m gateway` with a Valkey of its own, told what to serve as control would tell it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from contracts.records import LOG_STREAM, RecordBatch, decode_batch
from contracts.routes import Deployment, Key, RouteTable
from contracts.workers import WORKERS_KEY, WorkerStatus, decode_worker, worker_key
from tests.gateway.breakable import BreakableValkey
from tests.gateway.tables import authorization, key, publish
from tests.records import RequestRecord, unpack
from tests.services import free_port, wait_until

ROW = [1.0, 2.0, 3.0, 4.0]


def body(*rows: list[float], name: str = "x") -> dict[str, Any]:
    """An inference request for the FP32 input `name`."""
    data = [value for row in rows for value in row]
    return {"inputs": [{"name": name, "shape": [len(rows), len(rows[0])], "datatype": "FP32", "data": data}]}


class RunningGateway:
    """One gateway under `directory`; `valkey` may come and go."""

    def __init__(self, directory: Path, valkey: BreakableValkey) -> None:
        self.directory, self.valkey = directory, valkey
        self.artifacts = directory / "artifacts"
        self.data = directory / "data"
        self.port = free_port()
        self.grpc_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.version = 0
        self.deployments: tuple[Deployment, ...] = ()
        """Those of the last table."""
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)

    def publish(self, *deployments: Deployment, keys: tuple[Key, ...] | None = None) -> int:
        """Tell gateways to serve `deployments` to `keys` (by default one good key); the version of the table."""
        self.version += 1
        self.deployments = deployments
        table = RouteTable(self.version, deployments, (key(),) if keys is None else keys)
        with self.valkey.client() as client:
            publish(client, table)
        return self.version

    def launch(self, **settings: Any) -> subprocess.Popen[bytes]:
        """Start the process and do not wait for it; `settings` are those of GatewaySettings."""
        values = {
            "data": self.data,
            "artifacts": self.artifacts,
            "redis_url": self.valkey.url,
            "inference_port": self.port,
            "grpc_port": self.grpc_port,
            "intra_op_threads": 1,
        } | settings
        environment = {f"HEADRACE_{name.upper()}": str(value) for name, value in values.items()}
        with (self.directory / "gateway.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway"], env=os.environ | environment, stdout=output, stderr=output
            )
        return self._process

    def start(self, **settings: Any) -> None:
        """Start it and wait until it is ready."""
        self.launch(**settings)
        wait_until(self.is_ready, f"the gateway to be ready: {self.output()[-2000:]}", 60)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """Whether `/health/ready` says so."""
        assert self.process.poll() is None, self.output()
        try:
            return self.http.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def output(self) -> str:
        """Everything it printed."""
        return (self.directory / "gateway.log").read_text()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit status. Fails if that takes longer than it may."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(8)

    def close(self) -> None:
        """End it by whatever it takes."""
        self.http.close()
        if self.is_running:
            self.kill()

    def infer(self, name: str = "sum", rows: int = 1, headers: dict[str, str] | None = None) -> httpx.Response:
        """Call the deployment `name`, a model of 4 features, with a good key unless `headers` say otherwise."""
        return self.http.post(f"/v2/models/{name}/infer", json=body(*[ROW] * rows), headers=headers or authorization())

    def workers(self) -> list[WorkerStatus]:
        """What each living worker last reported."""
        with self.valkey.client() as client:
            members: Any = client.zrange(WORKERS_KEY, 0, -1)
            blobs: list[Any] = [client.get(worker_key(it.decode())) for it in members]
        return [decode_worker(it) for it in blobs if it is not None]

    def status(self) -> WorkerStatus | None:
        """What the one worker last reported; None if there is none."""
        return next(iter(self.workers()), None)

    def batches(self) -> list[RecordBatch]:
        """What the log stream holds, a batch that was sent twice once."""
        with self.valkey.client() as client:
            entries: Any = client.xrange(LOG_STREAM)
        found = [decode_batch(fields[b"b"]) for _, fields in entries]
        return list({it.batch_id: it for it in found}.values())

    def records(self) -> list[RequestRecord]:
        """The logged requests."""
        return [record for batch in self.batches() for record in unpack(batch)]


class Calls:
    """A client that calls in a loop until the end of the `with` block, on one kept-alive connection."""

    def __init__(self, gateway: RunningGateway, name: str = "sum") -> None:
        self._gateway, self._name = gateway, name
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.statuses = Counter[int]()
        self.values = Counter[float]()
        """How often each first output value came."""
        self.failures: list[str] = []
        self.request_ids: list[str] = []

    def __enter__(self) -> "Calls":
        self._thread.start()
        self.wait_for_more(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    @property
    def count(self) -> int:
        return self.statuses.total() + len(self.failures)

    def wait_for_more(self, calls: int) -> None:
        """Return when that many more calls are over."""
        goal = self.count + calls
        wait_until(lambda: self.count >= goal, f"{calls} more calls")

    def _run(self) -> None:
        url = f"{self._gateway.url}/v2/models/{self._name}/infer"
        with httpx.Client(timeout=10, trust_env=False, headers=authorization()) as client:
            while not self._stopping.is_set():
                try:
                    answer = client.post(url, json=body(ROW))
                except httpx.TransportError as error:
                    self.failures.append(repr(error))
                    continue
                self.statuses[answer.status_code] += 1
                self.request_ids.append(answer.headers["x-request-id"])
                if answer.status_code == 200:
                    self.values[answer.json()["outputs"][0]["data"][0]] += 1


def seconds_until(condition: Any, what: str) -> float:
    """How long it took for `condition()` to hold."""
    started = time.monotonic()
    wait_until(condition, what)
    return time.monotonic() - started
