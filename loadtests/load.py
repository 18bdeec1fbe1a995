"""Calls a server with wrk, and runs onnxruntime alone."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import psutil
from msgspec import Struct

from loadtests.cases import Body, Case
from loadtests.subjects import Subject, pinned

SCRIPT: Final = Path(__file__).with_name("call.lua")
LITTLE_FROM, LITTLE_SHARE = 64, 0.1
"""Fewer connections than this may all be waiting for wrk itself, whatever the server does."""


class Measurement(Struct, frozen=True):
    """One run of one subject."""

    requests_per_s: float
    p50_us: float
    p99_us: float
    p999_us: float
    mean_us: float
    cpu_us: float
    """Processor time of the server a request."""
    errors: int


def load(
    subject: Subject, case: Case, body: Body, connections: int, seconds: int, core: int | None, pause_ms: int | None = None
) -> Measurement:
    """Let wrk call `subject` from one thread; with `pause_ms` each client waits so long on average before it calls again.

    wrk does not count a request that is never answered. But in a closed loop rate times latency is the number of requests
    under way (Little's law): a server that left most connections hanging is found out, and each of them counts as an error.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(body.content)
        file.flush()
        settings = {
            "BENCH_BODY": file.name,
            "BENCH_HEADER_BYTES": str(body.header_bytes or ""),
            "BENCH_PAUSE_MS": str(pause_ms or ""),
        }
        measured = _call(subject, subject.url(case), settings, connections, seconds, core)
    under_way = measured.requests_per_s * measured.mean_us / 1e6
    if pause_ms is None and connections >= LITTLE_FROM and under_way < LITTLE_SHARE * connections:
        return msgspec.structs.replace(measured, errors=measured.errors + connections)
    return measured


def load_get(subject: Subject, connections: int, seconds: int, core: int | None) -> Measurement:
    """Let wrk GET the subject's path."""
    return _call(subject, subject.address + subject.path, {}, connections, seconds, core)


def _call(
    subject: Subject, url: str, settings: Mapping[str, str], connections: int, seconds: int, core: int | None
) -> Measurement:
    before = _cpu_s(subject)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), url]
    environment = {**os.environ, "BENCH_KEY": subject.key, **settings}
    done = subprocess.run(pinned(command, core), env=environment, check=True, capture_output=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    cpu_us = (_cpu_s(subject) - before) / max(1, found["requests_per_s"] * seconds) * 1e6
    return msgspec.convert(found | {"cpu_us": cpu_us}, Measurement)


def median(runs: list[Measurement]) -> Measurement:
    """The middle of each number; errors add up."""
    return Measurement(
        statistics.median(it.requests_per_s for it in runs),
        statistics.median(it.p50_us for it in runs),
        statistics.median(it.p99_us for it in runs),
        statistics.median(it.p999_us for it in runs),
        statistics.median(it.mean_us for it in runs),
        statistics.median(it.cpu_us for it in runs),
        sum(it.errors for it in runs),
    )


def rows_alone(model: Path, seconds: float, batch_sizes: Iterable[int], core: int | None) -> dict[int, float]:
    """Rows a second of onnxruntime in a loop, by batch size."""
    command = [sys.executable, "-m", "loadtests.servers.direct", str(model), str(seconds), *map(str, batch_sizes)]
    found = subprocess.run(pinned(command, core), check=True, capture_output=True).stdout
    return {int(size): rows for size, rows in json.loads(found.strip().splitlines()[-1]).items()}


def cores() -> tuple[int | None, int | None]:
    """One core for the server and one for the client; none where processes cannot be pinned or there is only one."""
    if not hasattr(os, "sched_getaffinity") or shutil.which("taskset") is None:
        return None, None
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[1]) if len(found) > 1 else (None, None)


def _cpu_s(subject: Subject) -> float:
    total = 0.0
    for parent in map(psutil.Process, subject.pids):
        for it in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # it has ended since
                total += sum(it.cpu_times()[:2])
    return total
