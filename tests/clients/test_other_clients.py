"""Clients that do not go into one environment with us, each run in its own: KServe's, MLServer's, NVIDIA's perf_analyzer."""

import csv
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Address
from tests.clients.environments import debian_library, environment, unpacked

SCRIPTS = Path(__file__).parent / "scripts"
pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]
runs_perf_analyzer = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="NVIDIA's wheel has perf_analyzer for x86-64 Linux alone"
)


def run_script(name: str, address: Address) -> str:
    """What the script for the client `name` printed, having found nothing wrong."""
    command = [environment(name), SCRIPTS / f"{name}_client.py", address.http, address.grpc, address.key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["kserve", "mlserver"])
def test_the_project_s_own_client(address: Address, name: str) -> None:
    assert f"{name}: all answers are right" in run_script(name, address)


@runs_perf_analyzer
@pytest.mark.parametrize(
    "options",
    [
        ("-m", "sum", "-i", "http"),
        ("-m", "sum", "-i", "http", "--async"),
        ("-m", "sum", "-i", "http", "--input-tensor-format=json", "--output-tensor-format=json"),
        ("-m", "sum", "-i", "grpc"),
        ("-m", "sum", "-i", "grpc", "--async", "--streaming"),
        ("-m", "everything", "-i", "http", "--input-data", "zero"),  # by itself it sends bytes that are no BOOL
        ("-m", "everything", "-i", "grpc", "--input-data", "zero"),
    ],
    ids=" ".join,
)
def test_perf_analyzer_completes(address: Address, tmp_path: Path, options: tuple[str, ...]) -> None:
    folder, report = unpacked("perf_analyzer"), tmp_path / "report.csv"
    libraries = [folder / "nvidia" / "cuda_runtime" / "lib", debian_library("libb64-0d", "libb64.so.0d")]
    command = [folder / "bin" / "perf_analyzer", *options, "-u", address.grpc if "grpc" in options else address.http]
    command += ["-H", f"authorization: Bearer {address.key}", "--request-count", "400", "-f", report]
    settings = os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    for concurrency in ("1", "4"):
        whole = [*command, "--concurrency-range", concurrency]
        done = subprocess.run(whole, capture_output=True, text=True, check=False, env=settings, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        (row,) = csv.DictReader(report.read_text().splitlines())
        assert row["Concurrency"] == concurrency
        assert float(row["Inferences/Second"]) > 0
        assert float(row["Server Compute Infer"]) > 0, "it read the server's statistics"
