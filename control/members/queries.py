"""The people of an organization in Postgres. Service accounts are rows of `members`, too; they have a folder of their own."""

from typing import Final, LiteralString
from uuid import UUID

from control.database import Connection
from control.identity.permissions import Role
from control.members.errors import MemberNotFound
from control.members.schemas import OrganizationMember

LIST_MEMBERS: Final[LiteralString] = """
    SELECT
        members.user_id, users.email, users.name, members.role, members.created_at AS joined_at,
        (
            SELECT count(*)
            FROM project_members
            JOIN projects ON projects.id = project_members.project_id
            WHERE project_members.user_id = members.user_id
              AND projects.organization_id = $1
              AND projects.deleted_at IS NULL
        ) AS project_roles
    FROM members
    JOIN users ON users.id = members.user_id
    WHERE members.organization_id = $1
      AND users.kind = 'person'
      AND ($2::uuid IS NULL OR members.user_id > $2)
      AND strpos(lower(users.name || ' ' || users.email), lower($3)) > 0
    ORDER BY members.user_id
    LIMIT $4
"""


async def list_members(
    connection: Connection, organization_id: UUID, after: UUID | None, words: str, limit: int
) -> list[OrganizationMember]:
    """Those whose name or address holds `words`, from the oldest account on."""
    return [OrganizationMember(**row) for row in await connection.fetch(LIST_MEMBERS, organization_id, after, words, limit)]


FIND_MEMBER: Final[LiteralString] = """
    SELECT
        members.user_id, users.email, users.name, members.role, members.created_at AS joined_at,
        (
            SELECT count(*)
            FROM project_members
            JOIN projects ON projects.id = project_members.project_id
            WHERE project_members.user_id = members.user_id
              AND projects.organization_id = $1
              AND projects.deleted_at IS NULL
        ) AS project_roles
    FROM members
    JOIN users ON users.id = members.user_id
    WHERE members.organization_id = $1
      AND users.kind = 'person'
      AND members.user_id = $2
"""


async def find_member(connection: Connection, organization_id: UUID, user_id: UUID) -> OrganizationMember:
    """Raises MemberNotFound."""
    row = await connection.fetchrow(FIND_MEMBER, organization_id, user_id)
    if row is None:
        raise MemberNotFound(user_id)
    return OrganizationMember(**row)


LOCK_ORGANIZATION: Final[LiteralString] = """
    SELECT id
    FROM organizations
    WHERE id = $1
    FOR NO KEY UPDATE
"""


async def lock_organization(connection: Connection, organization_id: UUID) -> None:
    """Let nobody else change who owns the organization until the transaction ends; projects may still be made in it."""
    await connection.execute(LOCK_ORGANIZATION, organization_id)


HAS_OTHER_OWNER: Final[LiteralString] = """
    SELECT EXISTS (
        SELECT
        FROM members
        WHERE organization_id = $1
          AND user_id <> $2
          AND role = 'owner'
    )
"""


async def has_other_owner(connection: Connection, organization_id: UUID, user_id: UUID) -> bool:
    """Whether somebody else owns the organization too."""
    return await connection.fetchval(HAS_OTHER_OWNER, organization_id, user_id)


UPDATE_ROLE: Final[LiteralString] = """
    UPDATE members
    SET role = $3
    WHERE organization_id = $1
      AND user_id = $2
"""


async def update_role(connection: Connection, organization_id: UUID, user_id: UUID, role: Role) -> None:
    """Give a member another role."""
    await connection.execute(UPDATE_ROLE, organization_id, user_id, role)


DELETE_MEMBER: Final[LiteralString] = """
    WITH gone AS (
        DELETE FROM project_members
        USING projects
        WHERE projects.organization_id = $1
          AND project_members.project_id = projects.id
          AND project_members.user_id = $2
    )
    DELETE FROM members
    WHERE organization_id = $1
      AND user_id = $2
"""


async def delete_member(connection: Connection, organization_id: UUID, user_id: UUID) -> None:
    """Take a person out of an organization and of all its projects."""
    await connection.execute(DELETE_MEMBER, organization_id, user_id)
