"""Fixtures every test folder shares."""

import gc
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
import redis

from headrace.embedded import postgres
from headrace.embedded.valkey import valkey_url
from tests import services


def pytest_collection_finish() -> None:
    """What was imported stays; the collector need not look at it again with every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def short_tmp() -> Generator[Path]:
    """A temporary directory whose path is short enough for Unix sockets."""
    yield from _short_directory()


@pytest.fixture(scope="session")
def service_directory() -> Generator[Path]:
    """Where the session's services keep their data and sockets."""
    yield from _short_directory()


@pytest.fixture(scope="session")
def postgres_url(service_directory: Path) -> Generator[str]:
    """Superuser URL of the empty database of a temporary PostgreSQL."""
    with services.running_postgres(service_directory) as sockets:
        yield postgres.postgres_url(sockets)


@pytest.fixture(scope="session")
def valkey_socket(service_directory: Path) -> Generator[Path]:
    """Socket of a temporary Valkey."""
    with services.running_valkey(service_directory) as path:
        yield path


@pytest.fixture
def redis_url(valkey_socket: Path) -> str:
    """URL of the temporary Valkey, emptied."""
    with redis.Redis.from_url(valkey_url(valkey_socket)) as client:
        client.flushall()
    return valkey_url(valkey_socket)


def _short_directory() -> Generator[Path]:
    path = Path(tempfile.mkdtemp(prefix="hr-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
