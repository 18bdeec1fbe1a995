"""Deployments and revisions in Postgres. The caller bumps the routes after a change."""

from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

import asyncpg
import msgspec
from asyncpg import Record
from msgspec import Struct

from contracts.routes import RevisionSettings
from control.database import Connection
from control.deployments.errors import DeploymentNameTaken, DeploymentNotFound
from control.deployments.schemas import Revision
from control.registry.errors import VersionNotFound
from control.registry.queries import decode_version


class Placed(Struct, frozen=True):
    """A deployment as Postgres knows it: what is wanted, not how the workers get on with it."""

    id: UUID
    project_id: UUID
    name: str
    created_at: datetime
    updated_at: datetime
    revision: Revision


class Current(Struct, frozen=True):
    """What the current revision of a deployment consists of."""

    number: int
    version_id: UUID
    settings: RevisionSettings


INSERT_DEPLOYMENT: Final[LiteralString] = """
    INSERT INTO deployments (project_id, name)
    VALUES ($1, $2)
    RETURNING id
"""


async def insert_deployment(connection: Connection, project_id: UUID, name: str) -> UUID:
    """The id of a deployment whose revision 1 the same transaction must insert. Raises DeploymentNameTaken."""
    try:
        return await connection.fetchval(INSERT_DEPLOYMENT, project_id, name)
    except asyncpg.UniqueViolationError as error:
        raise DeploymentNameTaken(name) from error


INSERT_REVISION: Final[LiteralString] = """
    INSERT INTO revisions (deployment_id, number, version_id, settings, created_by)
    SELECT $2, $3, model_versions.id, $5::text::jsonb, $6
    FROM model_versions
    JOIN models ON models.id = model_versions.model_id
    WHERE models.project_id = $1
      AND model_versions.id = $4
    RETURNING id
"""


async def insert_revision(
    connection: Connection, project_id: UUID, deployment_id: UUID, created_by: UUID | None, revision: Current
) -> None:
    """Raises VersionNotFound if the project has no such model version."""
    version_id = revision.version_id
    what = deployment_id, revision.number, version_id, msgspec.json.encode(revision.settings).decode()
    try:
        id = await connection.fetchval(INSERT_REVISION, project_id, *what, created_by)
    except asyncpg.ForeignKeyViolationError as error:
        raise VersionNotFound(f"model version {version_id} has just been deleted") from error
    if id is None:
        raise VersionNotFound(f"no model version {version_id} in this project")


LOCK_DEPLOYMENT: Final[LiteralString] = """
    SELECT id
    FROM deployments
    WHERE project_id = $1
      AND id = $2
    FOR UPDATE
"""
FIND_CURRENT: Final[LiteralString] = """
    SELECT revisions.number, revisions.version_id, revisions.settings::text
    FROM deployments
    JOIN revisions ON revisions.deployment_id = deployments.id AND revisions.number = deployments.revision_number
    WHERE deployments.project_id = $1
      AND deployments.id = $2
"""


async def lock_current(connection: Connection, project_id: UUID, deployment_id: UUID) -> Current:
    """The current revision, which stays current until the end of the transaction. Raises DeploymentNotFound.

    Two statements, because the one that waited for a lock still joins with the revisions as they were before it waited.
    """
    await connection.execute(LOCK_DEPLOYMENT, project_id, deployment_id)
    row = await connection.fetchrow(FIND_CURRENT, project_id, deployment_id)
    if row is None:
        raise DeploymentNotFound(deployment_id)
    return Current(row["number"], row["version_id"], decode_settings(row["settings"]))


MAKE_CURRENT: Final[LiteralString] = """
    UPDATE deployments
    SET revision_number = $3, updated_at = now()
    WHERE project_id = $1
      AND id = $2
"""


async def make_current(connection: Connection, project_id: UUID, deployment_id: UUID, number: int) -> None:
    """Point a deployment at one of its revisions."""
    await connection.execute(MAKE_CURRENT, project_id, deployment_id, number)


DELETE_DEPLOYMENT: Final[LiteralString] = """
    DELETE FROM deployments
    WHERE project_id = $1
      AND id = $2
"""


async def delete_deployment(connection: Connection, project_id: UUID, deployment_id: UUID) -> None:
    """Delete a deployment with its history. Raises DeploymentNotFound."""
    if await connection.execute(DELETE_DEPLOYMENT, project_id, deployment_id) != "DELETE 1":
        raise DeploymentNotFound(deployment_id)


LIST_DEPLOYMENTS: Final[LiteralString] = """
    SELECT
        deployments.id, deployments.project_id, deployments.name, deployments.created_at, deployments.updated_at,
        revisions.id AS revision_id, revisions.number, revisions.created_at AS revised_at,
        revisions.settings::text,
        version_documents.document
    FROM deployments
    JOIN revisions ON revisions.deployment_id = deployments.id AND revisions.number = deployments.revision_number
    JOIN version_documents ON version_documents.id = revisions.version_id
    WHERE deployments.project_id = $1
      AND ($2::uuid IS NULL OR deployments.id = $2)
      AND ($3::uuid IS NULL OR deployments.id < $3)
    ORDER BY deployments.id DESC
    LIMIT $4
"""


async def list_deployments(connection: Connection, project_id: UUID, before: UUID | None, limit: int) -> list[Placed]:
    """Newest first (ids are UUIDv7, so their order is that of creation)."""
    return [_placed(row) for row in await connection.fetch(LIST_DEPLOYMENTS, project_id, None, before, limit)]


async def find_deployment(connection: Connection, project_id: UUID, deployment_id: UUID) -> Placed:
    """Raises DeploymentNotFound."""
    row = await connection.fetchrow(LIST_DEPLOYMENTS, project_id, deployment_id, None, 1)
    if row is None:
        raise DeploymentNotFound(deployment_id)
    return _placed(row)


FIND_NAME: Final[LiteralString] = """
    SELECT name
    FROM deployments
    WHERE project_id = $1
      AND id = $2
"""


async def find_name(connection: Connection, project_id: UUID, deployment_id: UUID) -> str:
    """What applications call the deployment. Raises DeploymentNotFound."""
    name = await connection.fetchval(FIND_NAME, project_id, deployment_id)
    if name is None:
        raise DeploymentNotFound(deployment_id)
    return name


LIST_REVISIONS: Final[LiteralString] = """
    SELECT
        revisions.id AS revision_id, revisions.number, revisions.created_at AS revised_at,
        revisions.settings::text,
        version_documents.document
    FROM deployments
    JOIN revisions ON revisions.deployment_id = deployments.id
    JOIN version_documents ON version_documents.id = revisions.version_id
    WHERE deployments.project_id = $1
      AND deployments.id = $2
      AND ($3::uuid IS NULL OR revisions.number < (SELECT number FROM revisions WHERE id = $3 AND deployment_id = $2))
    ORDER BY revisions.number DESC
    LIMIT $4
"""


async def list_revisions(
    connection: Connection, project_id: UUID, deployment_id: UUID, before: UUID | None, limit: int
) -> list[Revision]:
    """Newest first. A deployment that is not the project's has none."""
    rows = await connection.fetch(LIST_REVISIONS, project_id, deployment_id, before, limit)
    return [_revision(row) for row in rows]


def _placed(row: Record) -> Placed:
    return Placed(row["id"], row["project_id"], row["name"], row["created_at"], row["updated_at"], _revision(row))


def _revision(row: Record) -> Revision:
    return Revision(
        id=row["revision_id"],
        number=row["number"],
        created_at=row["revised_at"],
        settings=decode_settings(row["settings"]),
        model_version=decode_version(row["document"]),
    )


def decode_settings(document: str) -> RevisionSettings:
    """A revision's settings from their column's text."""
    return msgspec.json.decode(document, type=RevisionSettings)
