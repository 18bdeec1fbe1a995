"""What a gateway is like over time: how soon it answers, what it is like at half its load, and whether it grows."""

import tempfile
import time
from pathlib import Path
from typing import Final

import psutil
from msgspec import Struct

from loadtests.cases import TINY
from loadtests.load import Measurement, load
from loadtests.subjects import Subject, gateway

CONNECTIONS: Final = 64
EARLY, LATE = 10_000, 1_000_000
STEP_S: Final = 5


class Steady(Struct, frozen=True):
    """One gateway with the tiny model."""

    start_s: float
    """From the command to the first answer of a ready gateway, its Valkey running."""
    half: Measurement
    """At about half of the most it can answer."""
    early_bytes: int
    """Resident memory after `EARLY` requests."""
    late_bytes: int
    """And after `LATE`."""


def measure_steadiness(pinned: tuple[int | None, int | None]) -> Steady:
    """Takes as long as a million requests do. Raises NotStarted."""
    with tempfile.TemporaryDirectory(prefix="hr-") as name:
        folder = Path(name)
        TINY.write_model(folder / "tiny.onnx")
        started = time.monotonic()
        with gateway(folder, *pinned) as subject:
            start_s = time.monotonic() - started
            early = _memory_after(subject, EARLY, pinned[1])
            late = _memory_after(subject, LATE - EARLY, pinned[1])
            peak = load(subject, TINY, TINY.json(), CONNECTIONS, STEP_S, pinned[1])
            pause_ms = round(CONNECTIONS / (peak.requests_per_s / 2) * 1000)
            half = load(subject, TINY, TINY.json(), CONNECTIONS, STEP_S, pinned[1], pause_ms)
    return Steady(start_s, half, early, late)


def _memory_after(subject: Subject, requests: int, core: int | None) -> int:
    sent = 0.0
    while sent < requests:
        seconds = 1 if requests - sent < LATE / 10 else STEP_S
        sent += load(subject, TINY, TINY.json(), CONNECTIONS, seconds, core).requests_per_s * seconds
    return sum(psutil.Process(it).memory_info().rss for it in subject.pids)
