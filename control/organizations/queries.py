"""Organizations and memberships in Postgres."""

from typing import Final, LiteralString
from uuid import UUID

from msgspec import Struct

from control.database import Connection
from control.identity.permissions import Role
from control.organizations.schemas import Organization


class Membership(Struct, frozen=True):
    """What the door knows of a caller; without `role` they are no member, or there is no such place."""

    is_signed_in: bool
    organization_id: UUID | None
    role: Role | None


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
    ORDER BY members.created_at, organizations.id
"""


async def list_memberships(connection: Connection, user_id: UUID) -> list[Organization]:
    """A person's organizations, in the order they joined."""
    return [Organization(**row) for row in await connection.fetch(LIST_MEMBERSHIPS, user_id)]


FIND_MEMBERSHIP: Final[LiteralString] = """
    SELECT
        sessions.ended_at IS NULL AND sessions.expires_at > now() AS is_signed_in,
        members.organization_id,
        CASE WHEN $4::uuid IS NULL THEN members.role ELSE project_roles.role END AS role
    FROM sessions
    LEFT JOIN project_roles ON project_roles.user_id = sessions.user_id AND project_roles.project_id = $4
    LEFT JOIN members ON members.user_id = sessions.user_id
        AND members.organization_id = coalesce(project_roles.organization_id, $3)
        AND ($3::uuid IS NULL OR members.organization_id = $3)
    WHERE sessions.id = $1
      AND sessions.user_id = $2
"""


async def find_membership(
    connection: Connection, session_id: UUID, user_id: UUID, organization_id: UUID | None, project_id: UUID | None
) -> Membership:
    """Whether the session lives, and the caller's role where the path leads: an organization, or a project's."""
    row = await connection.fetchrow(FIND_MEMBERSHIP, session_id, user_id, organization_id, project_id)
    return Membership(**row) if row else Membership(False, None, None)
