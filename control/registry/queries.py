"""Models and versions in Postgres. The view `version_documents` holds each version as the API shows it."""

from typing import Final, LiteralString
from uuid import UUID

import asyncpg
import msgspec
from asyncpg import Record

from contracts.signature import Inspection
from control.database import Connection
from control.registry.errors import ModelInUse, ModelNameTaken, ModelNotFound, ModelRefused, VersionExists, VersionNotFound
from control.registry.schemas import DeployedVersion, Model, ModelVersion

INSERT_MODEL: Final[LiteralString] = """
    INSERT INTO models (project_id, name, description)
    VALUES ($1, $2, $3)
    RETURNING id
"""


async def insert_model(connection: Connection, project_id: UUID, name: str, description: str) -> UUID:
    """The new model's id. Raises ModelNameTaken."""
    try:
        return await connection.fetchval(INSERT_MODEL, project_id, name, description)
    except asyncpg.UniqueViolationError as error:
        raise ModelNameTaken(name) from error


LIST_MODELS: Final[LiteralString] = """
    SELECT
        models.id, models.project_id, models.name, models.description, models.created_at, models.versions,
        (
            SELECT document
            FROM version_documents
            WHERE version_documents.model_id = models.id
            ORDER BY version_documents.number DESC
            LIMIT 1
        ) AS latest_version,
        (
            SELECT jsonb_agg(
                jsonb_build_object('id', deployments.id, 'name', deployments.name, 'version', model_versions.number)
                ORDER BY deployments.name
            )
            FROM model_versions
            JOIN revisions ON revisions.version_id = model_versions.id
            JOIN deployments ON deployments.id = revisions.deployment_id
                AND deployments.revision_number = revisions.number
            WHERE model_versions.model_id = models.id
        ) AS deployments
    FROM models
    WHERE models.project_id = $1
      AND ($2::uuid IS NULL OR models.id = $2)
      AND ($3::uuid IS NULL OR models.id < $3)
    ORDER BY models.id DESC
    LIMIT $4
"""


async def list_models(connection: Connection, project_id: UUID, before: UUID | None, limit: int) -> list[Model]:
    """Newest first (ids are UUIDv7, so their order is that of creation)."""
    return [_model(row) for row in await connection.fetch(LIST_MODELS, project_id, None, before, limit)]


async def find_model(connection: Connection, project_id: UUID, model_id: UUID) -> Model:
    """Raises ModelNotFound."""
    row = await connection.fetchrow(LIST_MODELS, project_id, model_id, None, 1)
    if row is None:
        raise ModelNotFound(model_id)
    return _model(row)


CHECK_MODEL: Final[LiteralString] = """
    SELECT id
    FROM models
    WHERE project_id = $1
      AND id = $2
"""


async def check_model(connection: Connection, project_id: UUID, model_id: UUID) -> None:
    """Raises ModelNotFound."""
    if await connection.fetchval(CHECK_MODEL, project_id, model_id) is None:
        raise ModelNotFound(model_id)


NAME_HOLDERS: Final[LiteralString] = """
    SELECT DISTINCT deployments.name
    FROM models
    JOIN model_versions ON model_versions.model_id = models.id
    JOIN revisions ON revisions.version_id = model_versions.id
    JOIN deployments ON deployments.id = revisions.deployment_id
    WHERE models.project_id = $1
      AND models.id = $2
    ORDER BY deployments.name
    LIMIT 10
"""
LIST_DIGESTS: Final[LiteralString] = """
    SELECT model_versions.digest
    FROM models
    JOIN model_versions ON model_versions.model_id = models.id
    WHERE models.project_id = $1
      AND models.id = $2
"""
DELETE_MODEL: Final[LiteralString] = """
    DELETE FROM models
    WHERE project_id = $1
      AND id = $2
"""


async def delete_model(connection: Connection, project_id: UUID, model_id: UUID) -> list[str]:
    """Delete a model with its versions; the answer is the digests of their files.

    Raises ModelNotFound, or ModelInUse while a deployment holds one of the versions, now or in its history.
    """
    if holders := await connection.fetch(NAME_HOLDERS, project_id, model_id):
        raise ModelInUse([it["name"] for it in holders])
    digests = [it["digest"] for it in await connection.fetch(LIST_DIGESTS, project_id, model_id)]
    try:
        outcome = await connection.execute(DELETE_MODEL, project_id, model_id)
    except asyncpg.ForeignKeyViolationError as error:
        raise ModelInUse([]) from error
    if outcome != "DELETE 1":
        raise ModelNotFound(model_id)
    return digests


LIST_VERSIONS: Final[LiteralString] = """
    SELECT document
    FROM version_documents
    WHERE project_id = $1
      AND model_id = $2
      AND ($3::uuid IS NULL OR number < (SELECT number FROM model_versions WHERE id = $3 AND model_id = $2))
    ORDER BY number DESC
    LIMIT $4
"""


async def list_versions(
    connection: Connection, project_id: UUID, model_id: UUID, before: UUID | None, limit: int
) -> list[ModelVersion]:
    """Newest first. A model that is not the project's has none."""
    rows = await connection.fetch(LIST_VERSIONS, project_id, model_id, before, limit)
    return [decode_version(row["document"]) for row in rows]


FIND_VERSION: Final[LiteralString] = """
    SELECT document
    FROM version_documents
    WHERE project_id = $1
      AND model_id = $2
      AND number = $3
"""


async def find_version(connection: Connection, project_id: UUID, model_id: UUID, number: int) -> ModelVersion:
    """Raises VersionNotFound."""
    document = await connection.fetchval(FIND_VERSION, project_id, model_id, number)
    if document is None:
        raise VersionNotFound(f"no version {number} of model {model_id} in this project")
    return decode_version(document)


FIND_TWIN: Final[LiteralString] = """
    SELECT model_versions.number
    FROM model_versions
    JOIN models ON models.id = model_versions.model_id
    WHERE models.project_id = $1
      AND models.id = $2
      AND model_versions.digest = $3
"""


async def refuse_twin(connection: Connection, project_id: UUID, model_id: UUID, digest: str) -> None:
    """Raises VersionExists if the model has this very file already."""
    number = await connection.fetchval(FIND_TWIN, project_id, model_id, digest)
    if number is not None:
        raise VersionExists(number)


NEXT_NUMBER: Final[LiteralString] = """
    UPDATE models
    SET versions = versions + 1
    WHERE project_id = $1
      AND id = $2
    RETURNING versions
"""
INSERT_VERSION: Final[LiteralString] = """
    INSERT INTO model_versions (model_id, number, file_name, digest, size_bytes, inspection, created_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def insert_version(
    connection: Connection,
    project_id: UUID,
    model_id: UUID,
    file_name: str,
    digest: str,
    inspection: Inspection,
    created_by: UUID | None,
) -> int:
    """The new version's number: its model's row stays locked, so numbers have no gaps and no twins.

    Raises ModelNotFound if the model was deleted meanwhile, VersionExists if the same file came in meanwhile.
    """
    number = await connection.fetchval(NEXT_NUMBER, project_id, model_id)
    if number is None:
        raise ModelNotFound(model_id)
    await refuse_twin(connection, project_id, model_id, digest)
    found = msgspec.json.encode(inspection).decode()
    try:
        await connection.execute(INSERT_VERSION, model_id, number, file_name, digest, inspection.size_bytes, found, created_by)
    except asyncpg.UntranslatableCharacterError as error:
        raise ModelRefused("a name or a metadata value in the file contains the character U+0000") from error
    return number


def decode_version(document: str) -> ModelVersion:
    """A version from the `document` of the view."""
    return msgspec.json.decode(document, type=ModelVersion)


def _model(row: Record) -> Model:
    latest, deployments = row["latest_version"], row["deployments"]
    return Model(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        description=row["description"],
        created_at=row["created_at"],
        versions=row["versions"],
        latest_version=decode_version(latest) if latest else None,
        deployments=msgspec.json.decode(deployments, type=list[DeployedVersion]) if deployments else [],
    )
