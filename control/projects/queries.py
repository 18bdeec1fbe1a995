"""Projects in Postgres."""

from typing import Final, LiteralString
from uuid import UUID

import asyncpg

from control.database import Connection
from control.projects.errors import ProjectNameTaken, ProjectNotFound
from control.projects.schemas import Project

INSERT_PROJECT: Final[LiteralString] = """
    INSERT INTO projects (organization_id, name, slug, description)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (organization_id, slug) DO NOTHING
    RETURNING id
"""


async def insert_project(connection: Connection, organization_id: UUID, name: str, slug: str, description: str) -> UUID | None:
    """The new project's id, or None if the slug is taken. Raises ProjectNameTaken."""
    try:
        return await connection.fetchval(INSERT_PROJECT, organization_id, name, slug, description)
    except asyncpg.UniqueViolationError as error:
        raise ProjectNameTaken(name) from error


FIND_PROJECT: Final[LiteralString] = """
    SELECT id, organization_id, organization_slug, name, slug, description, created_at, models, deployments
    FROM project_summaries
    WHERE organization_id = $1
      AND id = $2
"""


async def find_project(connection: Connection, organization_id: UUID, project_id: UUID) -> Project:
    """Raises ProjectNotFound."""
    row = await connection.fetchrow(FIND_PROJECT, organization_id, project_id)
    if row is None:
        raise ProjectNotFound(f"no project {project_id}")
    return Project(**row)


LIST_PROJECTS: Final[LiteralString] = """
    SELECT id, organization_id, organization_slug, name, slug, description, created_at, models, deployments
    FROM project_summaries
    WHERE organization_id = $1
      AND EXISTS (
          SELECT
          FROM project_roles
          WHERE project_roles.user_id = $2
            AND project_roles.project_id = project_summaries.id
            AND project_roles.role IS NOT NULL
      )
      AND ($3::uuid IS NULL OR id < $3)
    ORDER BY id DESC
    LIMIT $4
"""


async def list_projects(
    connection: Connection, organization_id: UUID, user_id: UUID, before: UUID | None, limit: int
) -> list[Project]:
    """Those that the person may see, newest first (ids are UUIDv7, so their order is that of creation)."""
    rows = await connection.fetch(LIST_PROJECTS, organization_id, user_id, before, limit)
    return [Project(**row) for row in rows]


LOOK_UP_PROJECT: Final[LiteralString] = """
    SELECT id, organization_id, organization_slug, name, slug, description, created_at, models, deployments
    FROM project_summaries
    WHERE organization_slug = $2
      AND slug = $3
      AND id IN (SELECT project_id FROM project_roles WHERE user_id = $1 AND role IS NOT NULL)
"""


async def look_up_project(connection: Connection, user_id: UUID, organization_slug: str, slug: str) -> Project:
    """A project that the person may see. Raises ProjectNotFound."""
    row = await connection.fetchrow(LOOK_UP_PROJECT, user_id, organization_slug, slug)
    if row is None:
        raise ProjectNotFound(f"no project {organization_slug}/{slug}")
    return Project(**row)
