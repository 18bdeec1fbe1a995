"""API keys in Postgres. The console's own keys are never listed or revoked here."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec

from contracts.networks import Network
from contracts.routes import KeyLimits
from control.database import Connection
from control.identity.permissions import Scope
from control.keys.errors import KeyNotFound
from control.keys.networks import read_networks
from control.keys.schemas import Key, KeyKind, OrganizationKey
from control.keys.secrets import KeySecret

INSERT_KEY: Final[LiteralString] = """
    INSERT INTO api_keys (
        project_id, kind, key_id, secret_sha256, name, scopes, created_by, expires_at, limits, deployments, networks
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::jsonb, $10, $11)
    RETURNING id
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
    deployments: Sequence[UUID] | None = None,
    networks: Sequence[Network] = (),
) -> UUID:
    """Store a key and give its id; the caller bumps the routes."""
    what = key.key_id, key.sha256, name, scopes, created_by, expires_at, _document(limits), deployments, networks
    return await connection.fetchval(INSERT_KEY, project_id, kind, *what)


LIST_KEYS: Final[LiteralString] = """
    SELECT
        id, key_id, name, scopes, owner, created_at, expires_at, revoked_at, limits, deployments, networks, previous_expires_at
    FROM shown_keys
    WHERE project_id = $1
      AND ($2::uuid IS NULL OR id < $2)
    ORDER BY id DESC
    LIMIT $3
"""


async def list_keys(connection: Connection, project_id: UUID, before: UUID | None, limit: int) -> list[Key]:
    """Newest first (ids are UUIDv7, so their order is that of creation)."""
    return [_key(dict(row)) for row in await connection.fetch(LIST_KEYS, project_id, before, limit)]


LIST_ORGANIZATION_KEYS: Final[LiteralString] = """
    SELECT
        shown_keys.project_id, projects.name AS project_name, projects.slug AS project_slug,
        shown_keys.id, shown_keys.key_id, shown_keys.name, scopes, owner, shown_keys.created_at, expires_at, revoked_at, limits,
        deployments, networks, previous_expires_at
    FROM shown_keys
    JOIN projects ON projects.id = shown_keys.project_id
    WHERE projects.organization_id = $1
      AND projects.deleted_at IS NULL
      AND ($2::uuid IS NULL OR shown_keys.id < $2)
    ORDER BY shown_keys.id DESC
    LIMIT $3
"""


async def list_organization_keys(
    connection: Connection, organization_id: UUID, before: UUID | None, limit: int
) -> list[OrganizationKey]:
    """Those of all its projects, newest first."""
    rows = [dict(row) for row in await connection.fetch(LIST_ORGANIZATION_KEYS, organization_id, before, limit)]
    return [OrganizationKey(it.pop("project_id"), it.pop("project_name"), it.pop("project_slug"), _key(it)) for it in rows]


FIND_KEY: Final[LiteralString] = """
    SELECT
        id, key_id, name, scopes, owner, created_at, expires_at, revoked_at, limits, deployments, networks, previous_expires_at
    FROM shown_keys
    WHERE project_id = $1
      AND id = $2
"""


async def find_key(connection: Connection, project_id: UUID, id: UUID) -> Key:
    """Raises KeyNotFound."""
    row = await connection.fetchrow(FIND_KEY, project_id, id)
    if row is None:
        raise KeyNotFound(f"no key {id} in this project")
    return _key(dict(row))


LOCK_KEY: Final[LiteralString] = """
    SELECT id
    FROM api_keys
    WHERE project_id = $1
      AND id = $2
    FOR UPDATE
"""


async def lock_key(connection: Connection, project_id: UUID, id: UUID) -> Key:
    """A key as it is until the end of the transaction. Raises KeyNotFound."""
    await connection.execute(LOCK_KEY, project_id, id)
    return await find_key(connection, project_id, id)


UPDATE_KEY: Final[LiteralString] = """
    UPDATE api_keys
    SET name = $3, limits = $4::text::jsonb, deployments = $5, networks = $6
    WHERE project_id = $1
      AND id = $2
"""


async def update_key(connection: Connection, project_id: UUID, key: Key) -> None:
    """Set what can be changed of a locked key; the caller bumps the routes."""
    networks = read_networks(key.networks)
    await connection.execute(UPDATE_KEY, project_id, key.id, key.name, _document(key.limits), key.deployments, networks)


ROTATE_KEY: Final[LiteralString] = """
    UPDATE api_keys
    SET previous_sha256 = secret_sha256,
        previous_expires_at = now() + make_interval(secs => $4),
        secret_sha256 = $3
    WHERE project_id = $1
      AND id = $2
"""


async def rotate_key(connection: Connection, project_id: UUID, id: UUID, sha256: bytes, overlap_s: int) -> None:
    """Give a locked key another secret, beside which its last one stays good for so long; the caller bumps the routes."""
    await connection.execute(ROTATE_KEY, project_id, id, sha256, overlap_s)


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


LIST_KNOWN: Final[LiteralString] = """
    SELECT id
    FROM deployments
    WHERE project_id = $1
      AND id = ANY ($2::uuid[])
"""


async def list_known(connection: Connection, project_id: UUID, deployments: Collection[UUID]) -> set[UUID]:
    """Those of `deployments` that the project has."""
    return {row["id"] for row in await connection.fetch(LIST_KNOWN, project_id, deployments)}


def _document(limits: KeyLimits) -> str:
    return msgspec.json.encode(limits).decode()


def _key(columns: dict[str, Any]) -> Key:
    limits = msgspec.json.decode(columns.pop("limits"), type=KeyLimits)
    return Key(limits=limits, **columns)
