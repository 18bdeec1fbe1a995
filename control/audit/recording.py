"""Adding to the audit log: what every feature calls in the transaction of each change it makes."""

from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from msgspec import Struct

from control.audit.chain import GENESIS, Sealed, seal
from control.database import Connection
from control.events.announcing import announce

MAX_DOCUMENT_BYTES: Final = 64 << 10
"""Of `before` or `after`; a larger one is replaced by its size."""
SECRET_WORDS: Final = ("password", "secret", "token", "sha256", "recovery", "totp")
"""A field whose name holds one of them is never written, whatever a caller passes."""
UNANNOUNCED: Final = frozenset({"account.login", "account.login_failed", "account.lock_out"})
"""Changes nothing that anybody's page shows."""


class Origin(Struct, frozen=True):
    """Where a request came from, and its id, which its answer carries as well."""

    address: str
    request_id: str


class Who(Struct, frozen=True):
    """Who makes a change, where it belongs, and where they call from."""

    user_id: UUID | None
    """None: Headrace itself."""
    organization_id: UUID
    project_id: UUID | None
    """None for what belongs to the organization as a whole."""
    origin: Origin = Origin("", "")
    key_name: str | None = None
    """Of the API key that called in their stead."""


class Target(Struct, frozen=True):
    """What was changed, by its id and by what people called it then."""

    id: UUID | str
    name: str


LOCK_HEAD: Final[LiteralString] = """
    INSERT INTO audit_heads (organization_id, number, seal)
    VALUES ($1, 0, $3)
    ON CONFLICT (organization_id) DO UPDATE SET number = audit_heads.number
    RETURNING number, seal, clock_timestamp() AS at,
        coalesce((SELECT coalesce(email, name) FROM users WHERE id = $2), '') AS actor
"""
APPEND: Final[LiteralString] = """
    WITH appended AS (
        INSERT INTO audit_entries
            (organization_id, number, at, actor_id, actor, address, request_id, project_id,
             action, target_id, target_name, before, after, seal)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    )
    UPDATE audit_heads
    SET number = $2, seal = $14
    WHERE organization_id = $1
"""


async def record(
    connection: Connection, who: Who, action: str, target: Target, before: object = None, after: object = None
) -> None:
    """Write down, with the change or not at all, that `who` did `action` (`key.create`) to `target`; pages hear of it.

    `before` and `after` are Structs or dicts, or None where there is nothing. Call it last in the transaction, after
    `bump_routes`: from here to the commit everybody else who changes something in the organization waits.
    """
    head = await connection.fetchrow(LOCK_HEAD, who.organization_id, who.user_id, GENESIS)
    assert head is not None
    content = Sealed(
        organization_id=who.organization_id,
        number=head["number"] + 1,
        at=head["at"],
        actor_id=who.user_id,
        actor=head["actor"] if who.key_name is None else f"key {who.key_name} of {head['actor']}",
        address=who.origin.address,
        request_id=who.origin.request_id,
        project_id=who.project_id,
        action=action,
        target_id=str(target.id),
        target_name=target.name,
        before=document(before),
        after=document(after),
    )
    await connection.execute(APPEND, *msgspec.structs.astuple(content), seal(head["seal"], content))
    if action not in UNANNOUNCED:
        await announce(connection, who.organization_id, who.project_id, action, str(target.id))


LIST_ORGANIZATIONS: Final[LiteralString] = """
    SELECT organization_id
    FROM members
    WHERE user_id = $1
    ORDER BY organization_id
"""


async def record_everywhere(connection: Connection, user_id: UUID, origin: Origin, action: str, target: Target) -> None:
    """Write down, in each organization they belong to, what a person did about themselves."""
    await _record_everywhere(connection, user_id, user_id, origin, action, target)


async def record_about(connection: Connection, user_id: UUID, origin: Origin, action: str, target: Target) -> None:
    """Write down, in each organization a person belongs to, what nobody knows who did to their account."""
    await _record_everywhere(connection, user_id, None, origin, action, target)


async def _record_everywhere(
    connection: Connection, user_id: UUID, actor_id: UUID | None, origin: Origin, action: str, target: Target
) -> None:
    """In the order of the organizations' ids, so that no two wait for each other."""
    for row in await connection.fetch(LIST_ORGANIZATIONS, user_id):
        await record(connection, Who(actor_id, row["organization_id"], None, origin), action, target)


def document(of: object) -> str | None:
    """JSON without secrets, for `before` and `after`."""
    if of is None:
        return None
    text = msgspec.json.encode(_without_secrets(msgspec.to_builtins(of)), order="deterministic").decode()
    size = len(text.encode())
    return text if size <= MAX_DOCUMENT_BYTES else f'{{"too_large_bytes":{size}}}'


def _without_secrets(value: Any) -> Any:
    match value:
        case dict():
            return {name: "(secret)" if _is_secret(str(name)) else _without_secrets(it) for name, it in value.items()}
        case list() | tuple():
            return [_without_secrets(it) for it in value]
        case _:
            return value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)
