"""Postgres: a pool that outlives the server, and the connection that queries are given.

The pool keeps no connection it could not replace: it starts empty, connects when a request needs it, and drops what has died.
So control starts before Postgres, and carries on after Postgres was killed and came back.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, LiteralString, Protocol, TypeVar, runtime_checkable

import asyncpg
from asyncpg import Record

from contracts.errors import Invalid, Overloaded

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S: Final = 3
COMMAND_TIMEOUT_S: Final = 10.0
ACQUIRE_TIMEOUT_S: Final = 5.0
"""How long a request may wait for a connection, connecting included."""

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


class Database:
    """The pool. Every method raises DatabaseUnavailable when Postgres does not answer in time."""

    def __init__(self, url: str, connections: int) -> None:
        self.pool = asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={"application_name": "headrace-control", "timezone": "UTC"},
        )

    async def open(self) -> None:
        """Make the pool usable; does not connect yet."""
        await self.pool

    async def close(self) -> None:
        """Drop all connections at once; requests have ended by now."""
        self.pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        """A connection in a transaction that commits unless the block raises. Make no network call inside."""
        connection = await self._acquire()
        try:
            with _answered_by(connection):
                async with connection.transaction():
                    yield connection
        finally:
            await self._release(connection)

    async def run(self, query: Callable[[Connection], Awaitable[Result]]) -> Result:
        """The result of one query function, for those who need a single statement and no transaction held open."""
        connection = await self._acquire()
        try:
            with _answered_by(connection):
                return await query(connection)
        finally:
            await self._release(connection)

    async def _acquire(self) -> Any:
        try:
            return await self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except TimeoutError as error:
            raise DatabaseUnavailable("the database has no connection to spare; try again") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailable("the database cannot be reached; try again") from error

    async def _release(self, connection: Any) -> None:
        """Hand the connection back. Whatever stops its reset, the pool has dropped it by then; the work it did is done."""
        try:
            await self.pool.release(connection, timeout=CONNECT_TIMEOUT_S)
        except Exception as error:
            logger.warning("dropped a database connection: %s", error)


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
