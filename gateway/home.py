"""A worker's own folder on disk: its identity across restarts, its spilled log, and the lock that keeps others out."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from contracts.errors import HeadraceError


class HomeTaken(HeadraceError):
    """Another gateway runs on this data directory."""

    title = "Data directory in use"


class Home:
    """`<data>/gateway/worker-<index>`, held by one process at a time."""

    def __init__(self, data: Path, index: int, patience_s: float = 10.0) -> None:
        """The previous owner, told to stop, may take `patience_s` to leave. Raises HomeTaken."""
        self.index = index
        self.path = data / "gateway" / f"worker-{index}"
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _lock(self.path / "lock", time.monotonic() + patience_s)
        self.worker_id = _identity(self.path / "id")

    def release(self) -> None:
        """Let another have the folder; the end of the process does so too."""
        os.close(self._lock)

    @property
    def spill(self) -> Path:
        """Folder of the log's segment files."""
        return self.path / "spill"

    def adopt_beyond(self, workers: int) -> None:
        """Take over the spilled logs of workers beyond the first `workers`, which run no more."""
        self.spill.mkdir(exist_ok=True, mode=0o700)
        for home in self.path.parent.glob("worker-*"):
            if int(home.name.rpartition("-")[2]) >= workers:
                with suppress(HomeTaken):  # one that is being replaced may run there
                    handle = _lock(home / "lock", 0.0)
                    for segment in home.glob("spill/*"):
                        segment.rename(self.spill / segment.name)
                    os.close(handle)


def _lock(path: Path, deadline: float) -> int:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(handle)
                raise HomeTaken(f"another gateway runs on {path.parent}; stop it, or set HEADRACE_DATA") from None
            time.sleep(0.05)
        else:
            return handle


def _identity(path: Path) -> str:
    """The same after a restart, so that a restarted worker replaces what it had reported."""
    if path.exists() and (text := path.read_text().strip()):
        return text
    text = uuid4().hex
    path.write_text(text)
    return text
