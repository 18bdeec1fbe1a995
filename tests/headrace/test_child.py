"""A supervised process is restarted, heard, stopped in order or by force, and never outlives its supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from headrace.embedded.service import Command
from headrace.supervisor.child import Child, Plan
from tests.services import is_alive, wait_until


async def always_ready(_pid: int) -> bool:
    return True


def plan(*arguments: str) -> Plan:
    return Plan("sample", Command(arguments), always_ready)


class Heard:
    """Collects what a child reports, and lets a test wait for it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.news = asyncio.Event()

    def line(self, _name: str, line: str) -> None:
        self.lines.append(line)
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()


async def test_a_process_that_ends_is_started_again_and_the_reason_is_logged(tmp_path: Path) -> None:
    heard = Heard()
    child = Child(plan("sh", "-c", "echo hello; exit 9"), tmp_path, heard.news.set, heard.line)
    child.start()
    await heard.until(lambda: heard.lines.count("hello") >= 3)
    await child.stop(1)
    assert child.restarts >= 2
    assert "sample ended with status 9; starting it again in 0.2 s" in heard.lines
    assert "sample ended with status 9; starting it again in 0.4 s" in heard.lines
    assert "hello" in (tmp_path / "sample.log").read_text()


async def test_a_process_that_will_not_end_is_ended_by_force(tmp_path: Path) -> None:
    heard = Heard()
    child = Child(
        plan("sh", "-c", "trap '' TERM; echo deaf; while :; do read x; done < /dev/zero"), tmp_path, heard.news.set, heard.line
    )
    child.start()
    await heard.until(lambda: "deaf" in heard.lines)
    pid = child.describe().pid
    assert pid is not None
    await child.stop(0.2)
    assert child.describe() == child.describe().__class__("sample", None, "stopped", 0)
    assert not psutil.pid_exists(pid)


async def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    heard = Heard()
    child = Child(plan(str(tmp_path / "program")), tmp_path, heard.news.set, heard.line)
    child.start()
    await heard.until(lambda: any("cannot be started" in line for line in heard.lines))
    (tmp_path / "program").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "program").chmod(0o755)
    await heard.until(lambda: "here" in heard.lines)
    await child.stop(1)


async def test_stopping_between_two_starts_does_not_wait_for_the_back_off(tmp_path: Path) -> None:
    heard = Heard()
    child = Child(plan("false"), tmp_path, heard.news.set, heard.line)
    child.start()
    await heard.until(lambda: any("starting it again in 0.8 s" in line for line in heard.lines))
    async with asyncio.timeout(0.7):
        await child.stop(5)
    assert child.state == "stopped"


async def test_a_line_too_long_to_keep_does_not_stop_the_listening(tmp_path: Path) -> None:
    heard = Heard()
    code = "print('x' * 300_000, flush=True); print('after', flush=True); input()"
    child = Child(plan(sys.executable, "-c", code), tmp_path, heard.news.set, heard.line)
    child.start()
    await heard.until(lambda: any("after" in line for line in heard.lines))
    await child.stop(1)
    assert max(map(len, heard.lines)) < 100_000


def test_a_process_ends_with_its_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
import asyncio, pathlib
from headrace.embedded.service import Command
from headrace.supervisor.child import Child, Plan
async def ready(pid): return True
async def main():
    child = Child(Plan("sleeper", Command(("sleep", "1000")), ready), pathlib.Path({str(tmp_path)!r}), lambda: None, print)
    child.start()
    while child.describe().pid is None: await asyncio.sleep(0)
    print(child.describe().pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        sleeper = int(supervisor.stdout.readline())
        os.kill(supervisor.pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(sleeper), "the child to end", 5)
