"""`python -m control.batch_jobs`: look into one input file, as told on standard input, in a process with little memory.

Files come from outside: whatever they make the parsers take, it is not the memory of the control plane. It is also another
interpreter, so that the API does not wait while rows are turned into tensors.
"""

import asyncio
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any, Final

import msgspec

from contracts.logs import configure_logging
from contracts.processes import die_with_parent
from control.batch_jobs.orders import CheckOrder, RunOrder, decode_order

NICENESS: Final = 10
"""Inference and the API go first."""
THREAD_STACK_BYTES: Final = 1 << 20
"""Stacks count as data, whether they are used or not."""


def main() -> int:
    """Do as told; the answer is the exit status."""
    die_with_parent(signal.SIGTERM)
    os.nice(NICENESS)
    order = decode_order(sys.stdin.buffer.read())
    # The data segment, since libraries reserve address space that they never use.
    resource.setrlimit(resource.RLIMIT_DATA, (order.memory_bytes, order.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.stack_size(THREAD_STACK_BYTES)
    if isinstance(order, CheckOrder):
        from control.batch_jobs.check import check  # after the limits, which the libraries heed when they load

        sys.stdout.buffer.write(msgspec.json.encode(check(order)))
        return 0
    return _run(order)


def _run(order: RunOrder) -> int:
    from control.batch_jobs.job import run  # as above

    configure_logging("INFO")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return asyncio.run(_until_stopped(run(order)))


async def _until_stopped(work: Coroutine[Any, Any, None]) -> int:
    """SIGTERM cancels the work; that is no failure."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # Arrow's threads may still read ahead; when an interpreter ends under them, they abort the process
