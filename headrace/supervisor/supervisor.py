"""The life of one instance: start everything in order, watch it, stop it in order."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import psutil

from contracts.errors import HeadraceError
from headrace.embedded.postgres import prepare_postgres
from headrace.embedded.service import Command
from headrace.errors import CommandFailed, StartFailed
from headrace.exits import Exit
from headrace.instance import Instance, InstanceState
from headrace.supervisor import stack as stacks
from headrace.supervisor.child import Child, Plan, die_with_the_supervisor
from headrace.supervisor.ports import Ports

START_TIMEOUT_S: Final = 90.0
PROGRAMS_GRACE_S: Final = 6.0
STORES_GRACE_S: Final = 2.5
WATCH_EVERY_S: Final = 2.0
GIVE_UP_AFTER: Final = 4
"""A process that ended this often before it was ever ready will not start: the whole start is called off."""


class Watcher(Protocol):
    """Who is told what happens; the command line draws it."""

    def step(self, text: str) -> None:
        """A long step has begun or ended."""
        ...

    def line(self, name: str, line: str) -> None:
        """Process `name` printed `line`."""
        ...


class Supervisor:
    """Runs `instance` on `ports` until a stop is asked for."""

    def __init__(self, instance: Instance, ports: Ports, stack: stacks.Stack, watcher: Watcher) -> None:
        self.instance, self.ports, self.stack, self.watcher = instance, ports, stack, watcher
        self.phase = "starting"
        self.children: list[Child] = []
        self._stop = asyncio.Event()
        self._failure: CommandFailed | None = None

    async def run(self, when_ready: Callable[[InstanceState], Awaitable[None]]) -> None:
        """Start, call `when_ready`, run until SIGINT or SIGTERM, stop. Raises CommandFailed if the start failed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        try:
            await self._until_stopped(self._start(), START_TIMEOUT_S)
            if not self._stop.is_set():
                self._enter("ready")
                await self._until_stopped(when_ready(self.state()))
                await self._watch()
        except CommandFailed as error:
            self._failure = error
            raise
        finally:
            await self._shut_down()

    def state(self) -> InstanceState:
        """What `run/state.json` holds."""
        console = stacks.console_url(self.ports)
        return InstanceState(
            pid=os.getpid(),
            phase=self.phase,
            failure=str(self._failure or ""),
            failure_exit=self._failure.exit if self._failure else 0,
            console_url=console,
            inference_url=stacks.inference_url(self.ports),
            grpc_target=stacks.grpc_target(self.ports),
            mlflow_uri=console,
            processes=tuple(child.describe() for child in self.children),
        )

    async def _start(self) -> None:
        self._enter("starting")
        await _end_leftovers(self.instance)
        if any(plan.name == "postgres" for plan in self.stack.stores):
            self.watcher.step("preparing the database directory")
            await asyncio.to_thread(prepare_postgres, self.instance.data / "postgres")
        stores = self._spawn(self.stack.stores)
        programs = self._spawn(self.stack.programs)
        await self._all_ready(stores)
        self.watcher.step("bringing the database schema up to date")
        await self._run_to_end("migrate", self.stack.migrate)
        await self._all_ready([*self._spawn([self.stack.control]), *programs])

    def _spawn(self, plans: Sequence[Plan]) -> list[Child]:
        children = [Child(plan, self.instance.logs, self._publish, self.watcher.line) for plan in plans]
        self.children.extend(children)
        for child in children:
            child.start()
        return children

    async def _all_ready(self, children: list[Child]) -> None:
        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(self._ready(child))

    async def _ready(self, child: Child) -> None:
        started = time.monotonic()
        while not await child.check():
            _give_up_on(child)
            await asyncio.sleep(0.03)
        self.watcher.step(f"{child.name} is ready ({time.monotonic() - started:.1f} s)")

    async def _run_to_end(self, name: str, command: Command) -> None:
        process = await asyncio.create_subprocess_exec(
            *command.arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | command.environment,
            start_new_session=True,
            preexec_fn=die_with_the_supervisor(command.stop_signal),
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        lines = output.decode(errors="replace").splitlines()
        for line in lines:
            self.watcher.line(name, line)
        if process.returncode:
            raise _failure(name, process.returncode, lines)

    async def _watch(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), WATCH_EVERY_S)
            if not self._stop.is_set():
                await asyncio.gather(*(child.check() for child in self.children))

    async def _until_stopped(self, work: Awaitable[None], timeout_s: float | None = None) -> None:
        """Await `work`, or until a stop is asked for. Raises what `work` raises, or StartFailed when time is up."""
        task, stop = asyncio.ensure_future(work), asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([task, stop], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if task in done:
            return _reraise(task)
        task.cancel()
        with suppress(asyncio.CancelledError, ExceptionGroup):
            await task
        if not done:
            late = ", ".join(child.name for child in self.children if child.state != "ready")
            raise StartFailed(f"not ready after {timeout_s:.0f} s: {late}; see {self.instance.logs}")
        return None

    async def _shut_down(self) -> None:
        self._enter("stopping")
        stores = {plan.name for plan in self.stack.stores}
        await asyncio.gather(*(it.stop(PROGRAMS_GRACE_S) for it in self.children if it.name not in stores))
        await asyncio.gather(*(it.stop(STORES_GRACE_S) for it in self.children if it.name in stores))
        self._enter("failed" if self._failure else "stopped")

    def _enter(self, phase: str) -> None:
        self.phase = phase
        self._publish()

    def _publish(self) -> None:
        try:
            self.instance.write_state(self.state())
        except OSError as error:
            self.watcher.line("supervisor", f"cannot write {self.instance.state_file}: {error.strerror}")


def _give_up_on(child: Child) -> None:
    fatal = child.ended_with in (Exit.PORT_TAKEN, Exit.DATA_NEWER)
    if fatal or child.restarts >= GIVE_UP_AFTER:
        raise _failure(child.name, child.ended_with or 0, list(child.last_lines))


def _failure(name: str, status: int, lines: list[str]) -> StartFailed:
    said = next((line for line in reversed(lines) if line.strip() and "starting it again" not in line), "it printed nothing")
    return StartFailed(f"{name} did not start (status {status}): {said}", status)


def _reraise(task: "asyncio.Future[None]") -> None:
    try:
        task.result()
    except ExceptionGroup as group:
        raise _first(group) from group
    except HeadraceError as error:
        if isinstance(error, CommandFailed):
            raise
        raise StartFailed(str(error)) from error


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


async def _end_leftovers(instance: Instance) -> None:
    """Wait for what a killed supervisor left behind to end, and end it by force if it does not."""
    state = instance.last_state()
    pids = [it.pid for it in state.processes if it.pid] if state else []
    left = [process for pid in pids if (process := _ours(pid, instance))]
    _, alive = await asyncio.to_thread(psutil.wait_procs, left, timeout=8)
    for process in alive:
        process.kill()
    await asyncio.to_thread(psutil.wait_procs, alive, timeout=2)


def _ours(pid: int, instance: Instance) -> psutil.Process | None:
    """The process `pid` if it belongs to this data directory (a pid may have been given to somebody else since)."""
    try:
        process = psutil.Process(pid)
        belongs = str(instance.data) in " ".join(process.cmdline()) or process.environ().get("HEADRACE_DATA") == str(
            instance.data
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if belongs and sys.platform != "win32" else None
