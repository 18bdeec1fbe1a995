"""Bringing a database to this program's schema.

asyncpg opens the connection, as it does when serving, so that one URL means the same thing in both places.
"""

from collections.abc import Callable
from typing import Any, Final

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as AlembicConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from contracts.errors import HeadraceError
from control.database import CONNECT_TIMEOUT_S, connected
from control.schema_version import find_schema

SCRIPTS: Final = "control:migrations"
OLDEST_SERVER: Final = 18
"""The first with uuidv7()."""


class ServerTooOld(HeadraceError):
    title = "PostgreSQL too old"


class MigrationRefused(HeadraceError):
    title = "Migration refused"


async def migrate(database_url: str, revision: str = "head") -> None:
    """Apply what is missing, all of it or nothing.

    Raises SchemaNewer, ServerTooOld, MigrationRefused, OSError or asyncpg.PostgresError.
    """
    await _alembic(database_url, lambda config: command.upgrade(config, revision))


async def roll_back(database_url: str, revision: str = "base") -> None:
    """Undo every migration after `revision`, with the data they hold. Raises what `migrate` raises."""
    await _alembic(database_url, lambda config: command.downgrade(config, revision))


def check_server(version: int) -> None:
    """Raises ServerTooOld; `version` as Postgres numbers itself (180002 is 18.2)."""
    if version // 10_000 < OLDEST_SERVER:
        raise ServerTooOld(f"Headrace needs PostgreSQL {OLDEST_SERVER} or newer; this server is {version // 10_000}")


async def _alembic(database_url: str, run: Callable[[Config], None]) -> None:
    async with connected(database_url) as connection:
        check_server(await connection.fetchval("SELECT current_setting('server_version_num')::int"))
        (await find_schema(connection)).check()

    def run_on(connection: AlembicConnection) -> None:
        config = Config()
        config.set_main_option("script_location", SCRIPTS)
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        run(config)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: _connect(database_url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run_on)
    except DBAPIError as error:
        raise MigrationRefused(f"the database refuses to be migrated: {error.orig}") from error


async def _connect(database_url: str) -> Any:
    return await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S)
