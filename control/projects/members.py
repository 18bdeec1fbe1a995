"""The people of a project in Postgres: who sees it, and the roles they were given in it."""

from typing import Final, LiteralString
from uuid import UUID

from control.database import Connection
from control.projects.errors import PersonNotFound, RoleFixed
from control.projects.schemas import ProjectMember, ProjectRole

LIST_MEMBERS: Final[LiteralString] = """
    SELECT
        users.id AS user_id, users.name, users.email, members.role AS organization_role,
        project_members.role AS project_role, project_roles.role
    FROM members
    JOIN users ON users.id = members.user_id
    JOIN project_roles ON project_roles.user_id = members.user_id AND project_roles.project_id = $2
    LEFT JOIN project_members ON project_members.user_id = members.user_id AND project_members.project_id = $2
    WHERE members.organization_id = $1
      AND project_roles.role IS NOT NULL
      AND ($3::uuid IS NULL OR members.user_id = $3)
      AND ($4::uuid IS NULL OR members.user_id > $4)
    ORDER BY members.user_id
    LIMIT $5
"""


async def list_members(
    connection: Connection, organization_id: UUID, project_id: UUID, after: UUID | None, limit: int
) -> list[ProjectMember]:
    """Who sees the project, in the order they registered."""
    rows = await connection.fetch(LIST_MEMBERS, organization_id, project_id, None, after, limit)
    return [ProjectMember(**row) for row in rows]


async def find_member(connection: Connection, organization_id: UUID, project_id: UUID, user_id: UUID) -> ProjectMember:
    """Raises PersonNotFound."""
    row = await connection.fetchrow(LIST_MEMBERS, organization_id, project_id, user_id, None, 1)
    if row is None:
        raise PersonNotFound(user_id)
    return ProjectMember(**row)


FIND_ORGANIZATION_ROLE: Final[LiteralString] = """
    SELECT role
    FROM members
    WHERE organization_id = $1
      AND user_id = $2
"""
SET_ROLE: Final[LiteralString] = """
    INSERT INTO project_members (project_id, user_id, role)
    VALUES ($1, $2, $3)
    ON CONFLICT (user_id, project_id) DO UPDATE
    SET role = $3
"""


async def set_role(connection: Connection, organization_id: UUID, project_id: UUID, user_id: UUID, role: ProjectRole) -> None:
    """Give a member of the organization a role in one project.

    Raises PersonNotFound, or RoleFixed for an administrator of the organization.
    """
    found = await connection.fetchval(FIND_ORGANIZATION_ROLE, organization_id, user_id)
    if found is None:
        raise PersonNotFound(user_id)
    if found in ("admin", "owner"):
        raise RoleFixed
    await connection.execute(SET_ROLE, project_id, user_id, role)


REMOVE_ROLE: Final[LiteralString] = """
    DELETE FROM project_members
    WHERE project_id = $1
      AND user_id = $2
    RETURNING role
"""


async def remove_role(connection: Connection, project_id: UUID, user_id: UUID) -> ProjectRole:
    """Take back what was given; the answer is that. Raises PersonNotFound if nothing was."""
    role = await connection.fetchval(REMOVE_ROLE, project_id, user_id)
    if role is None:
        raise PersonNotFound(user_id)
    return role
