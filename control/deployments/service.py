"""Deploying: every change of a deployment is a new revision, and gateways hear of it with the commit."""

from uuid import UUID

from msgspec import UNSET

from control.audit.recording import Target, Who, record
from control.database import Connection
from control.deployments import queries, settings
from control.deployments.queries import Current
from control.deployments.schemas import DeploymentPatch, NewDeployment
from control.routing.queries import bump_routes


async def create_deployment(connection: Connection, project_id: UUID, who: Who, new: NewDeployment) -> UUID:
    """Make a deployment with its revision 1. Raises DeploymentNameTaken, VersionNotFound or SettingsContradict."""
    settings.check(new.settings)
    deployment_id = await queries.insert_deployment(connection, project_id, new.name)
    first = Current(1, new.model_version_id, new.settings)
    await queries.insert_revision(connection, project_id, deployment_id, who.user_id, first)
    await bump_routes(connection)
    await record(connection, who, "deployment.create", Target(deployment_id, new.name), after=first)
    return deployment_id


async def revise_deployment(
    connection: Connection, project_id: UUID, deployment_id: UUID, who: Who, change: DeploymentPatch
) -> None:
    """Make the next revision of a deployment and put it in place.

    Raises DeploymentNotFound, VersionNotFound or SettingsContradict.
    """
    current = await queries.lock_current(connection, project_id, deployment_id)
    name = await queries.find_name(connection, project_id, deployment_id)
    version_id = current.version_id if change.model_version_id is UNSET else change.model_version_id
    wanted = current.settings if change.settings is UNSET else change.settings
    settings.check(wanted)
    revision = Current(current.number + 1, version_id, wanted)
    await queries.insert_revision(connection, project_id, deployment_id, who.user_id, revision)
    await queries.make_current(connection, project_id, deployment_id, revision.number)
    await bump_routes(connection)
    await record(connection, who, "deployment.update", Target(deployment_id, name), current, revision)


async def delete_deployment(connection: Connection, project_id: UUID, deployment_id: UUID, who: Who) -> None:
    """Take a deployment out of service, with its history. Raises DeploymentNotFound."""
    gone = await queries.lock_current(connection, project_id, deployment_id)
    name = await queries.find_name(connection, project_id, deployment_id)
    await queries.delete_deployment(connection, project_id, deployment_id)
    await bump_routes(connection)
    await record(connection, who, "deployment.delete", Target(deployment_id, name), before=gone)
