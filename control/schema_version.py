"""At which schema a database is, and whether this program knows it; Alembic, which is slow to import, is not needed for that."""

from importlib import resources
from typing import Final, LiteralString

from msgspec import Struct

from contracts.errors import HeadraceError
from control.database import Connection

REVISIONS: Final = "control.migrations.versions"


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
    known = known_revisions()
    return SchemaState(found, known[-1], found is not None and found not in known)


def known_revisions() -> list[str]:
    """The revisions this program ships, oldest first: the numbers their files' names begin with."""
    files = (it.name for it in resources.files(REVISIONS).iterdir())
    return sorted(name.partition("_")[0] for name in files if name[0].isdigit())
