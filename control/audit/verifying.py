"""Going over the audit log: does every seal fit, and is no entry missing?"""

from typing import Final, LiteralString
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from control.audit.chain import GENESIS, Sealed, seal
from control.database import Connection

PAGE: Final = 1000


class Verdict(Struct, frozen=True):
    """What became of one organization's log."""

    organization_id: UUID
    entries: int
    """How many are in order, from the first on."""
    seal: str
    """Of the last of them, in hexadecimal. Noted down elsewhere, it also shows a log that was written anew as a whole."""
    fault: str
    """What is wrong with the next one; empty: nothing."""


ONE_MOMENT: Final[LiteralString] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
END: Final[LiteralString] = "ROLLBACK"

LIST_LOGS: Final[LiteralString] = """
    SELECT organization_id, audit_heads.number, audit_heads.seal
    FROM audit_heads
    FULL JOIN (SELECT DISTINCT audit_entries.organization_id FROM audit_entries) AS logs USING (organization_id)
    ORDER BY organization_id
"""
LIST_SEALED: Final[LiteralString] = """
    SELECT
        organization_id, number, at, actor_id, actor, address, request_id, project_id,
        action, target_id, target_name, before, after, seal
    FROM audit_entries
    WHERE organization_id = $1
      AND number > $2
    ORDER BY number
    LIMIT $3
"""


async def verify(connection: Connection) -> list[Verdict]:
    """A verdict on every organization's log as of now; opens and ends its own transaction, so that it sees one moment."""
    await connection.execute(ONE_MOMENT)
    try:
        logs = await connection.fetch(LIST_LOGS)
        return [await _verify_one(connection, it["organization_id"], it["number"], it["seal"]) for it in logs]
    finally:
        await connection.execute(END)


async def _verify_one(connection: Connection, organization_id: UUID, number: int | None, last: bytes | None) -> Verdict:
    count, previous = 0, GENESIS
    while rows := await connection.fetch(LIST_SEALED, organization_id, count, PAGE):
        for row in rows:
            if fault := _fault(row, count + 1, previous):
                return Verdict(organization_id, count, previous.hex(), fault)
            count, previous = count + 1, row["seal"]
    return Verdict(organization_id, count, previous.hex(), _fault_at_end(count, previous, number, last))


def _fault(row: Record, number: int, previous: bytes) -> str:
    if row["number"] != number:
        return f"entry {number} is missing: entry {row['number']} comes next"
    columns = [row[name] for name in Sealed.__struct_fields__]
    if seal(previous, Sealed(*columns)) != row["seal"]:
        return f"entry {number} was changed after it was written ({row['at'].isoformat()}, {row['action']})"
    return ""


def _fault_at_end(count: int, previous: bytes, number: int | None, last: bytes | None) -> str:
    if number is None:
        return "nothing says where the log ends"
    if number != count:
        return f"entry {count + 1} is missing: {number} were written" if number > count else f"only {number} entries were written"
    return "" if last == previous else f"entry {count} is not the last one that was written"


def describe(verdict: Verdict) -> str:
    """One line."""
    state = f"TAMPERED: {verdict.fault}" if verdict.fault else "in order"
    return f"organization {verdict.organization_id}: {verdict.entries} entries, seal {verdict.seal}: {state}"
