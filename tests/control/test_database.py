"""The pool under trouble: whose fault a failure is, and that no connection is lost over it."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from httpx import AsyncClient
from litestar import Litestar

from contracts.errors import Invalid, NotFound
from control.database import Connection, Database, DatabaseUnavailable, Pool, connected
from tests.control.conftest import Account

END_CONNECTION = "SELECT pg_terminate_backend($1, 10000)"  # does not answer before the server process is gone (or 10 s are)


@pytest.fixture
async def pool(database_url: str) -> AsyncGenerator[Pool]:
    """A pool of one connection, so that a lost one shows."""
    pool = Pool(database_url, connections=1)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
def database(pool: Pool) -> Database:
    return pool.across_tenants


async def answer(connection: Connection) -> int:
    return await connection.fetchval("SELECT 42")


async def end(connection: Connection, database_url: str) -> None:
    """End the connection's server process, from another connection."""
    pid = await connection.fetchval("SELECT pg_backend_pid()")
    async with connected(database_url) as other:
        await other.fetchval(END_CONNECTION, pid)


async def create_then_fail(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE leftover (id int)")
        raise NotFound("no such thing")


async def test_a_transaction_whose_block_raises_leaves_nothing(database: Database):
    with pytest.raises(NotFound):
        await create_then_fail(database)
    async with database.transaction() as connection:
        assert await connection.fetchval("SELECT to_regclass('leftover')") is None


async def lose_connection(database: Database, database_url: str) -> None:
    async with database.transaction() as connection:
        await end(connection, database_url)
        await answer(connection)


async def test_a_connection_that_dies_under_a_transaction_is_the_databases_fault(database: Database, database_url: str):
    with pytest.raises(DatabaseUnavailable):
        await lose_connection(database, database_url)
    assert await database.run(answer) == 42


async def test_a_connection_that_died_while_idle_is_replaced(database: Database, database_url: str):
    await database.run(lambda it: end(it, database_url))
    assert await database.run(answer) == 42


async def test_a_statement_that_takes_too_long_is_given_up(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("control.database.COMMAND_TIMEOUT_S", 0.1)
    pool = Pool(database_url, connections=1)
    impatient = pool.across_tenants
    await pool.open()
    with pytest.raises(DatabaseUnavailable, match="in time"):
        await impatient.run(lambda it: it.fetchval("SELECT pg_sleep(30)"))
    assert await impatient.run(answer) == 42
    await pool.close()


async def test_a_full_pool_answers_instead_of_waiting_for_ever(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("control.database.ACQUIRE_TIMEOUT_S", 0.05)
    async with database.transaction():
        with pytest.raises(DatabaseUnavailable, match="to spare"):
            await database.run(answer)
    assert await database.run(answer) == 42


async def test_text_that_postgres_cannot_hold_is_the_callers_fault(database: Database):
    with pytest.raises(Invalid):
        await database.run(lambda it: it.fetchval("SELECT $1::text", "\x00"))


async def test_nobody_listening_is_reported_at_once():
    pool = Pool("postgresql://headrace@/headrace?host=/nowhere", connections=1)
    await pool.open()
    with pytest.raises(DatabaseUnavailable):
        await pool.across_tenants.run(answer)
    await pool.close()


async def test_failing_requests_lose_no_connection(app: Litestar, account: Account):
    path = f"/api/v1/organizations/{account.organization_id}/projects"
    for _ in range(10):  # more than the pool has connections
        assert (await account.client.post(path, json={"name": "default"})).status_code == 409
    assert app.state.resources.pool.connections.get_idle_size() == app.state.resources.pool.connections.get_size()


async def test_a_database_lost_under_a_request_is_a_503_with_a_time_to_return(
    app: Litestar, client: AsyncClient, account: Account, monkeypatch: pytest.MonkeyPatch
):
    database: Database = app.state.resources.pool.across_tenants
    lost = asyncio.Event()

    async def find_me(connection: Connection, user_id: object) -> None:
        await end(connection, app.state.resources.settings.database_url)
        lost.set()
        await answer(connection)

    monkeypatch.setattr("control.identity.queries.find_me", find_me)
    refused = await account.client.get("/api/v1/me")
    assert lost.is_set()
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    monkeypatch.undo()
    assert (await account.client.get("/api/v1/me")).status_code == 200
    assert await database.run(answer) == 42
