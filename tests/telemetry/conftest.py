"""One embedded ClickHouse a test session (a process can hold one), and the parts of telemetry around it."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Generator

import pytest
from clickhouse_connect.driver.client import Client
from litestar import Litestar
from litestar.testing import AsyncTestClient
from redis.asyncio import Redis

from telemetry.__main__ import connect_redis
from telemetry.app import create_app
from telemetry.ingest import Ingest
from telemetry.metrics import Metrics
from telemetry.store import Store, embedded
from tests.telemetry.records import Source

SECRET = "a secret for the tests"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Generator[Store]:
    """The migrated embedded store."""
    temporary = tempfile.tempdir
    store = Store(embedded(tmp_path_factory.mktemp("telemetry") / "clickhouse", 2**30))
    asyncio.run(store.open())
    tempfile.tempdir = temporary  # only telemetry's own process keeps its temporary files with its data
    yield store
    store.close()


@pytest.fixture
def clickhouse(store: Store) -> Generator[Client]:
    """A client of the same engine, for what the store does not offer."""
    client = store._connect()  # pyright: ignore[reportPrivateUsage]
    yield client
    client.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[Redis]:
    """A client of the emptied Valkey, as telemetry makes it."""
    async with connect_redis(redis_url) as client:
        yield client


@pytest.fixture
def metrics() -> Metrics:
    """Fresh counters."""
    return Metrics()


@pytest.fixture
def ingest(redis: Redis, store: Store, metrics: Metrics) -> Ingest:
    """The consumer, not running."""
    return Ingest(redis, store, "tester", metrics)


@pytest.fixture
async def client(store: Store, redis: Redis, metrics: Metrics) -> AsyncGenerator[AsyncTestClient[Litestar]]:
    """A client of the API."""
    async with AsyncTestClient(create_app(SECRET, store, redis, metrics)) as client:
        yield client


@pytest.fixture
def source() -> Source:
    """A deployment of its own for each test."""
    return Source()
