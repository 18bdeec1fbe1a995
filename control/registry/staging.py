"""Uploads on their way in: streamed to a file of their own, measured and hashed as they come."""

import asyncio
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from control.registry.errors import StorageFull, UploadIncomplete, UploadsBusy, UploadTooLarge

WRITE_BYTES: Final = 1 << 20
"""Bytes gathered before a thread hashes and writes them; the server hands out 64 KiB at a time."""
SILENCE_S: Final = 60.0
"""How long an upload may send nothing."""
MAX_UPLOADS: Final = 16
"""Uploads under way at once; each may take `max_model_bytes` of disk."""
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Upload(Struct, frozen=True):
    """A file that is here whole. `digest` is its SHA-256 in hex."""

    path: Path
    digest: str
    size_bytes: int


class Staging:
    """This process's uploads under way, below `root`: one folder each, so that no file has neighbours it could refer to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.under_way = 0

    @asynccontextmanager
    async def receive(self, chunks: AsyncIterator[bytes], limit: int) -> AsyncGenerator[Upload]:
        """Take in a file of `limit` bytes at most; it is gone when the block ends.

        Raises UploadsBusy, UploadTooLarge, UploadIncomplete or StorageFull.
        """
        if self.under_way >= MAX_UPLOADS:
            raise UploadsBusy(f"{MAX_UPLOADS} uploads are under way; try again", retry_after_s=5)
        self.under_way += 1
        folder = self.root / os.urandom(8).hex()
        try:
            with _room_needed():
                await asyncio.to_thread(folder.mkdir)
                upload = await _write(chunks, folder / "model.onnx", limit)
            yield upload
        finally:
            self.under_way -= 1
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextmanager
def open_staging(uploads: Path) -> Generator[Staging]:
    """A folder below `uploads` for this process; those of processes that have ended are removed first.

    A process holds a lock on its folder for as long as it lives, however it ends.
    """
    uploads.mkdir(parents=True, exist_ok=True)
    with _locked(uploads):
        for entry in uploads.iterdir():
            _remove_if_abandoned(entry)
        own = Path(tempfile.mkdtemp(dir=uploads))
        lock = _lock(own, fcntl.LOCK_EX)
    try:
        yield Staging(own)
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(lock)


async def _write(chunks: AsyncIterator[bytes], path: Path, limit: int) -> Upload:
    digest, size, gathered = hashlib.sha256(), 0, bytearray()

    def flush() -> None:
        digest.update(gathered)
        file.write(gathered)
        gathered.clear()

    with path.open("xb") as file:
        async for chunk in _until_silence(chunks):
            size += len(chunk)
            if size > limit:
                raise UploadTooLarge(limit)
            gathered += chunk
            if len(gathered) >= WRITE_BYTES:
                await asyncio.to_thread(flush)
        await asyncio.to_thread(flush)
    return Upload(path, digest.hexdigest(), size)


async def _until_silence(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    while True:
        try:
            async with asyncio.timeout(SILENCE_S):
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            raise UploadIncomplete(f"the upload sent nothing for {SILENCE_S:g} s") from error
        if chunk is None:
            return
        yield chunk


@contextmanager
def _room_needed() -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise StorageFull("the server's disk has no room for this file; free some and try again", retry_after_s=60) from error


def _remove_if_abandoned(entry: Path) -> None:
    if not entry.is_dir():
        return
    try:
        os.close(_lock(entry, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        return
    shutil.rmtree(entry, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    handle = _lock(folder, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(handle)


def _lock(folder: Path, kind: int) -> int:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, kind)
    except BaseException:
        os.close(handle)
        raise
    return handle
