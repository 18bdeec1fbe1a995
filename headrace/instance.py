"""One instance of Headrace on this machine: the places in its data directory, and the state its supervisor keeps there."""

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from headrace.errors import AlreadyRunning, DataNewer, DataUnusable, NotRunning

LAYOUT: Final = 1
"""Version of the data directory's layout; raised when an older Headrace could not read what a newer one wrote."""
MINIMUM_FREE_BYTES: Final = 200 * 1024**2
LONGEST_SOCKET_DIRECTORY: Final = 70
"""A Unix socket's path may have 107 bytes in all."""
LOCK_PATIENCE_S: Final = 0.5
"""Whoever asks whether the directory is held, holds it for a moment as well."""
LOCK_POLL_S: Final = 0.02


class ProcessState(Struct, frozen=True):
    """One supervised process as `headrace status` shows it."""

    name: str
    pid: int | None
    state: str
    """`starting`, `ready`, `not ready`, `restarting` or `stopped`."""
    restarts: int


class InstanceState(Struct, frozen=True, kw_only=True):
    """What the supervisor keeps up to date in `run/state.json`."""

    pid: int
    phase: str
    """`starting`, `ready`, `stopping`, and when it is over `stopped` or `failed`."""
    failure: str = ""
    failure_exit: int = 0
    console_url: str
    inference_url: str
    grpc_target: str
    mlflow_uri: str
    processes: tuple[ProcessState, ...] = ()


@dataclass(frozen=True)
class Instance:
    """The instance whose data is in `data`, an absolute path."""

    data: Path

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def state_file(self) -> Path:
        return self.data / "run" / "state.json"

    @property
    def lock_file(self) -> Path:
        return self.data / "run" / "lock"

    @property
    def sockets(self) -> Path:
        """A directory with a short path, owned by this user, where the embedded services listen."""
        name = f"headrace-{os.geteuid()}-{hashlib.sha256(str(self.data).encode()).hexdigest()[:12]}"
        folder = Path(tempfile.gettempdir()) / name
        return folder if len(str(folder)) <= LONGEST_SOCKET_DIRECTORY else Path("/tmp") / name  # noqa: S108

    def prepare(self) -> None:
        """Create the directory, or check the one that is there. Raises DataNewer or DataUnusable."""
        try:
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_space()
            self._check_layout()
            for folder in (self.logs, self.state_file.parent):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise DataUnusable(f"cannot write to {self.data}: {error.strerror}; free space or set HEADRACE_DATA") from error

    def secret(self) -> str:
        """This instance's signing secret, made on first use."""
        path = self.data / "secret"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32).encode())
        return path.read_text()

    def write_state(self, state: InstanceState) -> None:
        """Replace the state file whole."""
        partial = self.state_file.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(state))
        partial.replace(self.state_file)

    def last_state(self) -> InstanceState | None:
        """What the last supervisor wrote, running or not; None before the first."""
        try:
            return msgspec.json.decode(self.state_file.read_bytes(), type=InstanceState)
        except FileNotFoundError:
            return None

    def state(self) -> InstanceState:
        """The running instance's state. Raises NotRunning, also while a new supervisor has not written its first."""
        state = self.last_state()
        if state is None or not self.is_locked() or state.pid != self._holder():
            raise NotRunning
        return state

    def is_locked(self) -> bool:
        """Whether a supervisor holds this data directory."""
        try:
            with self.lock_file.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the data directory, with a folder for its sockets, for one supervisor. Raises AlreadyRunning or DataUnusable."""
        with self.lock_file.open("ab") as file:
            self._lock(file)
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
            try:
                self._prepare_sockets()
                yield
            finally:
                shutil.rmtree(self.sockets, ignore_errors=True)

    def _lock(self, file: BinaryIO) -> None:
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while True:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise AlreadyRunning(self._holder()) from error
            time.sleep(LOCK_POLL_S)

    def _holder(self) -> int:
        """Pid of the supervisor that holds, or last held, the directory."""
        return int(self.lock_file.read_text() or 0)

    def _check_layout(self) -> None:
        path = self.data / "LAYOUT"
        if not path.exists():
            write_private(path, f"{LAYOUT}\n".encode())
        found = path.read_text().strip()
        if not found.isdigit():
            raise DataUnusable(f"{path} does not hold a number; this is not a Headrace data directory")
        if int(found) > LAYOUT:
            raise DataNewer(int(found), LAYOUT)

    def _check_space(self) -> None:
        disk = os.statvfs(self.data)
        free = disk.f_bavail * disk.f_frsize
        if free < MINIMUM_FREE_BYTES:
            raise OSError(errno.ENOSPC, f"only {free // 1024**2} MB free on its disk, {MINIMUM_FREE_BYTES // 1024**2} MB needed")

    def _prepare_sockets(self) -> None:
        self.sockets.mkdir(exist_ok=True)
        found = self.sockets.lstat()
        if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
            raise DataUnusable(f"{self.sockets} belongs to somebody else; remove it or set TMPDIR")
        self.sockets.chmod(0o711)  # PostgreSQL's own user passes through to its own folder; the others are closed


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` whole, readable by its owner alone."""
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
