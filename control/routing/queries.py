"""The route table as Postgres has it, and its version."""

from typing import Final, LiteralString

import msgspec

from contracts.routes import Artifact, Deployment, Key, KeyLimits, Revision, RevisionSettings, RouteTable
from control.database import Connection

ROUTES_CHANGED: Final = "headrace_routes"
"""The channel on which a commit that bumped the version is announced."""

BUMP_ROUTES: Final[LiteralString] = """
    WITH bumped AS (
        UPDATE route_version
        SET version = greatest(version + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
        RETURNING version
    )
    SELECT pg_notify('headrace_routes', version::text)
    FROM bumped
"""


async def bump_routes(connection: Connection) -> None:
    """Say, in the transaction that changes it, that what gateways serve from has changed.

    The version's row stays locked until the commit, so versions become visible in their order. They are microseconds since the
    epoch, so that a rebuilt database goes on above the versions gateways have seen.
    """
    await connection.execute(BUMP_ROUTES)


FIND_ROUTE_VERSION: Final[LiteralString] = """
    SELECT version
    FROM route_version
"""


async def find_route_version(connection: Connection) -> int:
    """The version that everything committed so far amounts to."""
    return await connection.fetchval(FIND_ROUTE_VERSION)


READ_ONE_MOMENT: Final[LiteralString] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

LIST_ROUTED_DEPLOYMENTS: Final[LiteralString] = """
    SELECT
        deployments.id AS deployment_id, deployments.name, deployments.project_id, projects.organization_id,
        projects.slug AS project_slug, organizations.slug AS organization_slug,
        revisions.id AS revision_id, revisions.settings::text,
        model_versions.id AS version_id, model_versions.number, model_versions.digest, model_versions.size_bytes,
        models.name AS model_name
    FROM deployments
    JOIN projects ON projects.id = deployments.project_id
    JOIN organizations ON organizations.id = projects.organization_id
    JOIN revisions ON revisions.deployment_id = deployments.id AND revisions.number = deployments.revision_number
    JOIN model_versions ON model_versions.id = revisions.version_id
    JOIN models ON models.id = model_versions.model_id
    WHERE projects.deleted_at IS NULL
    ORDER BY deployments.id
"""
LIST_ROUTED_KEYS: Final[LiteralString] = """
    SELECT
        api_keys.key_id, api_keys.id, projects.organization_id, api_keys.project_id, api_keys.secret_sha256, api_keys.scopes,
        api_keys.limits::text, extract(epoch FROM api_keys.expires_at)::float8 AS expires_at,
        api_keys.deployments, api_keys.networks::text[] AS networks,
        api_keys.previous_sha256, extract(epoch FROM api_keys.previous_expires_at)::float8 AS previous_expires_at
    FROM api_keys
    JOIN projects ON projects.id = api_keys.project_id
    LEFT JOIN users AS owners ON owners.id = api_keys.created_by
    WHERE projects.deleted_at IS NULL
      AND owners.disabled_at IS NULL
      AND api_keys.revoked_at IS NULL
      AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())
    ORDER BY api_keys.id
"""


async def read_routes(connection: Connection) -> RouteTable:
    """The whole table as of one moment; must be the first in its transaction."""
    await connection.execute(READ_ONE_MOMENT)
    version = await find_route_version(connection)
    deployments = [
        Deployment(
            deployment_id=row["deployment_id"],
            organization_id=row["organization_id"],
            project_id=row["project_id"],
            name=row["name"],
            revisions=(
                Revision(
                    revision_id=row["revision_id"],
                    version_id=row["version_id"],
                    model_name=row["model_name"],
                    version=row["number"],
                    artifact=Artifact(row["digest"], row["size_bytes"]),
                    settings=msgspec.json.decode(row["settings"], type=RevisionSettings),
                ),
            ),
            organization_slug=row["organization_slug"],
            project_slug=row["project_slug"],
        )
        for row in await connection.fetch(LIST_ROUTED_DEPLOYMENTS)
    ]
    keys = [
        Key(
            key_id=row["key_id"],
            key_uuid=row["id"],
            organization_id=row["organization_id"],
            project_id=row["project_id"],
            secret_sha256=row["secret_sha256"],
            scopes=tuple(row["scopes"]),
            expires_at=row["expires_at"],
            limits=msgspec.json.decode(row["limits"], type=KeyLimits),
            deployments=None if row["deployments"] is None else tuple(row["deployments"]),
            networks=tuple(row["networks"]),
            previous_sha256=row["previous_sha256"],
            previous_expires_at=row["previous_expires_at"],
        )
        for row in await connection.fetch(LIST_ROUTED_KEYS)
    ]
    return RouteTable(version, tuple(deployments), tuple(keys))
