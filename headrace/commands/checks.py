"""`doctor`: looks at everything Headrace depends on and says what is wrong."""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Final

import httpx
import typer
from msgspec import Struct
from rich.markup import escape
from rich.table import Table

from contracts.errors import HeadraceError
from contracts.settings import CommandSettings
from headrace.commands import options
from headrace.embedded import postgres, valkey
from headrace.errors import NotRunning
from headrace.exits import Exit
from headrace.instance import Instance, InstanceState
from headrace.output import Output
from headrace.supervisor.ports import choose_ports
from headrace.supervisor.stack import CONSOLE

MINIMUM_PYTHON: Final = (3, 11)
TIMEOUT_S: Final = 5.0


class Finding(Struct, frozen=True):
    """One thing looked at; `advice` says what to do if it is not well."""

    what: str
    is_well: bool
    found: str
    advice: str = ""


def doctor(as_json: options.AsJson = False) -> None:
    """Check every dependency and say what is wrong; exit status 1 if anything is."""
    findings = list(_look_at_everything(options.settings(), options.instance()))
    is_well = all(it.is_well for it in findings)
    Output(as_json).result({"is_well": is_well, "findings": findings}, _table(findings))
    if not is_well:
        raise typer.Exit(Exit.FAILED)


def _look_at_everything(settings: CommandSettings, here: Instance) -> Iterator[Finding]:
    yield _python()
    for package in ("onnxruntime", "chdb", "asyncpg", "uvloop"):
        yield _package(package)
    yield _works("PostgreSQL program", lambda: str(postgres.programs() / "postgres"), "run `make up` again to reinstall it")
    yield _works("Valkey program", lambda: str(valkey.program()), "run `make up` again to reinstall it")
    yield Finding(
        "console", (CONSOLE / "index.html").exists(), str(CONSOLE), "build it with `make up` (needs Node 20.19 or newer)"
    )
    yield _works("data directory", lambda: _prepared(here), "free space, or set HEADRACE_DATA to another directory")
    try:
        state = here.state()
    except NotRunning:
        yield _works("ports", lambda: _ports(settings), "stop what listens there or use --port-base")
        return
    yield from _processes(state)
    yield from _dependencies("control", state.console_url)
    yield from _dependencies("gateway", state.inference_url)


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", sys.version_info >= MINIMUM_PYTHON, found, "install Python 3.11 or newer")


def _package(name: str) -> Finding:
    is_there = importlib.util.find_spec(name) is not None
    return Finding(f"package {name}", is_there, "installed" if is_there else "missing", "run `make up` to install it")


def _works(what: str, find: Callable[[], str], advice: str) -> Finding:
    try:
        return Finding(what, True, find())
    except (HeadraceError, OSError) as error:
        return Finding(what, False, str(error), advice)


def _prepared(here: Instance) -> str:
    here.prepare()
    return f"{here.data}, {shutil.disk_usage(here.data).free // 1024**2:,} MB free"


def _ports(settings: CommandSettings) -> str:
    ports = choose_ports(settings.host, settings.port_base)
    return f"{ports.console}, {ports.inference} and {ports.grpc} are free"


def _processes(state: InstanceState) -> Iterator[Finding]:
    for process in state.processes:
        is_well = process.state == "ready"
        yield Finding(f"process {process.name}", is_well, process.state, f"see `headrace logs {process.name}`")


def _dependencies(name: str, url: str) -> Iterator[Finding]:
    try:
        health = httpx.get(f"{url}/health/ready", timeout=TIMEOUT_S, trust_env=False).json()
    except (httpx.HTTPError, ValueError) as error:
        yield Finding(f"{name} answers", False, str(error), f"see `headrace logs {name}`")
        return
    for dependency, seen in health["dependencies"].items():
        found = f"{seen['state']} {seen.get('detail', '')}".strip()
        yield Finding(f"{name} → {dependency}", seen["state"] == "up", found, f"see `headrace logs {name}`")


def _table(findings: list[Finding]) -> Table:
    table = Table("", "what", "found", "what to do")
    for it in findings:
        table.add_row(
            "[green]✓[/green]" if it.is_well else "[red]✗[/red]",
            escape(it.what),
            escape(it.found),
            "" if it.is_well else escape(it.advice),
        )
    return table
