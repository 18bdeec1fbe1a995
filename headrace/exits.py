"""Exit statuses of every command, so that scripts can branch on them."""

from enum import IntEnum


class Exit(IntEnum):
    """0 is success; 2 is Typer's own for a wrong command line."""

    FAILED = 1
    PORT_TAKEN = 3
    DATA_NEWER = 4
    NOT_RUNNING = 5
    REFUSED = 6
    """The server understood and said no (a 4xx); its reason is printed."""
    TIMED_OUT = 7
