"""Projects in Postgres. The view `project_summaries` holds each as the API shows it, once for each person who sees it."""

import re
from typing import Final, LiteralString
from uuid import UUID

import asyncpg
from msgspec import UNSET, Struct

from control.database import Connection
from control.fields import unique
from control.projects.errors import ProjectNameTaken, ProjectNotFound
from control.projects.schemas import NewProject, Project, ProjectPatch, State, Visibility

MAX_WORDS: Final = 16
"""Of a search; what follows is not looked for."""

INSERT_PROJECT: Final[LiteralString] = """
    INSERT INTO projects (organization_id, name, slug, description, tags, visibility)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (organization_id, slug) DO NOTHING
    RETURNING id
"""


async def insert_project(connection: Connection, organization_id: UUID, slug: str, new: NewProject) -> UUID | None:
    """The new project's id, or None if the slug is taken. Raises ProjectNameTaken."""
    about = new.description, unique(new.tags), new.visibility
    try:
        return await connection.fetchval(INSERT_PROJECT, organization_id, new.name, slug, *about)
    except asyncpg.UniqueViolationError as error:
        raise ProjectNameTaken(new.name) from error


FIND_PROJECT: Final[LiteralString] = """
    SELECT
        id, organization_id, organization_slug, name, slug, description, tags, visibility, role,
        created_at, archived_at, deleted_at, models, versions, deployments
    FROM project_summaries
    WHERE organization_id = $1
      AND user_id = $2
      AND id = $3
      AND deleted_at IS NULL
"""


async def find_project(connection: Connection, organization_id: UUID, user_id: UUID, project_id: UUID) -> Project:
    """A project as the person sees it. Raises ProjectNotFound."""
    row = await connection.fetchrow(FIND_PROJECT, organization_id, user_id, project_id)
    if row is None:
        raise ProjectNotFound(f"no project {project_id}")
    return Project(**row)


class Search(Struct, frozen=True):
    """Which of an organization's projects to list for a person."""

    organization_id: UUID
    user_id: UUID
    state: State
    tags: list[str]
    """A project must have all of them."""
    text: str
    """Each word must begin a word of the name, the description or the tags; empty: any project."""


LIST_PROJECTS: Final[LiteralString] = """
    SELECT
        id, organization_id, organization_slug, name, slug, description, tags, visibility, role,
        created_at, archived_at, deleted_at, models, versions, deployments
    FROM project_summaries
    WHERE organization_id = $1
      AND user_id = $2
      AND (deleted_at IS NOT NULL) = ($3 = 'deleted')
      AND (archived_at IS NOT NULL AND deleted_at IS NULL) = ($3 = 'archived')
      AND ($3 <> 'deleted' OR role IN ('admin', 'owner'))
      AND ($4::text[] = '{}' OR tags @> $4)
      AND ($5::uuid IS NULL OR id < $5)
    ORDER BY id DESC
    LIMIT $6
"""
SEARCH_PROJECTS: Final[LiteralString] = """
    SELECT
        id, organization_id, organization_slug, name, slug, description, tags, visibility, role,
        created_at, archived_at, deleted_at, models, versions, deployments
    FROM project_summaries
    WHERE organization_id = $1
      AND user_id = $2
      AND (deleted_at IS NOT NULL) = ($3 = 'deleted')
      AND (archived_at IS NOT NULL AND deleted_at IS NULL) = ($3 = 'archived')
      AND ($3 <> 'deleted' OR role IN ('admin', 'owner'))
      AND ($4::text[] = '{}' OR tags @> $4)
      AND ($5::uuid IS NULL OR id < $5)
      AND words @@ to_tsquery('simple', $7)
    ORDER BY id DESC
    LIMIT $6
"""


async def list_projects(connection: Connection, search: Search, before: UUID | None, limit: int) -> list[Project]:
    """Those that the person may see, newest first (ids are UUIDv7, so their order is that of creation).

    Deleted ones are for those who may restore them. A search is a statement of its own, because it begins at another index.
    """
    who = search.organization_id, search.user_id
    where = search.state, unique(search.tags), before, limit
    if search.text:
        rows = await connection.fetch(SEARCH_PROJECTS, *who, *where, words_of(search.text))
    else:
        rows = await connection.fetch(LIST_PROJECTS, *who, *where)
    return [Project(**row) for row in rows]


def words_of(text: str) -> str:
    """`text` as a query of Postgres' full text search: projects with all these words, or with words that begin so."""
    words = re.findall(r"[^\W_]+", text)[:MAX_WORDS]
    return " & ".join(f"'{word}':*" for word in words)


LOOK_UP_PROJECT: Final[LiteralString] = """
    SELECT
        id, organization_id, organization_slug, name, slug, description, tags, visibility, role,
        created_at, archived_at, deleted_at, models, versions, deployments
    FROM project_summaries
    WHERE user_id = $1
      AND organization_slug = $2
      AND slug = $3
      AND deleted_at IS NULL
"""


async def look_up_project(connection: Connection, user_id: UUID, organization_slug: str, slug: str) -> Project:
    """A project that the person may see. Raises ProjectNotFound."""
    row = await connection.fetchrow(LOOK_UP_PROJECT, user_id, organization_slug, slug)
    if row is None:
        raise ProjectNotFound(f"no project {organization_slug}/{slug}")
    return Project(**row)


UPDATE_PROJECT: Final[LiteralString] = """
    UPDATE projects
    SET name = coalesce($3, name), description = coalesce($4, description), tags = coalesce($5, tags)
    WHERE organization_id = $1
      AND id = $2
"""


async def update_project(connection: Connection, organization_id: UUID, project_id: UUID, patch: ProjectPatch) -> None:
    """Raises ProjectNameTaken."""
    name = None if patch.name is UNSET else patch.name
    description = None if patch.description is UNSET else patch.description
    tags = None if patch.tags is UNSET else unique(patch.tags)
    try:
        await connection.execute(UPDATE_PROJECT, organization_id, project_id, name, description, tags)
    except asyncpg.UniqueViolationError as error:
        raise ProjectNameTaken(name or "") from error


SET_VISIBILITY: Final[LiteralString] = """
    UPDATE projects
    SET visibility = $3
    WHERE organization_id = $1
      AND id = $2
"""


async def set_visibility(connection: Connection, organization_id: UUID, project_id: UUID, visibility: Visibility) -> None:
    """Say who sees a project."""
    await connection.execute(SET_VISIBILITY, organization_id, project_id, visibility)


SET_ARCHIVED: Final[LiteralString] = """
    UPDATE projects
    SET archived_at = CASE WHEN $3 THEN coalesce(archived_at, now()) END
    WHERE organization_id = $1
      AND id = $2
"""


async def set_archived(connection: Connection, organization_id: UUID, project_id: UUID, is_archived: bool) -> None:
    """Put a project into the archive or take it out."""
    await connection.execute(SET_ARCHIVED, organization_id, project_id, is_archived)


DELETE_PROJECT: Final[LiteralString] = """
    UPDATE projects
    SET deleted_at = now()
    WHERE organization_id = $1
      AND id = $2
"""


async def delete_project(connection: Connection, organization_id: UUID, project_id: UUID) -> None:
    """Hide a project from everybody until it is restored, or swept."""
    await connection.execute(DELETE_PROJECT, organization_id, project_id)


FIND_NAME: Final[LiteralString] = """
    SELECT name
    FROM projects
    WHERE organization_id = $1
      AND id = $2
"""
RESTORE_PROJECT: Final[LiteralString] = """
    UPDATE projects
    SET deleted_at = NULL
    WHERE organization_id = $1
      AND id = $2
"""


async def restore_project(connection: Connection, organization_id: UUID, project_id: UUID) -> None:
    """Undo a deletion. Raises ProjectNameTaken if another project has the name by now."""
    name = await connection.fetchval(FIND_NAME, organization_id, project_id)
    try:
        await connection.execute(RESTORE_PROJECT, organization_id, project_id)
    except asyncpg.UniqueViolationError as error:
        raise ProjectNameTaken(name) from error
