"""What can go wrong in the command; each failure carries the exit status and says what to do."""

from contracts.errors import HeadraceError
from headrace.exits import Exit


class CommandFailed(HeadraceError):
    """`str(error)` is the one line shown to the person."""

    exit: Exit = Exit.FAILED


class PortTaken(CommandFailed):
    exit = Exit.PORT_TAKEN

    def __init__(self, port: int, host: str) -> None:
        super().__init__(f"port {port} on {host} is taken; stop what listens there or choose other ports with --port-base N")


class DataNewer(CommandFailed):
    exit = Exit.DATA_NEWER

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"this data directory was written by a newer Headrace (layout {found}, this one knows {known}); "
            "update Headrace, or point HEADRACE_DATA at another directory"
        )


class TlsUnserved(CommandFailed):
    def __init__(self) -> None:
        super().__init__(
            "HEADRACE_TLS_CERTIFICATE is set, and `headrace up` serves plain HTTP; unset it, or run the programs by role "
            "(`headrace gateway`), see docs/operator-guide.md"
        )


class DataUnusable(CommandFailed):
    """The data directory cannot be written, or its disk is full."""


class CannotListen(CommandFailed):
    def __init__(self, port: int, host: str, reason: str) -> None:
        super().__init__(
            f"cannot listen on port {port} of {host}: {reason}; choose other ports with --port-base N, or set HEADRACE_HOST"
        )


class AlreadyRunning(CommandFailed):
    def __init__(self, pid: int) -> None:
        super().__init__(
            f"Headrace already runs on this data directory (pid {pid}); `headrace status` shows it, `headrace down` stops it"
        )


class NotRunning(CommandFailed):
    exit = Exit.NOT_RUNNING

    def __init__(self) -> None:
        super().__init__("Headrace does not run on this data directory; start it with `headrace up`, or set HEADRACE_DATA")


class StartFailed(CommandFailed):
    """A process ended, or did not become ready, while the stack was starting; `status` is the process's own."""

    def __init__(self, detail: str, status: int = 1) -> None:
        super().__init__(detail)
        if status in (Exit.PORT_TAKEN, Exit.DATA_NEWER):
            self.exit = Exit(status)


class Unreachable(CommandFailed):
    exit = Exit.NOT_RUNNING


class Refused(CommandFailed):
    """The server's own words, and the status it `answered` with, a 4xx."""

    exit = Exit.REFUSED

    def __init__(self, detail: str, answered: int) -> None:
        super().__init__(detail)
        self.answered = answered


class DeploymentFailed(CommandFailed):
    """A deployment will not become ready."""


class TimedOut(CommandFailed):
    exit = Exit.TIMED_OUT
