"""Organizations and memberships in Postgres."""

from typing import Final, LiteralString
from uuid import UUID

import asyncpg
from msgspec import Struct

from contracts.errors import NotFound
from control.database import Connection
from control.identity.permissions import Role
from control.organizations.errors import SlugTaken
from control.organizations.schemas import Organization, Usage


class Membership(Struct, frozen=True):
    """What the door knows of a caller; without `role` they are no member, or there is no such place."""

    is_signed_in: bool
    organization_id: UUID | None
    role: Role | None
    is_archived: bool
    """The project can only be read."""


INSERT_ORGANIZATION: Final[LiteralString] = """
    INSERT INTO organizations (name, slug)
    VALUES ($1, $2)
    ON CONFLICT (slug) DO NOTHING
    RETURNING id
"""


async def insert_organization(connection: Connection, name: str, slug: str) -> UUID | None:
    """The new organization's id, or None if the slug is taken."""
    return await connection.fetchval(INSERT_ORGANIZATION, name, slug)


INSERT_MEMBER: Final[LiteralString] = """
    INSERT INTO members (organization_id, user_id, role)
    VALUES ($1, $2, $3)
"""


async def insert_member(connection: Connection, organization_id: UUID, user_id: UUID, role: Role) -> None:
    """Make a person a member."""
    await connection.execute(INSERT_MEMBER, organization_id, user_id, role)


LIST_MEMBERSHIPS: Final[LiteralString] = """
    SELECT organizations.id, organizations.name, organizations.slug, members.role
    FROM members
    JOIN organizations ON organizations.id = members.organization_id
    WHERE members.user_id = $1
      AND organizations.deleted_at IS NULL
    ORDER BY members.created_at, organizations.id
"""


async def list_memberships(connection: Connection, user_id: UUID) -> list[Organization]:
    """A person's organizations, in the order they joined."""
    return [Organization(**row) for row in await connection.fetch(LIST_MEMBERSHIPS, user_id)]


FIND_ORGANIZATION: Final[LiteralString] = """
    SELECT organizations.id, organizations.name, organizations.slug, members.role
    FROM organizations
    JOIN members ON members.organization_id = organizations.id
    WHERE organizations.id = $1
      AND members.user_id = $2
      AND organizations.deleted_at IS NULL
"""


async def find_organization(connection: Connection, organization_id: UUID, user_id: UUID) -> Organization:
    """An organization as one of its members sees it. Raises NotFound."""
    row = await connection.fetchrow(FIND_ORGANIZATION, organization_id, user_id)
    if row is None:
        raise NotFound(f"no organization {organization_id}")
    return Organization(**row)


COUNT_OWNED: Final[LiteralString] = """
    SELECT count(*)
    FROM members
    WHERE user_id = $1
      AND role = 'owner'
"""


async def count_owned(connection: Connection, user_id: UUID) -> int:
    """How many organizations a person owns."""
    return await connection.fetchval(COUNT_OWNED, user_id)


UPDATE_ORGANIZATION: Final[LiteralString] = """
    UPDATE organizations
    SET name = $2,
        slug = $3
    WHERE id = $1
"""


async def update_organization(connection: Connection, organization_id: UUID, name: str, slug: str) -> None:
    """Raises SlugTaken."""
    try:
        await connection.execute(UPDATE_ORGANIZATION, organization_id, name, slug)
    except asyncpg.UniqueViolationError as error:
        raise SlugTaken(slug) from error


FIND_USAGE: Final[LiteralString] = """
    WITH own AS (SELECT id FROM projects WHERE organization_id = $1 AND deleted_at IS NULL),
    machines AS (SELECT count(*) AS number FROM users WHERE organization_id = $1 AND kind = 'service'),
    versions AS (
        SELECT count(*) AS number, coalesce(sum(model_versions.size_bytes), 0) AS size_bytes
        FROM own
        JOIN models ON models.project_id = own.id
        JOIN model_versions ON model_versions.model_id = models.id
    ),
    files AS (
        SELECT coalesce(sum(batch_job_files.size_bytes), 0) AS size_bytes
        FROM own
        JOIN batch_jobs ON batch_jobs.project_id = own.id
        JOIN batch_job_files ON batch_job_files.job_id = batch_jobs.id
    )
    SELECT
        (SELECT count(*) FROM members WHERE organization_id = $1) - machines.number AS members,
        machines.number AS service_accounts,
        (SELECT count(*) FROM invitations WHERE organization_id = $1) AS invitations,
        (SELECT count(*) FROM own) AS projects,
        (SELECT count(*) FROM own JOIN models ON models.project_id = own.id) AS models,
        versions.number AS model_versions,
        (SELECT count(*) FROM own JOIN deployments ON deployments.project_id = own.id) AS deployments,
        (
            SELECT count(*)
            FROM own
            JOIN api_keys ON api_keys.project_id = own.id
            WHERE api_keys.kind = 'api'
              AND api_keys.revoked_at IS NULL
              AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())
        ) AS keys,
        (versions.size_bytes + files.size_bytes)::bigint AS stored_bytes
    FROM versions, files, machines
"""


async def find_usage(connection: Connection, organization_id: UUID) -> Usage:
    """What the organization's projects hold together."""
    row = await connection.fetchrow(FIND_USAGE, organization_id)
    assert row is not None
    return Usage(**row)


FIND_MEMBERSHIP: Final[LiteralString] = """
    SELECT
        sessions.ended_at IS NULL AND sessions.expires_at > now() AS is_signed_in,
        members.organization_id,
        CASE WHEN $4::uuid IS NULL THEN members.role ELSE all_project_roles.role END AS role,
        all_project_roles.archived_at IS NOT NULL AS is_archived
    FROM sessions
    LEFT JOIN all_project_roles ON all_project_roles.user_id = sessions.user_id
        AND all_project_roles.project_id = $4
        AND (all_project_roles.deleted_at IS NULL OR $5)
    LEFT JOIN members ON members.user_id = sessions.user_id
        AND members.organization_id = coalesce(all_project_roles.organization_id, $3)
        AND ($3::uuid IS NULL OR members.organization_id = $3)
        AND EXISTS (
            SELECT FROM organizations WHERE organizations.id = members.organization_id AND organizations.deleted_at IS NULL
        )
    WHERE sessions.id = $1
      AND sessions.user_id = $2
"""


async def find_membership(
    connection: Connection,
    session_id: UUID,
    user_id: UUID,
    organization_id: UUID | None,
    project_id: UUID | None,
    in_deleted: bool = False,
) -> Membership:
    """Whether the session lives, and the caller's role where the path leads: an organization, or a project's.

    A deleted project is not found unless `in_deleted`.
    """
    row = await connection.fetchrow(FIND_MEMBERSHIP, session_id, user_id, organization_id, project_id, in_deleted)
    return Membership(**row) if row else Membership(False, None, None, False)
