"""The processes that look into input files: `python -m control.batch_jobs`, started, told what to do, and ended."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from control.batch_jobs.errors import InputRefused
from control.batch_jobs.orders import Checked, CheckOrder, RunOrder

logger = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-m", "control.batch_jobs")
CHECK_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 4.0
"""What a process gets to give its job back; less than the control plane itself gets to end."""
ENVIRONMENT: Final = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(256 << 10),
}
"""Few threads, and memory that goes back when it is freed: otherwise a long job comes near its limit by fragments alone."""


async def check_input(order: CheckOrder) -> int:
    """How many rows the file has. Raises InputRefused."""
    async with _started(order, stdout=PIPE) as process:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                assert process.stdout is not None
                answer = await process.stdout.read()
                status = await process.wait()
        except TimeoutError as error:
            raise InputRefused(f"looking into the file took longer than {CHECK_TIMEOUT_S:g} s") from error
    if status:
        logger.warning("looking into an input file ended with status %d", status)
        raise InputRefused(f"the file cannot be read: the process that tried {describe_end(status)}")
    checked = msgspec.json.decode(answer, type=Checked)
    if checked.refusal:
        raise InputRefused(checked.refusal)
    return checked.rows


async def run_job(order: RunOrder) -> int:
    """Run a claimed job in a process of its own; its exit status, or minus the number of the signal that ended it.

    Cancelled, the process gets a moment to give the job back.
    """
    async with _started(order, stdout=DEVNULL) as process:
        return await process.wait()


def describe_end(status: int) -> str:
    """For people."""
    return f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"


@asynccontextmanager
async def _started(order: CheckOrder | RunOrder, stdout: int) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=PIPE, stdout=stdout, env=_environment(os.environ), start_new_session=True
    )
    try:
        assert process.stdin is not None
        with suppress(ConnectionError):  # it has ended already; its status will say why
            process.stdin.write(msgspec.json.encode(order))
            await process.stdin.drain()
            process.stdin.close()
        yield process
    finally:
        if process.returncode is None:
            await _end(process)


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Ours, without our settings, among which are secrets: the order has what is needed."""
    return ENVIRONMENT | {name: value for name, value in environ.items() if not name.startswith("HEADRACE_")}
