"""Service accounts in Postgres: rows of `users` and of `members`."""

from typing import Final, LiteralString
from uuid import UUID

import asyncpg

from control.database import Connection
from control.service_accounts.errors import ServiceAccountNameTaken, ServiceAccountNotFound
from control.service_accounts.schemas import ServiceAccount, ServiceRole

LIST_SERVICE_ACCOUNTS: Final[LiteralString] = """
    SELECT
        users.id, users.name, members.role, users.created_at, users.disabled_at,
        (
            SELECT count(*)
            FROM project_members
            JOIN projects ON projects.id = project_members.project_id
            WHERE project_members.user_id = users.id
              AND projects.deleted_at IS NULL
        ) AS project_roles,
        (
            SELECT count(*)
            FROM api_keys
            WHERE api_keys.created_by = users.id
              AND api_keys.revoked_at IS NULL
              AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())
        ) AS keys
    FROM users
    JOIN members ON members.user_id = users.id AND members.organization_id = users.organization_id
    WHERE users.organization_id = $1
      AND users.kind = 'service'
      AND ($2::uuid IS NULL OR users.id = $2)
      AND ($3::uuid IS NULL OR users.id > $3)
    ORDER BY users.id
    LIMIT $4
"""


async def list_service_accounts(
    connection: Connection, organization_id: UUID, after: UUID | None, limit: int
) -> list[ServiceAccount]:
    """The oldest first."""
    return [ServiceAccount(**row) for row in await connection.fetch(LIST_SERVICE_ACCOUNTS, organization_id, None, after, limit)]


async def find_service_account(connection: Connection, organization_id: UUID, id: UUID) -> ServiceAccount:
    """Raises ServiceAccountNotFound."""
    row = await connection.fetchrow(LIST_SERVICE_ACCOUNTS, organization_id, id, None, 1)
    if row is None:
        raise ServiceAccountNotFound(id)
    return ServiceAccount(**row)


COUNT_SERVICE_ACCOUNTS: Final[LiteralString] = """
    SELECT count(*)
    FROM users
    WHERE organization_id = $1
      AND kind = 'service'
"""


async def count_service_accounts(connection: Connection, organization_id: UUID) -> int:
    """How many the organization has."""
    return await connection.fetchval(COUNT_SERVICE_ACCOUNTS, organization_id)


INSERT_SERVICE_ACCOUNT: Final[LiteralString] = """
    INSERT INTO users (kind, organization_id, name)
    VALUES ('service', $1, $2)
    RETURNING id
"""


async def insert_service_account(connection: Connection, organization_id: UUID, name: str) -> UUID:
    """Raises ServiceAccountNameTaken."""
    try:
        return await connection.fetchval(INSERT_SERVICE_ACCOUNT, organization_id, name)
    except asyncpg.UniqueViolationError as error:
        raise ServiceAccountNameTaken(name) from error


UPDATE_SERVICE_ACCOUNT: Final[LiteralString] = """
    UPDATE users
    SET name = $3,
        disabled_at = CASE WHEN $4 THEN coalesce(disabled_at, now()) END
    WHERE organization_id = $1
      AND kind = 'service'
      AND id = $2
"""
UPDATE_ROLE: Final[LiteralString] = """
    UPDATE members
    SET role = $3
    WHERE organization_id = $1
      AND user_id = $2
"""


async def update_service_account(
    connection: Connection, organization_id: UUID, id: UUID, name: str, role: ServiceRole, is_disabled: bool
) -> None:
    """Raises ServiceAccountNameTaken."""
    try:
        await connection.execute(UPDATE_SERVICE_ACCOUNT, organization_id, id, name, is_disabled)
    except asyncpg.UniqueViolationError as error:
        raise ServiceAccountNameTaken(name) from error
    await connection.execute(UPDATE_ROLE, organization_id, id, role)


REVOKE_KEYS: Final[LiteralString] = """
    UPDATE api_keys
    SET revoked_at = now()
    FROM projects
    WHERE projects.organization_id = $1
      AND api_keys.project_id = projects.id
      AND api_keys.created_by = $2
      AND api_keys.revoked_at IS NULL
"""
DELETE_SERVICE_ACCOUNT: Final[LiteralString] = """
    DELETE FROM users
    WHERE organization_id = $1
      AND kind = 'service'
      AND id = $2
"""


async def delete_service_account(connection: Connection, organization_id: UUID, id: UUID) -> None:
    """With its roles, and its keys revoked; the caller bumps the routes."""
    await connection.execute(REVOKE_KEYS, organization_id, id)
    await connection.execute(DELETE_SERVICE_ACCOUNT, organization_id, id)
