"""API keys in Postgres. The console's own keys are never listed or revoked here."""

from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from asyncpg import Record

from contracts.routes import KeyLimits
from control.database import Connection
from control.keys.errors import KeyNotFound
from control.keys.schemas import Key, KeyKind, Scope
from control.keys.secrets import KeySecret

INSERT_KEY: Final[LiteralString] = """
    INSERT INTO api_keys (project_id, kind, key_id, secret_sha256, name, scopes, created_by, expires_at, limits)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb)
    RETURNING id, key_id, name, scopes, created_at, expires_at, revoked_at, limits::text
"""


async def insert_key(
    connection: Connection,
    project_id: UUID,
    kind: KeyKind,
    key: KeySecret,
    name: str,
    scopes: list[Scope],
    created_by: UUID | None,
    expires_at: datetime | None,
    limits: KeyLimits,
) -> Key:
    """Store a key; the caller bumps the routes."""
    what = key.key_id, key.sha256, name, scopes, created_by, expires_at, _document(limits)
    row = await connection.fetchrow(INSERT_KEY, project_id, kind, *what)
    assert row is not None
    return _key(row)


LIST_KEYS: Final[LiteralString] = """
    SELECT id, key_id, name, scopes, created_at, expires_at, revoked_at, limits::text
    FROM api_keys
    WHERE project_id = $1
      AND kind = 'api'
      AND ($2::uuid IS NULL OR id < $2)
    ORDER BY id DESC
    LIMIT $3
"""


async def list_keys(connection: Connection, project_id: UUID, before: UUID | None, limit: int) -> list[Key]:
    """Newest first (ids are UUIDv7, so their order is that of creation)."""
    return [_key(row) for row in await connection.fetch(LIST_KEYS, project_id, before, limit)]


LOCK_KEY: Final[LiteralString] = """
    SELECT id, key_id, name, scopes, created_at, expires_at, revoked_at, limits::text
    FROM api_keys
    WHERE project_id = $1
      AND id = $2
      AND kind = 'api'
    FOR UPDATE
"""


async def lock_key(connection: Connection, project_id: UUID, id: UUID) -> Key:
    """A key as it is until the end of the transaction. Raises KeyNotFound."""
    row = await connection.fetchrow(LOCK_KEY, project_id, id)
    if row is None:
        raise KeyNotFound(f"no key {id} in this project")
    return _key(row)


UPDATE_KEY: Final[LiteralString] = """
    UPDATE api_keys
    SET name = coalesce($3, name), limits = coalesce($4::text::jsonb, limits)
    WHERE project_id = $1
      AND id = $2
      AND kind = 'api'
    RETURNING id, key_id, name, scopes, created_at, expires_at, revoked_at, limits::text
"""


async def update_key(connection: Connection, project_id: UUID, id: UUID, name: str | None, limits: KeyLimits | None) -> Key:
    """What is None stays; the caller bumps the routes. Raises KeyNotFound."""
    row = await connection.fetchrow(UPDATE_KEY, project_id, id, name, None if limits is None else _document(limits))
    if row is None:
        raise KeyNotFound(f"no key {id} in this project")
    return _key(row)


REVOKE_KEY: Final[LiteralString] = """
    UPDATE api_keys
    SET revoked_at = coalesce(revoked_at, now())
    WHERE project_id = $1
      AND id = $2
      AND kind = 'api'
"""


async def revoke_key(connection: Connection, project_id: UUID, id: UUID) -> None:
    """Revoking twice is fine; the caller bumps the routes. Raises KeyNotFound."""
    if await connection.execute(REVOKE_KEY, project_id, id) != "UPDATE 1":
        raise KeyNotFound(f"no key {id} in this project")


def _document(limits: KeyLimits) -> str:
    return msgspec.json.encode(limits).decode()


def _key(row: Record) -> Key:
    columns: dict[str, Any] = dict(row)
    columns["limits"] = msgspec.json.decode(columns["limits"], type=KeyLimits)
    return Key(**columns)
