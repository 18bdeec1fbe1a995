"""`make bench`: the gateway beside a bare HTTP server, a FastAPI server and onnxruntime alone, in one interleaved run.

After it control, beside FastAPI with SQLAlchemy. The servers have one core, wrk the other. Prints tables and writes them to
`docs/benchmarks.md`.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from loadtests import report
from loadtests.cases import CASES, Case
from loadtests.load import Measurement, cores, load, median, rows_alone
from loadtests.me import measure_me
from loadtests.steady import Steady, measure_steadiness
from loadtests.subjects import NotStarted, Subject, constant, fastapi, gateway

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64)
WARM_UP_S: Final = 1

Key = tuple[str, str, int]
"""Server, case (with "binary" where that is how), connections."""


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="length of one run (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each combination; the median counts (default 3)")
    parser.add_argument("--cases", default="", help="comma-separated: only these models")
    parser.add_argument("--two-cores", action="store_true", help="let servers and clients both use all cores")
    parser.add_argument("--steady", action="store_true", help="also start-up, memory over a million requests, p99.9")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed; get it with `apt-get install wrk` (or `brew install wrk`)", file=sys.stderr)
        return 1
    cases = [it for it in CASES if not arguments.cases or it.name in arguments.cases.split(",")]
    pinned = (None, None) if arguments.two_cores else cores()
    try:
        results, alone = measure_all(cases, arguments.seconds, arguments.rounds, pinned)
        steady = measure_steadiness(pinned) if arguments.steady else None
        me = measure_me(arguments.seconds, arguments.rounds, pinned)
    except NotStarted as error:
        print(error, file=sys.stderr)
        return 1
    share = "two cores" if arguments.two_cores else "one core"
    sections = {share: render(results, alone, steady, is_pinned=pinned[0] is not None), f"me, {share}": report.me(me, share)}
    for name, text in sections.items():
        print(text)
        if not arguments.no_write:
            report.write(text, DOCUMENT, name)
    return 1 if any(it.errors for it in (*results.values(), *me.values())) else 0


def measure_all(
    cases: Iterable[Case], seconds: int, rounds: int, pinned: tuple[int | None, int | None]
) -> tuple[dict[Key, Measurement], dict[str, dict[int, float]]]:
    """Medians of the servers, and onnxruntime's rows a second by case and batch size. Raises NotStarted."""
    server_core, client_core = pinned
    runs: dict[Key, list[Measurement]] = {}
    alone: dict[str, dict[int, float]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hr-")))
        for case in cases:
            case.write_model(folder / f"{case.name}.onnx")
        subjects = [
            stack.enter_context(it)
            for it in (constant(folder, server_core), gateway(folder, server_core, client_core), fastapi(folder, server_core))
        ]
        for case in cases:
            alone[case.name] = rows_alone(folder / f"{case.name}.onnx", seconds / 4, BATCH_SIZES, server_core)
            for subject in subjects:
                load(subject, case, case.json(), 8, WARM_UP_S, client_core)
        for number in range(rounds):
            for key, found in _round(cases, subjects, seconds, client_core):
                runs.setdefault(key, []).append(found)
                print(f"round {number + 1}: {key}: {found.requests_per_s:,.0f}/s", file=sys.stderr)
    return {key: median(it) for key, it in runs.items()}, alone


def _round(
    cases: Iterable[Case], subjects: Iterable[Subject], seconds: int, client_core: int | None
) -> Iterable[tuple[Key, Measurement]]:
    for case in cases:
        for connections in case.connections:
            for subject in subjects:
                found = load(subject, case, case.json(), connections, seconds, client_core)
                yield (subject.name, case.name, connections), found
                if case.has_binary and not subject.name.startswith("FastAPI"):
                    found = load(subject, case, case.binary(), connections, seconds, client_core)
                    yield (subject.name, f"{case.name} binary", connections), found


def render(
    results: Mapping[Key, Measurement], alone: Mapping[str, Mapping[int, float]], steady: Steady | None, *, is_pinned: bool
) -> str:
    """The section, without its markers."""
    return "\n\n".join(
        [
            f'`make bench ARGS="{" ".join(sys.argv[1:])}"`: requests of one row, one wrk thread, medians of the rounds.',
            "Each server had one core and wrk the other." if is_pinned else "Servers and wrk shared all cores.",
            "The gateway's side includes the API key with a limit, the request log (into a Valkey) and the metrics. "
            "CPU is that of the server's process, a request; on a machine that does other things too it is the steadier number.",
            report.machine(),
            report.servers(results),
            report.alone(alone),
            *([report.steady(steady)] if steady else []),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
