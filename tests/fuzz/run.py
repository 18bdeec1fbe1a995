"""`make fuzz`: atheris on every target in turn, beginning from the kept corpus.

    python -m tests.fuzz.run [TARGET …] [--minutes N] [--keep]

`--keep` adds what reached new code to tests/fuzz/corpus. The exit status is 1 if a target failed; the
bytes that did it are kept as `crash-…` in the directory that is named.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets_by_name import TARGETS, Target

MAX_BYTES = 4096


def main() -> int:
    """Fuzz; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("target", nargs="*", choices=[*TARGETS, []], help="all if none is named")
    parser.add_argument("--minutes", type=float, default=10.0, help="of all targets together")
    parser.add_argument("--keep", action="store_true", help="keep what reached new code")
    options = parser.parse_args()
    names = options.target or list(TARGETS)
    failed = [name for name in names if not fuzz(TARGETS[name], options.minutes * 60 / len(names), keep=options.keep)]
    for name in failed:
        print(f"{name} FAILED")
    return 1 if failed else 0


def fuzz(target: Target, seconds: float, *, keep: bool) -> bool:
    """Whether `target` went through `seconds` unharmed; prints what was done."""
    crashes = Path(tempfile.gettempdir()) / f"headrace-fuzz-{target.name}"
    crashes.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        found = Path(name)
        for number, data in enumerate((*target.seeds, *target.kept())):
            (found / str(number)).write_bytes(data)
        limits = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={MAX_BYTES}", f"-artifact_prefix={crashes}/"]
        done = _atheris(target, [str(found), *limits, "-print_final_stats=1"])
        coverage = re.findall(r"cov: (\d+) ft: (\d+)", done.stderr)
        runs = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
        if done.returncode or runs is None:
            print(done.stderr[-4000:], f"\n{target.name}: see {crashes}", sep="")
            return False
        edges, features = coverage[-1]
        print(f"{target.name}: {int(runs[1]):,} runs in {seconds:.0f} s, {edges} edges, {features} features reached", flush=True)
        if keep:
            print(f"{target.name}: {target.keep(it.read_bytes() for it in found.iterdir())} inputs kept", flush=True)
        return True


def _atheris(target: Target, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.under_atheris", target.name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


if __name__ == "__main__":
    sys.exit(main())
