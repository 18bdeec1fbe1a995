"""One target under atheris, in a process of its own: what it runs must be instrumented while it is imported."""

import sys

import atheris
from atheris.import_hook import instrument_imports


def main(name: str, arguments: list[str]) -> None:
    """Never returns: libFuzzer ends the process."""
    with instrument_imports(include=["serving", "gateway"]):
        from tests.fuzz.targets_by_name import TARGETS  # not before: it imports what is instrumented
    atheris.Setup([name, *arguments], TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
