"""What the supervisor has to know of a process to run it."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """One process to run: where, as whom, and which signal ends it in good order."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to the supervisor's own."""
    user: int | None = None
    """Numeric id of the system user to run as; None means the supervisor's own."""
    group: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
