"""Migrations, limits and time-outs of the store, embedded and as a server."""

import asyncio
import re
from collections.abc import Generator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from telemetry import migrations
from telemetry.columns import request_columns
from telemetry.errors import SchemaTooNew, StoreTimedOut, StoreUnavailable, TooManyReads
from telemetry.migrations import apply_migrations, read_migrations
from telemetry.store import MAX_WAITING_READS, Store, embedded, server
from tests.services import free_port
from tests.telemetry.clickhouse_server import clickhouse_server
from tests.telemetry.records import Source

SLOW = "SELECT count() FROM numbers_mt(1000000000000) WHERE sipHash64(number) = 0"


def test_migrations_are_numbered_without_gaps_and_can_be_repeated() -> None:
    found = read_migrations()
    assert [it.version for it in found] == list(range(1, len(found) + 1))
    for migration in found:
        assert migration.statements
        for statement in migration.statements:
            assert re.match(r"(CREATE|ALTER|DROP) .*IF (NOT )?EXISTS ", statement.replace("\n", " "))


async def test_migrations_that_were_applied_are_not_applied_again(store: Store, clickhouse: Client) -> None:
    before = await store.query("SELECT version, name, applied_at FROM schema_version", {}, "test")
    await asyncio.to_thread(apply_migrations, clickhouse)
    assert await store.query("SELECT version, name, applied_at FROM schema_version", {}, "test") == before
    assert [version for version, _, _ in before] == [it.version for it in read_migrations()]


async def test_a_schema_of_a_later_headrace_is_refused(clickhouse: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    older = [it._replace(version=0) for it in read_migrations()[:1]]
    monkeypatch.setattr(migrations, "read_migrations", lambda: older)
    with pytest.raises(SchemaTooNew, match="knows versions up to 0"):
        await asyncio.to_thread(apply_migrations, clickhouse)


async def test_a_read_that_takes_too_long_is_ended(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.store.READ_TIMEOUT_S", 0.3)
    with pytest.raises(StoreTimedOut):
        await store.query(SLOW, {}, "test")
    await store.check()


async def test_reads_beyond_the_bound_are_refused_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.store.READ_TIMEOUT_S", 0.3)
    waiting = [asyncio.create_task(store.query(SLOW, {}, "test")) for _ in range(MAX_WAITING_READS)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyReads):
        await store.query("SELECT 1", {}, "test")
    for task in waiting[2:]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_slow_read_does_not_hold_up_inserts(store: Store, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.store.READ_TIMEOUT_S", 1.5)
    slow = asyncio.create_task(store.query(SLOW, {}, "test"))
    batch = source.batch(source.record())
    async with asyncio.timeout(1.4):
        await store.insert("request_log", request_columns(batch), batch.batch_id)
    assert not slow.done()
    with pytest.raises(StoreTimedOut):
        await slow


async def test_a_store_that_was_not_opened_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        await Store(server("clickhouse://127.0.0.1:1/default")).check()


@pytest.fixture
def clickhouse_url(short_tmp: Path) -> Generator[str]:
    """ClickHouse behind HTTP, with a user and a password."""
    port = free_port()
    with clickhouse_server(short_tmp / "db", port):
        yield f"clickhouse://headrace:a%20password@127.0.0.1:{port}/default"


async def test_a_server_stores_and_deduplicates_as_the_embedded_engine_does(clickhouse_url: str, source: Source) -> None:
    store = Store(server(clickhouse_url))
    await store.open()
    batch = source.batch(source.record(), source.record())
    for _ in range(2):
        await store.insert("request_log", request_columns(batch), batch.batch_id)
    statement = "SELECT count() FROM request_log WHERE deployment_id = {deployment:UUID}"
    assert (await store.query(statement, {"deployment": source.deployment_id}, "it's a test"))[0][0] == 2
    store.close()


async def test_a_wrong_password_is_told_to_operators_and_not_to_callers(clickhouse_url: str) -> None:
    store = Store(server(clickhouse_url.replace("a%20password", "a%20guess")))
    with pytest.raises(StoreUnavailable) as caught:
        await store.open()
    assert "AUTHENTICATION_FAILED" in caught.value.reason
    assert "guess" not in caught.value.reason
    assert "127.0.0.1" not in str(caught.value)
    store.close()


async def test_an_unreachable_server_is_unavailable() -> None:
    store = Store(server(f"clickhouse://headrace@127.0.0.1:{free_port()}/default"))
    with pytest.raises(StoreUnavailable):
        await store.open()
    store.close()


async def test_a_directory_that_another_process_has_open_is_unavailable(store: Store, tmp_path: Path) -> None:
    """The engine of this process is taken by `store`; the message is the one a second process gets."""
    second = Store(embedded(tmp_path / "elsewhere", 2**30))
    with pytest.raises(StoreUnavailable) as caught:
        await second.open()
    assert "chdb" in caught.value.reason
    second.close()
