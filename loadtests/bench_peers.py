"""`make bench-peers`: the gateway beside other model servers, each in an environment of its own and on one core, one at a time.

The environments (gigabytes, from PyPI) are made under `.tools/peers` and kept.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from loadtests import report
from loadtests.bench import DOCUMENT, Key
from loadtests.cases import CASES, Case
from loadtests.load import Measurement, cores, load
from loadtests.subjects import NotStarted, Subject, constant, free_port, gateway, infers, process

ROOT: Final = Path(__file__).parents[1]
ENVIRONMENTS: Final = ROOT / ".tools" / "peers"
ALONE: Final = ("onnxruntime>=1.26", "numpy")
MEASURED: Final = ("tiny", "trees", "cnn")
CONNECTIONS: Final = (1, 64)
START_S: Final = 120.0


class Peer(NamedTuple):
    """Another server: what it is called, what must be installed for it, and its program in `loadtests.peers`."""

    name: str
    requirements: tuple[str, ...]
    module: str
    path: str = ""
    """Where it takes requests, if not where the protocol says."""


PEERS: Final = (
    Peer("Triton, Python backend", ("nvidia-pytriton==0.7.0",), "triton_app"),
    Peer("MLServer", ("mlserver==1.7.1",), "mlserver_app"),
    Peer("KServe", ("kserve==0.21.0",), "kserve_app"),
    Peer("LitServe", ("litserve==0.2.17",), "litserve_app", "/predict"),
    Peer("BentoML", ("bentoml==1.4.25",), "bentoml_app", "/infer"),
    Peer("Ray Serve", ("ray[serve]==2.60.0",), "ray_app", "/"),
)


def main() -> int:
    """The exit status: 1 if a server did not start or answered with errors."""
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="length of one run (default 4)")
    parser.add_argument("--peers", default="", help="comma-separated beginnings of names: only these")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    wanted = [it for it in PEERS if it.name.lower().startswith(tuple(arguments.peers.lower().split(",")))]
    results: dict[Key, Measurement] = {}
    missing: list[str] = []
    with tempfile.TemporaryDirectory(prefix="hr-") as name:
        folder = Path(name)
        for case in CASES:
            if case.name in MEASURED:
                case.write_model(folder / f"{case.name}.onnx")
                _measure_own(folder, case, arguments.seconds, results)
                for peer in wanted:
                    try:
                        _measure_peer(peer, folder, case, arguments.seconds, results)
                    except NotStarted as error:
                        print(error, file=sys.stderr)
                        missing.append(f"{peer.name} ({case.name})")
    command = f"`make bench-peers`, {arguments.seconds} s a run; each server had one core, wrk the other."
    unmeasured = [f"Did not start: {', '.join(missing)}."] if missing else []
    text = "\n\n".join([command, report.machine(), report.servers(results), *unmeasured])
    print(text)
    if not arguments.no_write:
        report.write(text, DOCUMENT, "peers")
    return 1 if missing or any(it.errors for it in results.values()) else 0


def _measure_own(folder: Path, case: Case, seconds: int, results: dict[Key, Measurement]) -> None:
    server_core, client_core = cores()
    for subject in (constant(folder, server_core), gateway(folder, server_core, client_core)):
        with subject as running:
            _measure(running, case, seconds, results)


def _measure_peer(peer: Peer, folder: Path, case: Case, seconds: int, results: dict[Key, Measurement]) -> None:
    with _serving(peer, folder, case) as subject:
        _measure(subject, case, seconds, results)


def _measure(subject: Subject, case: Case, seconds: int, results: dict[Key, Measurement]) -> None:
    core = cores()[1]
    load(subject, case, case.json(), 8, 1, core)
    for connections in CONNECTIONS:
        found = results[subject.name, case.name, connections] = load(subject, case, case.json(), connections, seconds, core)
        print(f"{subject.name}, {case.name}, {connections}: {found.requests_per_s:,.0f}/s", file=sys.stderr)


@contextmanager
def _serving(peer: Peer, folder: Path, case: Case) -> Generator[Subject]:
    python = _environment(peer)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(python), "-m", f"loadtests.peers.{peer.module}", str(port), str(folder / f"{case.name}.onnx")]
    command += [str(free_port()) for _ in range(2)] if peer.module in ("triton_app", "mlserver_app") else []
    environment = {
        "PYTHONPATH": str(ROOT),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR")),  # Triton's backend would take another Python's library
        "DO_NOT_TRACK": "1",
    }
    subject = Subject(peer.name, address, path=peer.path)
    is_up = partial(infers, subject, case)
    with process(command, folder / f"{peer.module}.log", cores()[0], environment, is_up, START_S) as pid:
        yield replace(subject, pids=(pid,))


def _environment(peer: Peer) -> Path:
    """The Python of an environment with what `peer` needs. Raises NotStarted."""
    folder = ENVIRONMENTS / peer.module
    python = folder / "bin" / "python"
    if python.exists():
        return python
    uv = shutil.which("uv", path=f"{ROOT / '.tools'}{os.pathsep}{ROOT / '.tools' / 'uv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        raise NotStarted("uv is not installed; run `make setup` first")
    try:  # our own Python's, whose library it will be given
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *peer.requirements, *ALONE], check=True)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotStarted(f"{peer.name} cannot be installed: {error}") from error
    return python


if __name__ == "__main__":
    sys.exit(main())
