"""The version of the route table in Postgres."""

from typing import Final, LiteralString

from control.database import Connection

BUMP_ROUTES: Final[LiteralString] = """
    UPDATE route_version
    SET version = version + 1
"""


async def bump_routes(connection: Connection) -> None:
    """Say, in the transaction that changes it, that what gateways serve from has changed."""
    await connection.execute(BUMP_ROUTES)
