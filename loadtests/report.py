"""The benchmark's tables as Markdown, and their place in `docs/benchmarks.md`."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from loadtests.load import Measurement
from loadtests.me import CONNECTIONS
from loadtests.steady import EARLY, LATE, Steady

TITLE: Final = "# Benchmarks\n"
BARE: Final = "bare httptools"
FASTAPI: Final = "FastAPI + uvicorn"
PACKAGES: Final = ("onnxruntime", "uvloop", "httptools", "numpy", "msgspec", "fastapi", "uvicorn")


def servers(results: Mapping[tuple[str, str, int], Measurement]) -> str:
    """One row a server, case and number of connections, with ratios to the references of the same run."""
    lines = [
        "| model | connections | server | requests/s | p50 | p99 | CPU | of the bare server | times FastAPI | errors |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (server, case, connections), it in sorted(results.items(), key=lambda item: (item[0][1], item[0][2])):
        share = _ratio(it, results.get((BARE, case, connections)), ".0%")
        times = _ratio(it, results.get((FASTAPI, case.removesuffix(" binary"), connections)), ".1f")
        numbers = f"{it.requests_per_s:,.0f} | {_time(it.p50_us)} | {_time(it.p99_us)} | {_time(it.cpu_us)}"
        lines.append(f"| {case} | {connections} | {server} | {numbers} | {share} | {times} | {it.errors} |")
    return "\n".join(lines)


def alone(rows: Mapping[str, Mapping[int, float]]) -> str:
    """onnxruntime's rows a second by model and batch size."""
    sizes = list(next(iter(rows.values())))
    lines = [
        f"| onnxruntime alone, rows/s at batch | {' | '.join(map(str, sizes))} |",
        "|---|" + "---:|" * len(sizes),
    ]
    lines += [f"| {name} | {' | '.join(f'{found[it]:,.0f}' for it in sizes)} |" for name, found in rows.items()]
    return "\n".join(lines)


def steady(found: Steady) -> str:
    """What a gateway is like over time."""
    half, growth = found.half, found.late_bytes / found.early_bytes - 1
    return (
        f"The gateway with the tiny model was ready {found.start_s:.2f} s after its command. "
        f"At {half.requests_per_s:,.0f} requests/s, about half of its most, p50 was {_time(half.p50_us)}, "
        f"p99 {_time(half.p99_us)} and p99.9 {_time(half.p999_us)} ({half.p999_us / half.p50_us:.1f} times p50). "
        f"Its resident memory after {LATE:,} requests was {found.late_bytes / 1e6:.1f} MB, {growth:+.1%} of that after {EARLY:,}."
    )


def me(found: Mapping[str, Measurement], share: str) -> str:
    """Who the caller is, beside the same in the usual way; the first is the reference."""
    reference = next(iter(found.values()))
    lines = [
        f"`GET /api/v1/me` at {CONNECTIONS} connections, medians of the rounds; the server had {share},",
        "and so had wrk and PostgreSQL.",
        "",
        machine(),
        "",
        "| server | requests/s | p50 | p99 | CPU | times the first | errors |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for server, it in found.items():
        numbers = f"{it.requests_per_s:,.0f} | {_time(it.p50_us)} | {_time(it.p99_us)} | {_time(it.cpu_us)}"
        lines.append(f"| {server} | {numbers} | {_ratio(it, reference, '.1f')} | {it.errors} |")
    return "\n".join(lines)


def _ratio(it: Measurement, reference: Measurement | None, form: str) -> str:
    return format(it.requests_per_s / reference.requests_per_s, form) if reference else "-"


def machine() -> str:
    """What it ran on, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = f"{os.cpu_count()} cores"
    return (
        f"{_cpu()}, {cores}, {platform.system()} {platform.machine()}, Python {platform.python_version()}, {packages}, {_wrk()}."
    )


def write(section: str, document: Path, name: str) -> None:
    """Put `section` between its markers in `document`, leaving the rest of it alone."""
    begin, end = f"<!-- bench {name}: begin, written by `make bench` -->", f"<!-- bench {name}: end -->"
    text = document.read_text() if document.exists() else TITLE
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    document.parent.mkdir(exist_ok=True)
    document.write_text(f"{before.rstrip()}\n\n{begin}\n{section}\n{end}\n{after.lstrip()}")


def _time(microseconds: float) -> str:
    return f"{microseconds:.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:.2f} ms"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((it.partition(":")[2].strip() for it in lines if it.startswith("model name")), platform.machine())


def _wrk() -> str:
    done = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split()[:2])
