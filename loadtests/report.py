"""The benchmark's table as Markdown, and its place in `docs/benchmarks.md`."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol

BEGIN: Final = "<!-- bench: begin, written by `make bench` -->"
END: Final = "<!-- bench: end -->"
TITLE: Final = "# Benchmarks\n"
REFERENCE: Final = "bare httptools echo"
PACKAGES: Final = ("onnxruntime", "uvloop", "httptools", "numpy", "msgspec", "fastapi", "uvicorn")


class Numbers(Protocol):
    """What is shown of one measurement."""

    @property
    def requests_per_s(self) -> float: ...
    @property
    def p50_us(self) -> float: ...
    @property
    def p99_us(self) -> float: ...
    @property
    def errors(self) -> int: ...


def render(results: Mapping[str, Mapping[int, Numbers]], alone: Numbers, command: str, is_pinned: bool) -> str:
    """The section, without its markers."""
    lines = [
        f"`{command}`: one row of 4 numbers as JSON, one keep-alive wrk thread, medians of the rounds.",
        "The gateway's side includes its Valkey, the API key, the request log and the metrics.",
        "Server (all its processes) and wrk had one core each." if is_pinned else "Processes were not pinned to cores.",
        "",
        machine(),
        "",
        "| server | connections | requests/s | p50 | p99 | of the bare server | errors |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in results.items():
        for connections, it in row.items():
            share = it.requests_per_s / results[REFERENCE][connections].requests_per_s
            lines.append(f"| {name} | {connections} | {_numbers(it)} | {share:.0%} | {it.errors} |")
    lines.append(f"| onnxruntime alone, in a loop | - | {_numbers(alone)} | - | {alone.errors} |")
    return "\n".join(lines)


def machine() -> str:
    """What it ran on, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = f"{os.cpu_count()} cores"
    return (
        f"{_cpu()}, {cores}, {platform.system()} {platform.machine()}, Python {platform.python_version()}, {packages}, {_wrk()}."
    )


def write(section: str, document: Path) -> None:
    """Put `section` between its markers in `document`, leaving the rest of it alone."""
    text = document.read_text() if document.exists() else TITLE
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    document.parent.mkdir(exist_ok=True)
    document.write_text(f"{before.rstrip()}\n\n{BEGIN}\n{section}\n{END}\n{after.lstrip()}")


def _numbers(it: Numbers) -> str:
    return f"{it.requests_per_s:,.0f} | {_time(it.p50_us)} | {_time(it.p99_us)}"


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
