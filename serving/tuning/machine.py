"""The machine that measurements hold for."""

import hashlib
import math
import os
import threading
import time
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Final

CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
CPU_DESCRIPTION: Final = Path("/proc/cpuinfo")
ROUND_TRIPS: Final = 100


@cache
def cores() -> int:
    """Cores this process may use: those it is pinned to, and no more than its container's quota."""
    return max(1, min(len(os.sched_getaffinity(0)), _quota()))


@cache
def describe_cpu() -> str:
    """Differs between processors that run a model differently: name and instruction sets, as a digest."""
    try:
        lines = CPU_DESCRIPTION.read_text().splitlines()
    except OSError:
        lines = []
    told = sorted({it for it in lines if it.startswith(("model name", "flags", "Features", "CPU part"))})
    return hashlib.sha256("\n".join([os.uname().machine, *told]).encode()).hexdigest()[:16]


@cache
def hop_us() -> float:
    """What it costs to have something done by another thread and to hear of it, in microseconds: of many tries the
    quarter that nothing else on the machine delayed."""
    there: SimpleQueue[bool] = SimpleQueue()
    back: SimpleQueue[bool] = SimpleQueue()

    def echo() -> None:
        while there.get():
            back.put(True)

    thread = threading.Thread(target=echo, name="hop", daemon=True)
    thread.start()
    took: list[float] = []
    for _ in range(ROUND_TRIPS):
        started = time.perf_counter()
        there.put(True)
        back.get()
        took.append(time.perf_counter() - started)
    there.put(False)
    thread.join()
    return sorted(took)[ROUND_TRIPS // 4] * 1e6


def _quota() -> int:
    try:
        limit, period = CPU_QUOTA.read_text().split()
    except (OSError, ValueError):  # no cgroup of version 2
        return 1 << 16
    return 1 << 16 if limit == "max" else math.ceil(int(limit) / int(period))
