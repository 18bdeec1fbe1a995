"""Both artifact stores: what was put is what is read, or it is an error."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiobotocore.session
import pytest

from contracts.artifacts import PART_BYTES, ArtifactStore, ArtifactUnavailable, DirectoryStore, S3Store, open_store
from tests.services import free_port


@pytest.fixture
async def s3_location(s3_endpoint: str, s3_credentials: None) -> str:
    """A folder of its own in a bucket."""
    session: Any = aiobotocore.session.get_session()
    async with session.create_client("s3", endpoint_url=s3_endpoint) as client:
        with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            await client.create_bucket(Bucket="headrace")
    return f"s3://headrace/models/{uuid4().hex}"


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """One store, then the other."""
    if request.param == "directory":
        return open_store(str(tmp_path / "store"))
    return open_store(request.getfixturevalue("s3_location"), request.getfixturevalue("s3_endpoint"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where a reader keeps copies."""
    return tmp_path / "cache"


def written(folder: Path, content: bytes) -> tuple[Path, str]:
    """A file of this content, and its digest."""
    path = folder / uuid4().hex
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def files(folder: Path) -> list[str]:
    return [it.name for it in folder.rglob("*") if it.is_file()]


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def test_the_location_decides_the_kind():
    assert isinstance(open_store("/var/lib/models"), DirectoryStore)
    s3 = open_store("s3://bucket/a/b/", "http://s3.example")
    assert isinstance(s3, S3Store)
    assert (s3.bucket, s3.prefix, s3.endpoint) == ("bucket", "a/b", "http://s3.example")


@pytest.mark.parametrize("size", [0, 1, PART_BYTES + 1], ids=["empty", "one byte", "two parts"])
async def test_what_was_put_is_what_is_read(store: ArtifactStore, tmp_path: Path, cache: Path, size: int):
    content = os.urandom(size)
    source, digest = written(tmp_path, content)
    await store.check()
    await store.put(source, digest)
    source.unlink()
    assert content_of(await store.local_copy(digest, cache)) == content


async def test_the_same_file_may_be_put_again_and_at_once(store: ArtifactStore, tmp_path: Path, cache: Path):
    source, digest = written(tmp_path, b"a model")
    await asyncio.gather(*(store.put(source, digest) for _ in range(3)))
    assert content_of(await store.local_copy(digest, cache)) == b"a model"


async def test_what_is_not_there_is_unavailable(store: ArtifactStore, cache: Path):
    with pytest.raises(ArtifactUnavailable):
        await store.local_copy("0" * 64, cache)


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(store: ArtifactStore, tmp_path: Path, cache: Path):
    source, digest = written(tmp_path, b"a model")
    await store.put(source, digest)
    await store.delete(digest)
    await store.delete(digest)
    with pytest.raises(ArtifactUnavailable):
        await store.local_copy(digest, cache)


async def test_other_bytes_than_the_digest_says_are_an_error(store: ArtifactStore, tmp_path: Path, cache: Path):
    source, _ = written(tmp_path, b"a model")
    _, digest = written(tmp_path, b"another model")
    await store.put(source, digest)
    with pytest.raises(ArtifactUnavailable, match="damaged"):
        await store.local_copy(digest, cache)


async def test_a_damaged_file_is_mended_by_putting_it_again(tmp_path: Path, cache: Path):
    store = DirectoryStore(tmp_path / "store")
    source, digest = written(tmp_path, b"a model")
    await store.put(source, digest)
    path = await store.local_copy(digest, cache)
    path.write_bytes(b"rotten")
    await store.put(source, digest)
    assert content_of(await store.local_copy(digest, cache)) == b"a model"


async def test_a_copy_is_fetched_once(s3_location: str, s3_endpoint: str, tmp_path: Path, cache: Path):
    store = open_store(s3_location, s3_endpoint)
    source, digest = written(tmp_path, b"a model")
    await store.put(source, digest)
    path = await store.local_copy(digest, cache)
    await store.delete(digest)
    assert await store.local_copy(digest, cache) == path
    assert files(cache) == [digest]


async def test_a_damaged_copy_is_fetched_again(s3_location: str, s3_endpoint: str, tmp_path: Path, cache: Path):
    store = open_store(s3_location, s3_endpoint)
    source, digest = written(tmp_path, b"a model")
    await store.put(source, digest)
    (await store.local_copy(digest, cache)).write_bytes(b"rotten")
    assert content_of(await store.local_copy(digest, cache)) == b"a model"


async def test_two_who_fetch_at_once_both_get_the_whole_file(s3_location: str, s3_endpoint: str, tmp_path: Path, cache: Path):
    store = open_store(s3_location, s3_endpoint)
    source, digest = written(tmp_path, os.urandom(3_000_000))
    await store.put(source, digest)
    paths = await asyncio.gather(*(store.local_copy(digest, cache) for _ in range(4)))
    assert {content_of(it) for it in paths} == {content_of(source)}


async def in_trouble(store: ArtifactStore, source: Path, cache: Path) -> None:
    """Every operation says that the store is unavailable."""
    digest = hashlib.sha256(b"a model").hexdigest()
    attempts: list[Callable[[], Awaitable[object]]] = [
        lambda: store.check(),
        lambda: store.put(source, digest),
        lambda: store.local_copy(digest, cache),
        lambda: store.delete(digest),
    ]
    for attempt in attempts:
        with pytest.raises(ArtifactUnavailable):
            await attempt()


async def test_a_server_that_is_not_there_is_unavailable_soon(s3_credentials: None, tmp_path: Path, cache: Path):
    source, _ = written(tmp_path, b"a model")
    async with asyncio.timeout(60):
        await in_trouble(open_store("s3://bucket/models", f"http://127.0.0.1:{free_port()}"), source, cache)


async def test_a_bucket_that_is_not_there_is_unavailable(s3_endpoint: str, s3_credentials: None, tmp_path: Path):
    store = open_store("s3://no-such-bucket", s3_endpoint)
    with pytest.raises(ArtifactUnavailable):
        await store.check()
    with pytest.raises(ArtifactUnavailable):
        await store.local_copy("0" * 64, tmp_path)


async def test_wrong_credentials_are_said_not_to_work(
    s3_location: str, s3_endpoint: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a wrong one")
    source, _ = written(tmp_path, b"a model")
    await in_trouble(open_store(s3_location, s3_endpoint), source, cache)


async def test_a_directory_that_is_none_is_unavailable(tmp_path: Path, cache: Path):
    source, _ = written(tmp_path, b"a model")
    (tmp_path / "store").write_text("a file, where a folder should be")
    await in_trouble(open_store(str(tmp_path / "store")), source, cache)


async def test_a_source_that_cannot_be_read_leaves_no_half_file(tmp_path: Path):
    store = DirectoryStore(tmp_path / "store")
    with pytest.raises(ArtifactUnavailable):
        await store.put(tmp_path / "no such file", "1" * 64)
    assert files(tmp_path / "store") == []
