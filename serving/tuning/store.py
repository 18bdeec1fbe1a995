"""Files derived from a model that a restart need not make again: kept in one bounded directory, and never trusted to be whole."""

import hashlib
import logging
import os
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from contracts.workers import CurvePoint

logger = logging.getLogger(__name__)

FORMAT: Final = 1
"""Goes up when what is measured changes its meaning."""
UNFINISHED: Final = ".part"
ABANDONED_S: Final = 3600.0


class Curve(Struct, frozen=True):
    """What was measured, when (seconds since the epoch), and how long it took."""

    points: tuple[CurvePoint, ...]
    measured_at: float
    took_s: float
    is_disturbed: bool = False
    """Other work took the processor away meanwhile, and so these runs may have taken longer than they need."""

    def with_quickest_of(self, earlier: "Curve") -> "Curve":
        """This curve with the points that `earlier` has and it has not, and with the quicker of those that both have."""
        points = {(it.threads, it.rows): it for it in earlier.points}
        for it in self.points:
            known = points.get((it.threads, it.rows), it)
            points[it.threads, it.rows] = min(known, it, key=lambda point: point.run_us)
        return replace(self, points=tuple(points.values()))


class Directory:
    """Keeps files of one kind, the most recently used up to `max_bytes`. Other processes may use it at the same time."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes

    def find(self, name: str) -> Path | None:
        """The file `name`, if there is one; it counts as used now."""
        path = self._path / name
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def reserve(self) -> Path:
        """A path of its own to write to, before `keep`. Raises OSError."""
        self._path.mkdir(parents=True, exist_ok=True)
        return self._path / f"{uuid4().hex}{UNFINISHED}"

    def keep(self, written: Path, name: str) -> None:
        """Make `written` the file `name`, and delete the longest unused if there are too many bytes now. Raises OSError."""
        written.replace(self._path / name)
        self._shrink()

    def drop(self, name: str) -> None:
        """Delete the file `name`."""
        (self._path / name).unlink(missing_ok=True)

    def _shrink(self) -> None:
        files = sorted(self._path.iterdir(), key=lambda it: it.stat().st_mtime, reverse=True)
        kept = 0
        for path in files:
            stat = path.stat()
            kept += stat.st_size
            is_abandoned = path.suffix == UNFINISHED and time.time() - stat.st_mtime > ABANDONED_S
            if is_abandoned or (kept > self._max_bytes and path.suffix != UNFINISHED):
                path.unlink(missing_ok=True)


def name_of(*parts: object) -> str:
    """A file name that differs if any of `parts` does."""
    return hashlib.sha256("\0".join(map(str, (FORMAT, *parts))).encode()).hexdigest()


def read_curve(directory: Directory, name: str) -> Curve | None:
    """None if there is none, or none that can be read."""
    path = directory.find(name)
    if path is None:
        return None
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Curve)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        logger.warning("the curve %s cannot be read and is measured again: %s", path, error)
        return None


def write_curve(directory: Directory, name: str, curve: Curve) -> None:
    """Keep `curve`; if that fails the next start measures again."""
    try:
        path = directory.reserve()
        path.write_bytes(msgspec.msgpack.encode(curve))
        directory.keep(path, name)
    except OSError as error:
        logger.warning("a curve cannot be kept: %s", error)
