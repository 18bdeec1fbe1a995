"""Where model files live: a content-addressed directory or an S3 bucket, the same for the writer (control) and the readers.

A file's address is the SHA-256 of its bytes in hex: `<root>/sha256/<first two digits>/<digest>`.
"""

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from contracts.errors import HeadraceError

CHUNK_BYTES: Final = 1 << 20
PART_BYTES: Final = 16 << 20
"""Size of one part of a multi-part upload; S3 takes at least 5 MiB."""
CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 30
"""Between two pieces of an answer, not for the whole of it."""
RETRIES: Final = {"total_max_attempts": 3, "mode": "standard"}


class ArtifactUnavailable(HeadraceError):
    """The store does not have the file, cannot be reached, or holds other bytes than the digest says."""

    title = "Artifact unavailable"


class ArtifactStore(Protocol):
    """Both stores raise ArtifactUnavailable when they cannot do as asked."""

    async def put(self, source: Path, digest: str) -> None:
        """Store `source`, whose SHA-256 is `digest`; storing the same bytes twice is fine."""
        ...

    async def local_copy(self, digest: str, cache: Path) -> Path:
        """A path on this machine with the verified bytes of `digest`; `cache` holds it if the store is remote."""
        ...

    async def delete(self, digest: str) -> None:
        """Forget `digest`; forgetting what is not there is fine."""
        ...

    async def check(self) -> None:
        """Raise ArtifactUnavailable if the store cannot be reached."""
        ...


def open_store(location: str, s3_endpoint: str = "") -> ArtifactStore:
    """The store at `location`: `s3://bucket/prefix` or a directory."""
    if location.startswith("s3://"):
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        return S3Store(bucket, prefix.strip("/"), s3_endpoint)
    return DirectoryStore(Path(location))


class DirectoryStore:
    """Files under one directory; a file appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, source: Path, digest: str) -> None:
        try:
            await asyncio.to_thread(_install, source, _address(self.root, digest), digest)
        except OSError as error:
            raise ArtifactUnavailable(f"cannot write to the artifact directory: {error.strerror}") from error

    async def local_copy(self, digest: str, cache: Path) -> Path:
        path = _address(self.root, digest)
        await asyncio.to_thread(_verify, path, digest)
        return path

    async def delete(self, digest: str) -> None:
        try:
            await asyncio.to_thread(_address(self.root, digest).unlink, True)
        except OSError as error:
            raise ArtifactUnavailable(f"cannot remove a file of the artifact directory: {error.strerror}") from error

    async def check(self) -> None:
        try:
            await asyncio.to_thread(self.root.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            raise ArtifactUnavailable(f"the artifact directory is not usable: {error.strerror}") from error


class S3Store:
    """Objects under `prefix` in `bucket`; credentials come from the usual `AWS_*` variables."""

    def __init__(self, bucket: str, prefix: str, endpoint: str) -> None:
        import aiobotocore.session  # slow to import, and only needed here

        self.bucket, self.prefix, self.endpoint = bucket, prefix, endpoint
        self.session = aiobotocore.session.get_session()

    async def put(self, source: Path, digest: str) -> None:
        async with self._client() as client:
            upload = await client.create_multipart_upload(Bucket=self.bucket, Key=self._key(digest))
            target = {"Bucket": self.bucket, "Key": self._key(digest), "UploadId": upload["UploadId"]}
            try:
                parts = [part async for part in _send_parts(client, source, target)]
                await client.complete_multipart_upload(**target, MultipartUpload={"Parts": parts})
            except BaseException:
                await client.abort_multipart_upload(**target)
                raise

    async def local_copy(self, digest: str, cache: Path) -> Path:
        path = _address(cache, digest)
        if not await asyncio.to_thread(_is_whole, path, digest):
            await self._download(digest, path)
            await asyncio.to_thread(_verify, path, digest)
        return path

    async def delete(self, digest: str) -> None:
        async with self._client() as client:
            await client.delete_object(Bucket=self.bucket, Key=self._key(digest))

    async def check(self) -> None:
        async with self._client() as client:
            await client.head_bucket(Bucket=self.bucket)

    async def _download(self, digest: str, path: Path) -> None:
        async with self._client() as client:
            answer = await client.get_object(Bucket=self.bucket, Key=self._key(digest))
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=path.parent)) / digest
            try:
                with partial.open("wb") as file:
                    async for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                        await asyncio.to_thread(file.write, chunk)
                partial.replace(path)
            finally:
                await asyncio.to_thread(shutil.rmtree, partial.parent)

    def _key(self, digest: str) -> str:
        return str(_address(Path(self.prefix), digest))

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[Any]:
        from aiobotocore.config import AioConfig  # as slow
        from botocore.exceptions import BotoCoreError, ClientError

        patience = AioConfig(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, retries=RETRIES)
        try:
            async with self.session.create_client("s3", endpoint_url=self.endpoint or None, config=patience) as client:
                yield client
        except (BotoCoreError, ClientError, OSError) as error:
            raise ArtifactUnavailable(f"the artifact store s3://{self.bucket} failed: {error}") from error


async def _send_parts(client: Any, source: Path, target: dict[str, str]) -> AsyncGenerator[dict[str, Any]]:
    number = 0
    with source.open("rb") as file:
        while (chunk := await asyncio.to_thread(file.read, PART_BYTES)) or number == 0:
            number += 1
            answer = await client.upload_part(**target, PartNumber=number, Body=chunk)
            yield {"PartNumber": number, "ETag": answer["ETag"]}


def _address(root: Path, digest: str) -> Path:
    return root / "sha256" / digest[:2] / digest


def _install(source: Path, path: Path, digest: str) -> None:
    if _is_whole(path, digest):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as target, source.open("rb") as file:
            shutil.copyfileobj(file, target, CHUNK_BYTES)
            target.flush()
            os.fsync(target.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _is_whole(path: Path, digest: str) -> bool:
    try:
        _verify(path, digest)
    except ArtifactUnavailable:
        return False
    return True


def _verify(path: Path, digest: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactUnavailable(f"artifact {digest} cannot be read: {error.strerror}") from error
    if found != digest:
        raise ArtifactUnavailable(f"artifact {digest} is damaged: its bytes have the SHA-256 {found}")
