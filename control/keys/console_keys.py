"""The hidden keys of projects are derived from the instance's secret: after a change of it they are replaced."""

from typing import Final, LiteralString
from uuid import UUID

from asyncpg import Record

from control.database import Database
from control.keys.secrets import console_key
from control.routing.queries import bump_routes

PAGE: Final = 500
BEFORE_ALL: Final = UUID(int=0)

LIST_CONSOLE_KEYS: Final[LiteralString] = """
    SELECT project_id, secret_sha256
    FROM api_keys
    WHERE kind = 'console'
      AND project_id > $1
    ORDER BY project_id
    LIMIT $2
"""

REPLACE_CONSOLE_KEY: Final[LiteralString] = """
    UPDATE api_keys
    SET key_id = $2, secret_sha256 = $3
    WHERE project_id = $1
      AND kind = 'console'
"""


async def renew_console_keys(database: Database, secret: str) -> None:
    """Replace every console key that was derived from another secret."""
    after = BEFORE_ALL
    while page := await _list(database, after):
        stale = [it["project_id"] for it in page if it["secret_sha256"] != console_key(secret, it["project_id"]).sha256]
        if stale:
            await _replace(database, secret, stale)
        after = page[-1]["project_id"]


async def _list(database: Database, after: UUID) -> list[Record]:
    return await database.run(lambda connection: connection.fetch(LIST_CONSOLE_KEYS, after, PAGE))


async def _replace(database: Database, secret: str, projects: list[UUID]) -> None:
    keys = [(it, console_key(secret, it)) for it in projects]
    async with database.transaction() as connection:
        await bump_routes(connection)
        await connection.executemany(REPLACE_CONSOLE_KEY, [(project, key.key_id, key.sha256) for project, key in keys])
