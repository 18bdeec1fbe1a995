"""Bringing a database to this program's schema, and telling when it is at another one.

asyncpg opens the connection, as it does when serving, so that one URL means the same thing in both places.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from msgspec import Struct
from sqlalchemy import Connection as AlembicConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from contracts.errors import HeadraceError
from control.database import CONNECT_TIMEOUT_S, Connection

SCRIPTS: Final = "control:migrations"


class SchemaNewer(HeadraceError):
    """The database was written by a newer Headrace; this one must not touch it."""

    title = "Schema newer"

    def __init__(self, found: str, known: str) -> None:
        super().__init__(
            f"the database is at schema {found}, and this Headrace knows up to {known}: "
            "install the newer version again, or restore a backup from before it"
        )


class SchemaState(Struct, frozen=True):
    """Where a database stands. `found` is None before the first migration."""

    found: str | None
    wanted: str
    is_newer: bool

    def check(self) -> None:
        """Raises SchemaNewer."""
        if self.is_newer:
            raise SchemaNewer(self.found or "", self.wanted)


FIND_VERSION_TABLE: Final[LiteralString] = "SELECT to_regclass('alembic_version') IS NOT NULL"
FIND_VERSION: Final[LiteralString] = "SELECT version_num FROM alembic_version"


async def find_schema(connection: Connection) -> SchemaState:
    """Compare the database with the revisions this program ships."""
    found = await connection.fetchval(FIND_VERSION) if await connection.fetchval(FIND_VERSION_TABLE) else None
    revisions = {it.revision for it in _scripts().walk_revisions()}
    return SchemaState(found, max(revisions), found is not None and found not in revisions)


async def migrate(database_url: str, revision: str = "head") -> None:
    """Apply what is missing, all of it or nothing. Raises SchemaNewer, OSError or asyncpg.PostgresError."""
    await _alembic(database_url, lambda config: command.upgrade(config, revision))


async def roll_back(database_url: str, revision: str = "base") -> None:
    """Undo every migration after `revision`, with the data they hold. Raises SchemaNewer, OSError or asyncpg.PostgresError."""
    await _alembic(database_url, lambda config: command.downgrade(config, revision))


async def _alembic(database_url: str, run: Callable[[Config], None]) -> None:
    async with connected(database_url) as connection:
        (await find_schema(connection)).check()

    def run_on(connection: AlembicConnection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        run(config)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(database_url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run_on)


@asynccontextmanager
async def connected(database_url: str) -> AsyncGenerator[Connection]:
    """A connection of its own, outside any pool."""
    connection = await connect(database_url)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_S)


async def connect(database_url: str) -> Any:
    """An asyncpg connection, for Alembic and for `connected`."""
    return await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.set_main_option("path_separator", "os")
    return config
