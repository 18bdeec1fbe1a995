"""`make bench`: the gateway beside a bare HTTP server, a FastAPI server and onnxruntime alone, in one interleaved run.

The server has one core, wrk the other. Prints a table and writes it to `docs/benchmarks.md`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
import msgspec.structs
from msgspec import Struct

from loadtests import report
from loadtests.subjects import NotStarted, Subject, echo, fastapi, gateway, pinned
from loadtests.tiny_model import BODY, write_tiny_model

CONNECTIONS: Final = (1, 8, 64, 256)
SCRIPT: Final = Path(__file__).with_name("infer.lua")
DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"
WARM_UP_S: Final = 1
LITTLE_FROM, LITTLE_SHARE = 64, 0.1
"""Fewer connections than this may all be waiting for wrk itself, whatever the server does."""


class Measurement(Struct, frozen=True):
    """One run of one subject."""

    requests_per_s: float
    p50_us: float
    p99_us: float
    mean_us: float
    errors: int


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="length of one run (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each combination; the median counts (default 3)")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed; get it with `apt-get install wrk` (or `brew install wrk`)", file=sys.stderr)
        return 1
    try:
        results, alone = measure_all(arguments.seconds, arguments.rounds)
    except NotStarted as error:
        print(error, file=sys.stderr)
        return 1
    command = f'make bench ARGS="--seconds {arguments.seconds} --rounds {arguments.rounds}"'
    text = report.render(results, alone, command, is_pinned=_cores()[0] is not None)
    print(text)
    if not arguments.no_write:
        report.write(text, DOCUMENT)
    return 1 if any(it.errors for row in results.values() for it in row.values()) else 0


def measure_all(seconds: int, rounds: int) -> tuple[dict[str, dict[int, Measurement]], Measurement]:
    """Medians by subject and number of connections, and those of onnxruntime alone. Raises NotStarted."""
    server_core, client_core = _cores()
    runs: dict[tuple[str, int], list[Measurement]] = {}
    alone: list[Measurement] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hr-")))
        model = folder / "tiny.onnx"
        write_tiny_model(model)
        subjects = [
            stack.enter_context(it)
            for it in (echo(folder, server_core), gateway(folder, model, server_core), fastapi(folder, model, server_core))
        ]
        for subject in subjects:
            load(subject, 8, WARM_UP_S, client_core)
        for number in range(rounds):
            alone.append(run_alone(model, seconds, server_core))
            for connections in CONNECTIONS:
                for subject in subjects:
                    found = load(subject, connections, seconds, client_core)
                    runs.setdefault((subject.name, connections), []).append(found)
                    print(f"round {number + 1}: {subject.name}, {connections} connections: {found.requests_per_s:,.0f}/s")
    results: dict[str, dict[int, Measurement]] = {}
    for (name, connections), found in runs.items():
        results.setdefault(name, {})[connections] = median(found)
    return results, median(alone)


def load(subject: Subject, connections: int, seconds: int, core: int | None) -> Measurement:
    """Let wrk call `subject` from one thread.

    wrk does not count a request that is never answered. But in a closed loop rate times latency is the number of requests
    under way (Little's law): a server that left most connections hanging is found out, and each of them counts as an error.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), subject.url]
    environment = os.environ | {"BENCH_BODY": BODY.decode(), "BENCH_KEY": subject.key}
    found = _last_line(subprocess.run(pinned(command, core), env=environment, check=True, capture_output=True).stdout)
    under_way = found.requests_per_s * found.mean_us / 1e6
    if connections >= LITTLE_FROM and under_way < LITTLE_SHARE * connections:
        return msgspec.structs.replace(found, errors=found.errors + connections)
    return found


def run_alone(model: Path, seconds: int, core: int | None) -> Measurement:
    """onnxruntime in a loop."""
    command = [sys.executable, "-m", "loadtests.servers.direct", str(model), str(seconds)]
    return _last_line(subprocess.run(pinned(command, core), check=True, capture_output=True).stdout)


def median(runs: Sequence[Measurement]) -> Measurement:
    """The middle of each number; errors add up."""
    return Measurement(
        statistics.median(it.requests_per_s for it in runs),
        statistics.median(it.p50_us for it in runs),
        statistics.median(it.p99_us for it in runs),
        statistics.median(it.mean_us for it in runs),
        sum(it.errors for it in runs),
    )


def _last_line(output: bytes) -> Measurement:
    return msgspec.convert(json.loads(output.strip().splitlines()[-1]), Measurement)


def _cores() -> tuple[int | None, int | None]:
    """One core for the server and one for the client; none where processes cannot be pinned or there is only one."""
    if not hasattr(os, "sched_getaffinity") or shutil.which("taskset") is None:
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


if __name__ == "__main__":
    sys.exit(main())
