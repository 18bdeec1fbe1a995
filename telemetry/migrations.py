"""Brings the ClickHouse schema up to date: numbered `.sql` files, applied in order, each noted in `schema_version`."""

import logging
import re
from pathlib import Path
from typing import Final, LiteralString, NamedTuple

from clickhouse_connect.driver.client import Client

from telemetry.errors import SchemaTooNew

logger = logging.getLogger(__name__)

DIRECTORY: Final = Path(__file__).with_name("migrations")

_CREATE_VERSION_TABLE: Final[LiteralString] = """
    CREATE TABLE IF NOT EXISTS schema_version (version UInt32, name String, applied_at DateTime('UTC') DEFAULT now())
    ENGINE = MergeTree ORDER BY version
"""
_NOTE_VERSION: Final[LiteralString] = """
    INSERT INTO schema_version (version, name) SELECT {version:UInt32}, {name:String}
"""
_CURRENT_VERSION: Final[LiteralString] = "SELECT max(version) FROM schema_version"


class Migration(NamedTuple):
    """One file, `<version>_<name>.sql`; its statements can be run again after they were cut short."""

    version: int
    name: str
    statements: list[str]


def read_migrations(directory: Path = DIRECTORY) -> list[Migration]:
    """All migrations, oldest first."""
    return [_read(path) for path in sorted(directory.glob("[0-9]*_*.sql"))]


def apply_migrations(client: Client) -> None:
    """Apply what is missing. Raises SchemaTooNew if the store knows a version that this program does not."""
    migrations = read_migrations()
    client.command(_CREATE_VERSION_TABLE)
    current = int(client.query(_CURRENT_VERSION).result_rows[0][0])
    if current > (newest := migrations[-1].version):
        raise SchemaTooNew(
            f"the ClickHouse schema has version {current}, this Headrace knows versions up to {newest}; start a later Headrace"
        )
    for migration in migrations[current:]:
        for statement in migration.statements:
            client.command(statement)
        client.command(_NOTE_VERSION, {"version": migration.version, "name": migration.name})
        logger.info("applied ClickHouse migration %04d %s", migration.version, migration.name)


def _read(path: Path) -> Migration:
    version, _, name = path.stem.partition("_")
    text = re.sub(r"^\s*--.*$", "", path.read_text(), flags=re.MULTILINE)
    return Migration(int(version), name, [statement for it in text.split(";") if (statement := it.strip())])
