"""`make bench-lists`: how long every list and search of the control API takes on a large database, beside a single project.

Starts PostgreSQL, Valkey and control on one core, fills the database (`loadtests.seed`) and calls from the other core, one call
after another, with everything that HTTP adds. Prints a table and writes it to `docs/benchmarks.md`.
"""

import argparse
import json
import statistics
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from msgspec import Struct

from loadtests import report
from loadtests.calls import GET_PROJECT, Calls, draw, unasked
from loadtests.control_plane import Client, kept_on, running_control
from loadtests.load import cores
from loadtests.seed import OWNER, Size
from loadtests.subjects import NotStarted

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"
OPENAPI: Final = Path(__file__).parents[1] / "frontend" / "openapi.json"
MOST_P95_MS: Final = 50.0
MOST_P50_MS: Final = 4.0
"""Of `GET_PROJECT`."""
WARM_UP: Final = 10
"""Calls of each kind before those that count: by then Postgres has made its lasting plans."""


class Timing(Struct, frozen=True):
    """How long the calls of one kind took."""

    what: str
    p50_ms: float
    p95_ms: float
    worst_ms: float

    @property
    def is_slow(self) -> bool:
        return self.p95_ms >= MOST_P95_MS or (self.what == GET_PROJECT and self.p50_ms >= MOST_P50_MS)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="make bench-lists", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="0.01: a hundredth of everything")
    parser.add_argument("--calls", type=int, default=100, help="of each kind (default 100)")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    size = Size().scaled(arguments.scale)
    try:
        timings = measure(size, arguments.calls)
    except (NotStarted, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    text = render(timings, size)
    print(text)
    if not arguments.no_write:
        report.write(text, DOCUMENT, "lists")
    return 1 if any(it.is_slow for it in timings) else 0


def measure(size: Size, calls: int) -> list[Timing]:
    """The slowest first. Raises NotStarted; RuntimeError if a call fails, or if the API has a list that none of them asks for."""
    server_core, client_core = cores()
    with (
        tempfile.TemporaryDirectory(prefix="hr-") as folder,
        running_control(Path(folder), size, server_core, server_core) as control,
        kept_on(client_core),
    ):
        client = Client(control.address)
        client.log_in(OWNER)
        paths = draw(client.get)
        if missing := unasked(paths, json.loads(OPENAPI.read_text())):
            raise RuntimeError(f"loadtests/calls.py asks for no {', '.join(sorted(missing))}")
        return sorted(_measure_all(client, paths, calls), key=lambda it: it.p95_ms, reverse=True)


def _measure_all(client: Client, paths: Calls, calls: int) -> list[Timing]:
    timings: list[Timing] = []
    for what, alternatives in paths.items():
        taken = sorted([client.time_ms(it) for it in islice(cycle(alternatives), WARM_UP + calls)][WARM_UP:])
        p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1]
        timings.append(Timing(what, statistics.median(taken), p95, taken[-1]))
        print(timings[-1], file=sys.stderr)
    return timings


def render(timings: list[Timing], size: Size) -> str:
    """The section, without its markers."""
    held = f"{size.organizations:,} organizations, {size.projects:,} projects, {size.members:,} members"
    rows = [f"| {it.what} | {it.p50_ms:.1f} | {it.p95_ms:.1f} | {it.worst_ms:.1f} |" for it in timings]
    lines = [
        f'`make bench-lists ARGS="{" ".join(sys.argv[1:])}"`: {held}, {size.audit_entries:,} audit entries;',
        "a fifth of all in one organization, whose owner asks. Control, PostgreSQL and Valkey shared one core; one client called",
        "from the other, over HTTP, signed in. Milliseconds.",
        "",
        report.machine(),
        "",
        "| what | p50 | p95 | worst |",
        "|---|---:|---:|---:|",
    ]
    return "\n".join([*lines, *rows])


if __name__ == "__main__":
    sys.exit(main())
