"""One supervised process: started, its output kept, restarted with back-off when it ends unasked."""

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from headrace.embedded.service import Command
from headrace.instance import ProcessState

FIRST_BACKOFF_S: Final = 0.2
LONGEST_BACKOFF_S: Final = 10.0
STEADY_S: Final = 30.0
"""A process that ran this long before it ended is restarted without back-off."""
LOG_BYTES: Final = 10 * 1024**2
LONGEST_LINE: Final = 1 << 16
CANNOT_START: Final = 127
"""The status of a process that could not be begun, as a shell would give it."""
PR_SET_PDEATHSIG: Final = 1

LIBC: Final = ctypes.CDLL(None)


@dataclass(frozen=True)
class Plan:
    """What to run under which name, and how to ask whether it is ready (given its pid)."""

    name: str
    command: Command
    is_ready: Callable[[int], Awaitable[bool]]


class Child:
    """Runs one Plan until told to stop. `on_change` is called at every change of state, `on_line` with every line it prints."""

    def __init__(self, plan: Plan, logs: Path, on_change: Callable[[], None], on_line: Callable[[str, str], None]) -> None:
        self.plan = plan
        self.state = "stopped"
        self.restarts = 0
        self.last_lines: deque[str] = deque(maxlen=20)
        self.ended_with: int | None = None
        self.stopping = False
        self._log = _open_log(logs / f"{plan.name}.log")
        self._on_change, self._on_line = on_change, on_line
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.plan.name

    def describe(self) -> ProcessState:
        process = self._process
        return ProcessState(self.name, process.pid if process and process.returncode is None else None, self.state, self.restarts)

    def start(self) -> None:
        """Begin to run and to keep running."""
        self._task = asyncio.create_task(self._keep_running(), name=self.name)

    async def check(self) -> bool:
        """Ask the process whether it is ready, and keep the answer as its state."""
        process = self._process
        if process is None or process.returncode is not None:
            return False
        is_ready = await self.plan.is_ready(process.pid)
        if is_ready:
            self._become("ready")
        elif self.state == "ready":
            self._become("not ready")
        return is_ready

    async def stop(self, grace_s: float) -> None:
        """End the process by its own signal, after `grace_s` by force."""
        self.stopping = True
        if self._task is None:
            return
        if self.describe().pid is None:
            self._task.cancel()
        self._signal(self.plan.command.stop_signal)
        _, pending = await asyncio.wait([self._task], timeout=grace_s)
        if pending:
            self._signal(signal.SIGKILL)
            await asyncio.wait([self._task], timeout=2)
        self._become("stopped")
        self._log.close()

    async def _keep_running(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while not self.stopping:
            self._become("starting" if self._process is None else "restarting")
            started = time.monotonic()
            await self._run_once()
            if self.stopping:
                return
            self.restarts += 1
            self._become("restarting")
            if time.monotonic() - started > STEADY_S:
                backoff_s = FIRST_BACKOFF_S
            self._keep_line(f"{self.name} ended with status {self.ended_with}; starting it again in {backoff_s:.1f} s")
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)

    async def _run_once(self) -> None:
        try:
            process = await self._begin(self.plan.command)
        except (OSError, subprocess.SubprocessError) as error:  # out of memory or of processes: it may work later
            self.ended_with = CANNOT_START
            self._keep_line(f"{self.name} cannot be started: {error}")
            return
        self._process = process
        self._on_change()
        if self.stopping:
            self._signal(self.plan.command.stop_signal)
        assert process.stdout is not None
        await self._forward(process.stdout)
        self.ended_with = await process.wait()

    async def _begin(self, command: Command) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | command.environment,
            user=command.user,
            group=command.group,
            start_new_session=True,
            limit=LONGEST_LINE,
            preexec_fn=die_with_the_supervisor(command.stop_signal),
        )

    async def _forward(self, output: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await output.readline()
            except ValueError:  # longer than LONGEST_LINE: what was buffered is gone, what follows is read on
                line = b"(a line too long to keep)\n"
            if not line:
                return
            self._keep_line(line.decode(errors="replace").rstrip("\n"))

    def _keep_line(self, line: str) -> None:
        self.last_lines.append(line)
        self._log.emit(logging.makeLogRecord({"msg": "%s", "args": (line,)}))
        self._on_line(self.name, line)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _become(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._on_change()


def _open_log(path: Path) -> RotatingFileHandler:
    return RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8", errors="replace")


def die_with_the_supervisor(number: signal.Signals) -> Callable[[], None] | None:
    """Runs between fork and exec, after the change of user: the kernel ends the child when this process ends, even by SIGKILL."""
    if sys.platform != "linux":
        return None
    return lambda: LIBC.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
