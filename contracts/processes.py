"""What a program asks of the system for its process: to end with the one that started it, and to have many connections."""

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Ask the kernel for `signal_number` when the parent's starting thread ends (Linux; elsewhere the supervisor must stop us).

    Must be called after any change of user, which clears the request.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def take_all_handles() -> None:
    """Let this process have as many open files and connections as the system lets it ask for.

    What it begins with is often 1,024, for the sake of programs that use select(2): fewer than the connections a server takes.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # macOS says there is no limit, and then refuses that
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
