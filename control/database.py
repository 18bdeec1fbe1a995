"""Postgres: a pool that outlives the server, and the connection that queries are given.

The pool keeps no connection it could not replace: it starts empty, connects when a request needs it, and drops what has died.
So control starts before Postgres, and carries on after Postgres was killed and came back.

Whoever wants a connection says whose: `Pool.of(organization_id)`, under which Postgres hides every other organization's rows, or
`Pool.across_tenants`.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, LiteralString, Protocol, TypeVar, runtime_checkable
from uuid import UUID

import asyncpg
from asyncpg import Record

from contracts.errors import Invalid, Overloaded

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 3
COMMAND_TIMEOUT_S: Final = 10.0
ACQUIRE_TIMEOUT_S: Final = 5.0
"""How long a request may wait for a connection, connecting included."""

TENANT_ROLE: Final = "headrace_tenant"
"""Postgres shows it the rows of one organization: docs/decisions/0018-row-level-security.md."""
TENANT_SETTING: Final = "headrace.organization_id"
"""Says which."""

Result = TypeVar("Result")


class DatabaseUnavailable(Overloaded):
    """Postgres cannot be reached, went away in mid-request, or has no connection to spare."""

    title = "Database unavailable"


@runtime_checkable
class Connection(Protocol):
    """What a query needs of a connection; the text is always a literal, values are always bound."""

    async def execute(self, query: LiteralString, *args: Any) -> str:
        """Run a statement; the answer is its command tag (`UPDATE 1`)."""
        ...

    async def fetch(self, query: LiteralString, *args: Any) -> list[Record]:
        """All rows."""
        ...

    async def fetchrow(self, query: LiteralString, *args: Any) -> Record | None:
        """The first row, or None."""
        ...

    async def fetchval(self, query: LiteralString, *args: Any) -> Any:
        """The first column of the first row, or None."""
        ...

    async def executemany(self, command: LiteralString, args: list[tuple[Any, ...]]) -> None:
        """Run a statement once for each tuple of values, in one round trip."""
        ...


class Pool:
    """The connections, and the two ways to use them. Methods raise DatabaseUnavailable when Postgres does not answer in time."""

    def __init__(self, url: str, connections: int) -> None:
        self.connections = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            reset=_leave,
            server_settings={"application_name": "headrace-control", "timezone": "UTC"},
        )
        self.across_tenants: Final = Database(self, None)
        """For what belongs to no tenant, or comes before one is known; tests/control/test_tenants.py lists who uses it."""

    async def open(self) -> None:
        """Make the pool usable; does not connect yet."""
        await self.connections

    async def close(self) -> None:
        """Drop all connections at once; requests have ended by now."""
        self.connections.terminate()

    def of(self, organization_id: UUID) -> "Database":
        """What an organization may use: to it, the rows of all others do not exist."""
        return Database(self, organization_id)

    @asynccontextmanager
    async def acquired(self) -> AsyncGenerator[Any]:
        """A connection of the pool."""
        connection = await self._acquire()
        try:
            with _answered_by(connection):
                yield connection
        finally:
            await self._release(connection)

    async def _acquire(self) -> Any:
        try:
            return await self.connections.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except TimeoutError as error:
            raise DatabaseUnavailable("the database has no connection to spare; try again") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailable("the database cannot be reached; try again") from error

    async def _release(self, connection: Any) -> None:
        """Hand the connection back. Whatever stops its reset, the pool has dropped it by then; the work it did is done."""
        try:
            await self.connections.release(connection, timeout=CONNECT_TIMEOUT_S)
        except Exception as error:
            logger.warning("dropped a database connection: %s", error)


class Database:
    """The database as one organization sees it, or across all of them. Methods raise what those of Pool do."""

    def __init__(self, pool: Pool, organization_id: UUID | None) -> None:
        self._pool = pool
        self._organization_id = organization_id

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection in a transaction that commits unless the block raises. Make no network call inside."""
        async with self._pool.acquired() as connection:
            await connection.execute(_begin(self._organization_id))
            try:
                yield connection
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")

    async def run(self, query: Callable[[Connection], Awaitable[Result]]) -> Result:
        """The result of one query function, for those who need a single statement and no transaction held open."""
        if self._organization_id is not None:
            return await self.change(query)
        async with self._pool.acquired() as connection:
            return await query(connection)

    async def change(self, query: Callable[[Connection], Awaitable[Result]]) -> Result:
        """The result of one query function whose statements take effect together."""
        async with self.transaction() as connection:
            return await query(connection)


def _begin(organization_id: UUID | None) -> str:
    """One round trip: Postgres takes no bound values here, and of a UUID the hex digits are all there is to quote."""
    if organization_id is None:
        return "BEGIN"
    return f"BEGIN; SET LOCAL ROLE {TENANT_ROLE}; SET LOCAL {TENANT_SETTING} = '{organization_id.hex}'"


async def _leave(connection: Any) -> None:
    """Nothing to reset: all that is ever set is local to a transaction, and the pool has ended one that was left open."""


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Connection]:
    """A connection of its own, outside any pool and any transaction. Raises OSError or asyncpg.PostgresError."""
    connection: Any = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


@contextmanager
def _answered_by(connection: Any) -> Generator[None]:
    """Tell the database's failures from the block's own: whatever a dead connection brings up is the database's."""
    try:
        yield
    except asyncpg.CharacterNotInRepertoireError as error:
        raise Invalid("text may not contain the character U+0000") from error
    except TimeoutError as error:
        raise DatabaseUnavailable("the database did not answer in time; try again") from error
    except Exception as error:
        if _is_lost(connection):
            raise DatabaseUnavailable("the database went away; try again") from error
        raise


def _is_lost(connection: Any) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back when it died
        return True
