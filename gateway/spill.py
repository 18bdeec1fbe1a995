"""Segment files that hold log batches while Redis is away.

A segment is a run of frames: length, CRC-32, records in the batch, records lost before it (little-endian uint32), then the batch.
Frames are written through to the operating system, so they outlive a kill -9 of the worker; only a power cut can take the last
seconds. A torn or damaged frame ends its segment. Every function here does file work: call it in a thread, one at a time.
"""

import logging
import os
import struct
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

logger = logging.getLogger(__name__)

HEADER: Final = struct.Struct("<IIII")
SEGMENT_BYTES: Final = 1 << 20
"""Small, because a segment is the unit that is dropped when the bound is reached."""
SUFFIX: Final = ".seg"


class Frame(NamedTuple):
    """One encoded batch, the number of its records, and the number it reports as lost."""

    blob: bytes
    records: int
    lost: int

    @property
    def missed(self) -> int:
        """Records that would be missing if this frame were dropped."""
        return self.records + self.lost

    @property
    def size_bytes(self) -> int:
        """Bytes of the frame in its segment."""
        return HEADER.size + len(self.blob)


@dataclass
class Segment:
    """One file; `size_bytes` and `missed` cover its whole frames."""

    path: Path
    size_bytes: int = 0
    missed: int = 0


class Spill:
    """At most `bound_bytes` of frames under `folder`, oldest first; a bound of 0 keeps nothing."""

    def __init__(self, folder: Path, bound_bytes: int, epoch: str) -> None:
        self._folder, self._bound_bytes, self._epoch = folder, bound_bytes, epoch
        self._segments: deque[Segment] = deque()
        self._file: BinaryIO | None = None
        self._made = 0
        self.size_bytes = 0
        self.records = 0
        """What is kept, those reported as lost included."""

    def open(self) -> None:
        """Find what earlier runs left. Raises OSError if the folder cannot be used."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda it: it.stat().st_mtime_ns):
            self._segments.append(Segment(path))
            for frame in read_segment(path):
                self._count(frame)

    def append(self, frame: Frame) -> int:
        """Keep `frame`; the number of records dropped to make room, those of `frame` if the disk refuses it."""
        if frame.size_bytes > self._bound_bytes:
            return frame.missed
        dropped = self._make_room(frame.size_bytes)
        try:
            self._write(frame)
        except OSError as error:
            logger.error("the request log cannot be spilled to disk: %s", error)
            self._close_file()
            return dropped + frame.missed
        return dropped

    def oldest(self) -> list[Frame]:
        """The frames of the oldest segment, which is written no more; empty when nothing is spilled."""
        while self._segments:
            if len(self._segments) == 1:
                self._close_file()
            if frames := read_segment(self._segments[0].path):
                return frames
            self.remove_oldest()
        return []

    def remove_oldest(self) -> int:
        """Delete the oldest segment; the number of records it held."""
        if len(self._segments) == 1:
            self._close_file()
        segment = self._segments.popleft()
        self.size_bytes -= segment.size_bytes
        self.records -= segment.missed
        segment.path.unlink(missing_ok=True)
        return segment.missed

    def close(self) -> None:
        """Bring everything to the disk itself."""
        if self._file is not None:
            os.fsync(self._file.fileno())
        self._close_file()

    def _make_room(self, size_bytes: int) -> int:
        dropped = 0
        while self._segments and self.size_bytes + size_bytes > self._bound_bytes:
            dropped += self.remove_oldest()
        return dropped

    def _write(self, frame: Frame) -> None:
        if self._file is None or self._segments[-1].size_bytes >= SEGMENT_BYTES:
            self._begin_segment()
        assert self._file is not None
        self._file.write(HEADER.pack(len(frame.blob), zlib.crc32(frame.blob), frame.records, frame.lost) + frame.blob)
        self._file.flush()
        self._count(frame)

    def _count(self, frame: Frame) -> None:
        self._segments[-1].size_bytes += frame.size_bytes
        self._segments[-1].missed += frame.missed
        self.size_bytes += frame.size_bytes
        self.records += frame.missed

    def _begin_segment(self) -> None:
        self._close_file()
        self._made += 1
        path = self._folder / f"{self._epoch}-{self._made:06d}{SUFFIX}"
        self._file = path.open("xb")
        self._segments.append(Segment(path))

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def read_segment(path: Path) -> list[Frame]:
    """The whole frames of `path` up to the first that is torn or damaged."""
    blob = path.read_bytes()
    frames: list[Frame] = []
    at = 0
    while at + HEADER.size <= len(blob):
        length, checksum, records, lost = HEADER.unpack_from(blob, at)
        frame = Frame(blob[at + HEADER.size : at + HEADER.size + length], records, lost)
        if len(frame.blob) < length or zlib.crc32(frame.blob) != checksum:
            break
        frames.append(frame)
        at += frame.size_bytes
    if at != len(blob):
        logger.warning("%s ends in a torn frame; what follows its %d whole ones is gone", path.name, len(frames))
    return frames
