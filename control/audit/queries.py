"""Reading the audit log in Postgres."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from control.audit.errors import AuditEntryNotFound
from control.audit.schemas import AuditEntry
from control.database import Connection, Database

EXPORT_PAGE: Final = 1000


class Wanted(Struct, frozen=True):
    """Which entries; None: all."""

    actor: str | None = None
    """E-mail address."""
    action: str | None = None
    """Whole (`key.create`), or the kind of thing alone (`key`)."""
    target: str | None = None
    """Id or name."""
    project_id: UUID | None = None
    start: datetime | None = None
    end: datetime | None = None


PLAN_FOR_VALUES: Final[LiteralString] = "SET LOCAL plan_cache_mode = force_custom_plan"
"""Which index is right depends on which filters are set: a plan made for all of them at once would read the whole log."""

LIST_ENTRIES: Final[LiteralString] = """
    SELECT
        id, number, at, actor_id, actor, address, request_id, project_id,
        action, target_id, target_name, before, after, encode(seal, 'hex') AS seal
    FROM audit_entries
    WHERE organization_id = $1
      AND ($2::text IS NULL OR actor = $2)
      AND ($3::text IS NULL OR action = $3 OR (action > $3 || '.' AND action < $3 || '/'))
      AND ($4::text IS NULL OR target_id = $4 OR target_name = $4)
      AND ($5::uuid IS NULL OR project_id = $5)
      AND ($6::timestamptz IS NULL OR at >= $6)
      AND ($7::timestamptz IS NULL OR at < $7)
      AND (
          $8::uuid IS NULL
          OR (at, number) < (
              SELECT seen.at, seen.number FROM audit_entries AS seen WHERE seen.organization_id = $1 AND seen.id = $8
          )
      )
    ORDER BY at DESC, number DESC
    LIMIT $9
"""


async def list_entries(
    connection: Connection, organization_id: UUID, wanted: Wanted, before: UUID | None, limit: int
) -> list[AuditEntry]:
    """Newest first; must be in a transaction."""
    await connection.execute(PLAN_FOR_VALUES)
    filters = msgspec.structs.astuple(wanted)
    return [_entry(row) for row in await connection.fetch(LIST_ENTRIES, organization_id, *filters, before, limit)]


FIND_ENTRY: Final[LiteralString] = """
    SELECT
        id, number, at, actor_id, actor, address, request_id, project_id,
        action, target_id, target_name, before, after, encode(seal, 'hex') AS seal
    FROM audit_entries
    WHERE organization_id = $1
      AND number = $2
"""


async def find_entry(connection: Connection, organization_id: UUID, number: int) -> AuditEntry:
    """Raises AuditEntryNotFound."""
    row = await connection.fetchrow(FIND_ENTRY, organization_id, number)
    if row is None:
        raise AuditEntryNotFound(number)
    return _entry(row)


async def all_entries(database: Database, organization_id: UUID, wanted: Wanted) -> AsyncGenerator[AuditEntry]:
    """Newest first, however many there are: read by pages, each in a transaction of its own."""
    last: UUID | None = None
    while True:
        async with database.transaction() as connection:
            entries = await list_entries(connection, organization_id, wanted, last, EXPORT_PAGE)
        for it in entries:
            yield it
        if len(entries) < EXPORT_PAGE:
            return
        last = entries[-1].id


def _entry(row: Record) -> AuditEntry:
    columns: dict[str, Any] = dict(row)
    for name in ("before", "after"):
        if columns[name] is not None:
            columns[name] = msgspec.json.decode(columns[name])
    return AuditEntry(**columns)
