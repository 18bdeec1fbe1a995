"""API keys in Postgres. The console's own keys are never listed or revoked here."""

from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from control.database import Connection
from control.keys.errors import KeyNotFound
from control.keys.schemas import Key, KeyKind, Scope
from control.keys.secrets import KeySecret

INSERT_KEY: Final[LiteralString] = """
    INSERT INTO api_keys (project_id, kind, key_id, secret_sha256, name, scopes, created_by, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    RETURNING id, key_id, name, scopes, created_at, expires_at, revoked_at
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
) -> Key:
    """Store a key; the caller bumps the routes."""
    row = await connection.fetchrow(INSERT_KEY, project_id, kind, key.key_id, key.sha256, name, scopes, created_by, expires_at)
    assert row is not None
    return Key(**row)


LIST_KEYS: Final[LiteralString] = """
    SELECT id, key_id, name, scopes, created_at, expires_at, revoked_at
    FROM api_keys
    WHERE project_id = $1
      AND kind = 'api'
      AND ($2::uuid IS NULL OR id < $2)
    ORDER BY id DESC
    LIMIT $3
"""


async def list_keys(connection: Connection, project_id: UUID, before: UUID | None, limit: int) -> list[Key]:
    """Newest first (ids are UUIDv7, so their order is that of creation)."""
    return [Key(**row) for row in await connection.fetch(LIST_KEYS, project_id, before, limit)]


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
