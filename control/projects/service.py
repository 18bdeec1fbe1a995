"""Changes to projects, each written down in the audit log, and what becomes of one that was deleted."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from contracts.errors import Conflict
from contracts.routes import KeyLimits
from control.access import Tenant
from control.audit.recording import Target, Who, record
from control.batch_jobs.progress import cancel_all
from control.database import Connection
from control.identity.permissions import Role
from control.keys.queries import insert_key
from control.keys.secrets import console_key
from control.projects import members, queries
from control.projects.schemas import NewProject, Project, ProjectMember, ProjectRole
from control.routing.queries import bump_routes
from control.slugs import candidate_slugs

Value = TypeVar("Value")


async def create_project(connection: Connection, who: Who, new: NewProject, secret: str) -> UUID:
    """Make a project with its hidden console key; the answer is its id. Raises ProjectNameTaken."""
    for slug in candidate_slugs(new.name, "project"):
        project_id = await queries.insert_project(connection, who.organization_id, slug, new)
        if project_id is not None:
            key = console_key(secret, project_id)
            await insert_key(connection, project_id, "console", key, "console", ["infer"], None, None, KeyLimits())
            await bump_routes(connection)
            await record(connection, who, "project.create", Target(project_id, new.name), after=new)
            return project_id
    raise Conflict(f"no free slug for a project named {new.name!r}; try again")


async def create_for(connection: Connection, who: Who, role: Role, new: NewProject, secret: str) -> UUID:
    """Make a project whose administrator is its creator, if `role` does not make them every project's."""
    project_id = await create_project(connection, who, new, secret)
    if who.user_id is not None and role not in ("admin", "owner"):
        await members.set_role(connection, who.organization_id, project_id, who.user_id, "admin")
    return project_id


async def change(
    connection: Connection,
    who: Who,
    tenant: Tenant,
    action: str,
    query: Callable[[Connection, UUID, UUID, Value], Awaitable[None]],
    value: Value,
) -> Project:
    """Let `query` set `value` in the project, and write it down as `action`; the answer is the project after it."""
    before = await find(connection, tenant)
    await query(connection, tenant.organization_id, tenant.project_id, value)
    after = await find(connection, tenant)
    await record(connection, who, action, Target(after.id, after.name), before=before, after=after)
    return after


async def find(connection: Connection, tenant: Tenant) -> Project:
    """The project as the caller sees it."""
    return await queries.find_project(connection, tenant.organization_id, tenant.user_id, tenant.project_id)


async def delete_project(connection: Connection, who: Who, tenant: Tenant) -> None:
    """Hide a project from everybody, gateways included, and stop its batch jobs."""
    before = await find(connection, tenant)
    await queries.delete_project(connection, tenant.organization_id, tenant.project_id)
    await cancel_all(connection, tenant.project_id)
    await bump_routes(connection)
    await record(connection, who, "project.delete", Target(before.id, before.name), before=before)


async def restore_project(connection: Connection, who: Who, tenant: Tenant) -> Project:
    """Undo a deletion; batch jobs stay stopped. Raises ProjectNameTaken if another project has the name by now."""
    await queries.restore_project(connection, tenant.organization_id, tenant.project_id)
    await bump_routes(connection)
    after = await find(connection, tenant)
    await record(connection, who, "project.restore", Target(after.id, after.name), after=after)
    return after


async def set_role(connection: Connection, who: Who, tenant: Tenant, user_id: UUID, role: ProjectRole) -> ProjectMember:
    """Give a member of the organization a role in the project. Raises PersonNotFound or RoleFixed."""
    await members.set_role(connection, tenant.organization_id, tenant.project_id, user_id, role)
    member = await members.find_member(connection, tenant.organization_id, tenant.project_id, user_id)
    await record(connection, who, "project.set_role", Target(user_id, member.email or member.name), after=member)
    return member


async def remove_role(connection: Connection, who: Who, tenant: Tenant, user_id: UUID) -> None:
    """Take back what was given: the role in the organization holds again. Raises PersonNotFound if nothing was given."""
    role = await members.remove_role(connection, tenant.project_id, user_id)
    await record(connection, who, "project.remove_role", Target(user_id, ""), before={"project_role": role})
