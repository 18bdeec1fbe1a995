"""Real services for the tests, started once a test session and ended by their own pid."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from headrace.embedded.postgres import postgres_command, prepare_postgres
from headrace.embedded.service import Command
from headrace.embedded.valkey import valkey_command
from headrace.supervisor.probes import postgres_probe


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Return as soon as `condition()` holds; fail the test, naming `what`, if it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}")
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether `pid` runs (a zombie that nobody has reaped yet does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    """A TCP port on loopback that was free a moment ago."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(path: Path) -> bool:
    """Whether something listens on the Unix socket `path`."""
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def start(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start `command` with its output in `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | command.environment,
            user=command.user,
            group=command.group,
        )


def stop(process: subprocess.Popen[bytes], command: Command) -> None:
    """End `process` in good order, or by force after ten seconds."""
    process.send_signal(command.stop_signal)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running_postgres(directory: Path) -> Generator[Path]:
    """A temporary cluster under `directory`; yields its socket directory."""
    data, sockets = directory / "postgres", directory / "pg"
    prepare_postgres(data)
    command = postgres_command(data, sockets)
    command = Command(
        (*command.arguments, "-c", "fsync=off"), command.environment, command.user, command.group, command.stop_signal
    )
    process = start(command, directory / "postgres.log")
    try:
        wait_until(lambda: asyncio.run(_is_ready(data, process.pid)), "PostgreSQL")
        yield sockets
    finally:
        stop(process, command)


async def _is_ready(data: Path, pid: int) -> bool:
    """Not just accepting: it accepts connections, to refuse them, before it is ready."""
    return await postgres_probe(data)(pid)


@contextmanager
def running_valkey(directory: Path) -> Generator[Path]:
    """A temporary Valkey under `directory`; yields its socket."""
    path = directory / "valkey.sock"
    command = valkey_command(directory / "valkey", path)
    process = start(command, directory / "valkey.log")
    try:
        wait_until(lambda: accepts(path), "Valkey")
        yield path
    finally:
        stop(process, command)
