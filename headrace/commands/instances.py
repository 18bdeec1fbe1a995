"""`up`, `down`, `status`, `logs` and `demo`: one instance's life."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import msgspec
import msgspec.structs
import typer
from rich.markup import escape
from rich.table import Table

from contracts.settings import CommandSettings
from headrace.commands import options
from headrace.demo import EMAIL, Demo, example_request, load_demo
from headrace.errors import CommandFailed, StartFailed, TimedOut
from headrace.instance import Instance, InstanceState
from headrace.output import Output
from headrace.supervisor.ports import choose_ports
from headrace.supervisor.stack import PYTHON, plan_stack
from headrace.supervisor.supervisor import START_TIMEOUT_S, Supervisor

STOP_TIMEOUT_S: Final = 15.0
POLL_S: Final = 0.05
FOLLOW_S: Final = 0.2


def up(
    port_base: Annotated[
        int | None, typer.Option(help="Console port; inference gets the next two. 0 picks free ones.", min=0, max=65533)
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Gateway processes.", min=1, max=64)] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready; `headrace down` stops it.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Load the sample project as well.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Do not repeat what the processes log; `headrace logs` shows it.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Start everything and keep it running; Ctrl-C stops it."""
    settings = options.settings()
    given = {"port_base": port_base, "workers": workers}
    settings = msgspec.structs.replace(settings, **{name: value for name, value in given.items() if value is not None})
    here, output = options.instance(), Output(as_json, quiet)
    if detach:
        _start_detached(here, settings, demo, output)
    else:
        asyncio.run(_run(here, settings, demo, output))


def down(as_json: options.AsJson = False) -> None:
    """Stop the running instance."""
    here = options.instance()
    state = here.state()
    with suppress(ProcessLookupError):  # it is leaving by itself
        os.kill(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while here.is_locked():
        if time.monotonic() > deadline:
            raise TimedOut(f"it still runs after {STOP_TIMEOUT_S:.0f} s (pid {state.pid}); see {here.logs}")
        time.sleep(POLL_S)
    Output(as_json).result({"stopped": True, "pid": state.pid}, "Stopped.")


def status(as_json: options.AsJson = False) -> None:
    """Show the running instance: addresses and processes."""
    state = options.instance().state()
    Output(as_json).result(state, _processes(state))


def logs(
    process: Annotated[str, typer.Argument(help="Only this process; all of them if empty.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines of each.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what is added.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Print what the processes logged."""
    known = sorted(options.instance().logs.glob("*.log"))
    files = [file for file in known if process in ("", file.stem)]
    if not files:
        names = ", ".join(file.stem for file in known)
        raise CommandFailed(f"there is no log of {process!r}; there are {names}" if known else "nothing was logged yet")
    kept = [{"process": file.stem, "line": line} for file in files for line in _tail(file, lines)]
    Output(as_json).result({"lines": kept}, escape("\n".join(f"{it['process']:>9} {it['line']}" for it in kept)))
    if follow and not as_json:
        _follow(files)


def demo(as_json: options.AsJson = False) -> None:
    """Load the sample project into the running instance."""
    here, output = options.instance(), Output(as_json)
    state = here.state()
    loaded = load_demo(state.console_url, state.inference_url, here.data / "demo.json", output.step)
    output.result(_demo_facts(state, loaded), _demo_words(state, loaded))


async def _run(here: Instance, settings: CommandSettings, demo: bool, output: Output) -> None:
    here.prepare()
    with here.locked():
        ports = choose_ports(settings.host, settings.port_base)
        supervisor = Supervisor(here, ports, plan_stack(here, settings, ports), output)

        async def when_ready(state: InstanceState) -> None:
            loaded = None
            if demo:
                loaded = await asyncio.to_thread(
                    load_demo, state.console_url, state.inference_url, here.data / "demo.json", output.step
                )
            output.result(_facts(state, loaded), _words(state, loaded))

        await supervisor.run(when_ready)


def _start_detached(here: Instance, settings: CommandSettings, demo: bool, output: Output) -> None:
    here.prepare()
    with here.locked():  # refuse early, before a process is started
        pass
    command = [
        *PYTHON,
        "-m",
        "headrace",
        "up",
        "--port-base",
        str(settings.port_base),
        "--workers",
        str(settings.workers),
        "--quiet",
    ]
    with (here.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    signal.signal(signal.SIGTERM, _leave)
    try:
        state = _wait_for_start(here, process)
        loaded = None
        if demo:
            loaded = load_demo(state.console_url, state.inference_url, here.data / "demo.json", output.step)
    except BaseException:  # Ctrl-C as well: nothing half-started stays behind
        _end(process)
        raise
    output.result(_facts(state, loaded), _words(state, loaded))


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for_start(here: Instance, process: "subprocess.Popen[bytes]") -> InstanceState:
    deadline = time.monotonic() + START_TIMEOUT_S + STOP_TIMEOUT_S
    while True:
        state = here.last_state()
        if state and state.pid == process.pid and state.phase == "ready":
            return state
        if process.poll() is not None:
            raise _start_failure(here, state, process)
        if time.monotonic() > deadline:
            raise TimedOut(f"not ready after {START_TIMEOUT_S:.0f} s; see {here.logs}")
        time.sleep(POLL_S)


def _start_failure(here: Instance, state: InstanceState | None, process: "subprocess.Popen[bytes]") -> StartFailed:
    if state and state.pid == process.pid and state.failure:
        return StartFailed(state.failure, state.failure_exit)
    said = _tail(here.logs / "supervisor.log", 1)
    return StartFailed(said[0].removeprefix("headrace: ") if said else "the supervisor ended without a word", process.returncode)


def _facts(state: InstanceState, demo: Demo | None) -> dict[str, Any]:
    return _demo_facts(state, demo) if demo else msgspec.structs.asdict(state)


def _words(state: InstanceState, demo: Demo | None) -> str:
    return _demo_words(state, demo) if demo else _addresses(state)


def _addresses(state: InstanceState) -> str:
    return (
        f"\n[bold green]Headrace is ready[/bold green]\n"
        f"  Console    {state.console_url}\n"
        f"  Inference  {state.inference_url}\n"
        f"  API docs   {state.console_url}/api/docs\n"
    )


def _demo_facts(state: InstanceState, demo: Demo) -> dict[str, Any]:
    return msgspec.structs.asdict(state) | msgspec.structs.asdict(demo)


def _demo_words(state: InstanceState, demo: Demo) -> str:
    curl = escape(curl_line(state.inference_url, demo))
    return f"{_addresses(state)}  Demo login {EMAIL} / {demo.password}\n\nTry it:\n\n{curl}\n"


def curl_line(inference_url: str, demo: Demo) -> str:
    """A command that answers 200 when pasted into a shell."""
    name = min(demo.deployments, key=lambda it: len(json.dumps(example_request(it))))
    body = json.dumps(example_request(name))
    return f"curl -s {inference_url}/v2/models/{name}/infer -H 'Authorization: Bearer {demo.api_key}' -d '{body}'"


def _processes(state: InstanceState) -> Table:
    table = Table("process", "pid", "state", "restarts", title=f"{state.phase}: {state.console_url}", title_justify="left")
    for process in state.processes:
        table.add_row(process.name, str(process.pid or "–"), process.state, str(process.restarts))
    return table


def _tail(file: Path, lines: int) -> list[str]:
    if not file.exists():
        return []
    return file.read_text(errors="replace").splitlines()[-lines:] if lines else []


def _follow(files: list[Path]) -> None:
    ends = {file: file.stat().st_size for file in files}
    while True:
        for file in files:
            ends[file] = _print_added(file, ends[file])
        time.sleep(FOLLOW_S)


def _print_added(file: Path, end: int) -> int:
    size = file.stat().st_size
    with file.open("rb") as opened:
        opened.seek(end if size >= end else 0)
        for line in opened.read().decode(errors="replace").splitlines():
            print(f"{file.stem:>9} {line}", flush=True)
        return opened.tell()
