"""Deploying: every change of a deployment is a new revision, and gateways hear of it with the commit."""

from uuid import UUID

from msgspec import UNSET

from control.database import Connection
from control.deployments import queries, settings
from control.deployments.queries import Current
from control.deployments.schemas import DeploymentPatch, NewDeployment
from control.routing.queries import bump_routes


async def create_deployment(connection: Connection, project_id: UUID, created_by: UUID, new: NewDeployment) -> UUID:
    """Make a deployment with its revision 1. Raises DeploymentNameTaken, VersionNotFound or SettingsContradict."""
    settings.check(new.settings)
    deployment_id = await queries.insert_deployment(connection, project_id, new.name)
    first = Current(1, new.model_version_id, new.settings)
    await queries.insert_revision(connection, project_id, deployment_id, created_by, first)
    await bump_routes(connection)
    return deployment_id


async def revise_deployment(
    connection: Connection, project_id: UUID, deployment_id: UUID, created_by: UUID, change: DeploymentPatch
) -> None:
    """Make the next revision of a deployment and put it in place.

    Raises DeploymentNotFound, VersionNotFound or SettingsContradict.
    """
    current = await queries.lock_current(connection, project_id, deployment_id)
    version_id = current.version_id if change.model_version_id is UNSET else change.model_version_id
    wanted = current.settings if change.settings is UNSET else change.settings
    settings.check(wanted)
    revision = Current(current.number + 1, version_id, wanted)
    await queries.insert_revision(connection, project_id, deployment_id, created_by, revision)
    await queries.make_current(connection, project_id, deployment_id, revision.number)
    await bump_routes(connection)


async def delete_deployment(connection: Connection, project_id: UUID, deployment_id: UUID) -> None:
    """Take a deployment out of service, with its history. Raises DeploymentNotFound."""
    await queries.delete_deployment(connection, project_id, deployment_id)
    await bump_routes(connection)
