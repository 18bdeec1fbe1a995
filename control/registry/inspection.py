"""Looking into an uploaded file without trusting it: `python -m serving inspect`, in a process that is allowed little.

The process limits itself (memory, time, files; see serving). Here it is started without our secrets in its environment, read
with a bound, and killed when its time is up.
"""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from contracts.signature import Inspection, Refusal
from control.registry.errors import ModelRefused
from control.registry.slots import Slots

logger = logging.getLogger(__name__)

GRACE_S: Final = 5.0
"""What the process gets beyond its time limit to start and to say so itself."""
MAX_ANSWER_BYTES: Final = 256 << 10
"""Names, shapes and metadata; every list of versions carries them, so they may not be large."""
MAX_COMPLAINT_BYTES: Final = 4 << 10
PASSED_ON: Final = frozenset({"PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "TMPDIR"})
"""Variables a Python needs to start; no other reaches the process, and so none of our secrets."""


class Outcome(Struct, frozen=True):
    """How the process ended. `status` is minus the signal's number if a signal ended it."""

    status: int
    answer: bytes
    complaint: bytes


class Inspector:
    """Inspects a few files at once."""

    def __init__(self, memory_bytes: int, timeout_s: float, command: tuple[str, ...] = (sys.executable, "-m", "serving")) -> None:
        self.memory_bytes = memory_bytes
        self.timeout_s = timeout_s
        self.command = command
        self.slots = Slots()

    async def inspect(self, path: Path) -> Inspection:
        """What the file takes and gives. Raises ModelRefused, saying why it cannot be served, or UploadsBusy."""
        async with self.slots.take():
            outcome = await self._run(path)
        return _read(outcome)

    async def _run(self, path: Path) -> Outcome:
        limits = ("--memory-bytes", str(self.memory_bytes), "--timeout-s", f"{self.timeout_s:g}")
        async with _running((*self.command, "inspect", *limits, str(path))) as process:
            try:
                async with asyncio.timeout(self.timeout_s + GRACE_S):
                    answer, complaint = await asyncio.gather(
                        _head(process.stdout, MAX_ANSWER_BYTES + 1), _head(process.stderr, MAX_COMPLAINT_BYTES)
                    )
                    return Outcome(await process.wait(), answer, complaint)
            except TimeoutError as error:
                raise ModelRefused(f"inspecting the file took longer than {self.timeout_s:g} s") from error


@asynccontextmanager
async def _running(command: tuple[str, ...]) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=_environment(os.environ), start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _head(stream: asyncio.StreamReader | None, limit: int) -> bytes:
    """The first `limit` bytes; the rest is read too, lest the writer wait for a reader, but not kept."""
    assert stream is not None
    head = b""
    while chunk := await stream.read(64 << 10):
        head += chunk[: limit - len(head)]
    return head


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {"ORT_DISABLE_TELEMETRY": "1"} | {name: environ[name] for name in environ.keys() & PASSED_ON}


def _read(outcome: Outcome) -> Inspection:
    if len(outcome.answer) > MAX_ANSWER_BYTES:
        raise ModelRefused(f"the file's names and metadata take more than {MAX_ANSWER_BYTES >> 10} KiB")
    try:
        if outcome.status == 0:
            return msgspec.json.decode(outcome.answer, type=Inspection)
        if outcome.status == 1:
            raise ModelRefused(msgspec.json.decode(outcome.answer, type=Refusal).reason)
    except msgspec.DecodeError:
        logger.warning("inspection gave no readable answer")
    logger.warning("inspection ended with status %d: %s", outcome.status, outcome.complaint.decode(errors="replace"))
    raise ModelRefused(f"inspecting the file failed: {_describe_end(outcome.status)}")


def _describe_end(status: int) -> str:
    if status == -signal.SIGKILL:
        return "it needed more memory than it may have"
    if status == -signal.SIGXCPU:
        return "it took more time than it may have"
    if status < 0:
        return f"it crashed with {signal.Signals(-status).name}"
    return "it crashed"
