"""Project routes."""

from typing import Annotated, Final
from uuid import UUID

from litestar import delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import AcrossTenants, Connection, Member, Principal, Settings, Tenant, Who
from control.projects import members, queries, service
from control.projects.queries import Search
from control.projects.schemas import (
    NewProject,
    NewProjectRole,
    Project,
    ProjectMember,
    ProjectMemberPage,
    ProjectPage,
    ProjectPatch,
    ProjectVisibility,
    State,
    Tag,
)

Slug = Annotated[str, QueryParameter(max_length=64)]
Text = Annotated[str, QueryParameter(max_length=200, description="Words that name, description or tags must hold or begin with.")]
TagFilter = Annotated[list[Tag] | None, QueryParameter(name="tag", max_items=20, description="Tags a project must have.")]
StateFilter = Annotated[
    State, QueryParameter(name="state", description="`deleted`: what can still be restored, for administrators.")
]


@get("/organizations/{organization_id:uuid}/projects", operation_id="listProjects", tags=["Projects"], permission="projects:read")
async def list_projects(
    member: Member,
    connection: Connection,
    q: Text = "",
    tag: TagFilter = None,
    kept: StateFilter = "active",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ProjectPage:
    """Those projects of an organization that the caller may see, newest first."""
    search = Search(member.organization_id, member.user_id, kept, tag or [], q.strip())
    items = await queries.list_projects(connection, search, cursor, limit + 1)
    return ProjectPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post(
    "/organizations/{organization_id:uuid}/projects",
    operation_id="createProject",
    tags=["Projects"],
    permission="projects:create",
)
async def create_project(
    data: JSONBody[NewProject], member: Member, who: Who, connection: Connection, settings: Settings
) -> Project:
    """Create a project in an organization; who does becomes its administrator."""
    project_id = await service.create_for(connection, who, member.role, data, settings.secret)
    return await queries.find_project(connection, member.organization_id, member.user_id, project_id)


@get("/projects/{project_id:uuid}", operation_id="getProject", tags=["Projects"], permission="projects:read")
async def get_project(tenant: Tenant, connection: Connection) -> Project:
    """One project."""
    return await service.find(connection, tenant)


@get("/lookup", operation_id="lookUpProject", tags=["Projects"], permission="account")
async def look_up_project(organization: Slug, project: Slug, principal: Principal, across_tenants: AcrossTenants) -> Project:
    """Find a project by the slugs that stand in the console's addresses."""
    return await queries.look_up_project(across_tenants, principal.user_id, organization, project)


@patch("/projects/{project_id:uuid}", operation_id="updateProject", tags=["Projects"], permission="projects:write")
async def update_project(data: JSONBody[ProjectPatch], tenant: Tenant, who: Who, connection: Connection) -> Project:
    """Change a project's name, description or tags. Its slug stays, and with it every address."""
    return await service.change(connection, who, tenant, "project.update", queries.update_project, data)


@put(
    "/projects/{project_id:uuid}/visibility", operation_id="setProjectVisibility", tags=["Projects"], permission="projects:share"
)
async def set_visibility(data: JSONBody[ProjectVisibility], tenant: Tenant, who: Who, connection: Connection) -> Project:
    """Show a project to its whole organization, or to its own members and the organization's administrators alone."""
    return await service.change(connection, who, tenant, "project.visibility", queries.set_visibility, data.visibility)


@post(
    "/projects/{project_id:uuid}/archive",
    operation_id="archiveProject",
    tags=["Projects"],
    permission="projects:delete",
    in_archived=True,
    status_code=200,
)
async def archive_project(tenant: Tenant, who: Who, connection: Connection) -> Project:
    """Put a project into the archive: it can only be read, and what is deployed goes on serving."""
    return await service.change(connection, who, tenant, "project.archive", queries.set_archived, True)


@post(
    "/projects/{project_id:uuid}/unarchive",
    operation_id="unarchiveProject",
    tags=["Projects"],
    permission="projects:delete",
    in_archived=True,
    status_code=200,
)
async def unarchive_project(tenant: Tenant, who: Who, connection: Connection) -> Project:
    """Take a project out of the archive."""
    return await service.change(connection, who, tenant, "project.unarchive", queries.set_archived, False)


@delete(
    "/projects/{project_id:uuid}",
    operation_id="deleteProject",
    tags=["Projects"],
    permission="projects:delete",
    in_archived=True,
)
async def delete_project(tenant: Tenant, who: Who, connection: Connection) -> None:
    """Delete a project: gateways stop serving it within moments. It can be restored for seven days, then its data is removed."""
    await service.delete_project(connection, who, tenant)


@post(
    "/projects/{project_id:uuid}/restore",
    operation_id="restoreProject",
    tags=["Projects"],
    permission="projects:delete",
    in_archived=True,
    in_deleted=True,
    status_code=200,
)
async def restore_project(tenant: Tenant, who: Who, connection: Connection) -> Project:
    """Undo the deletion of a project: it is served again within moments."""
    return await service.restore_project(connection, who, tenant)


@get("/projects/{project_id:uuid}/members", operation_id="listProjectMembers", tags=["Projects"], permission="members:read")
async def list_members(
    tenant: Tenant, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> ProjectMemberPage:
    """Everybody who sees the project, with the role that counts in it."""
    items = await members.list_members(connection, tenant.organization_id, tenant.project_id, cursor, limit + 1)
    return ProjectMemberPage(items[:limit], items[limit - 1].user_id if len(items) > limit else None)


@put(
    "/projects/{project_id:uuid}/members/{user_id:uuid}",
    operation_id="setProjectMember",
    tags=["Projects"],
    permission="projects:share",
)
async def set_member(
    user_id: FromPath[UUID], data: JSONBody[NewProjectRole], tenant: Tenant, who: Who, connection: Connection
) -> ProjectMember:
    """Give a member of the organization a role in this project: more than they have in the organization, or less."""
    return await service.set_role(connection, who, tenant, user_id, data.role)


@delete(
    "/projects/{project_id:uuid}/members/{user_id:uuid}",
    operation_id="removeProjectMember",
    tags=["Projects"],
    permission="projects:share",
)
async def remove_member(user_id: FromPath[UUID], tenant: Tenant, who: Who, connection: Connection) -> None:
    """Take a role in this project back; the person's role in the organization holds again."""
    await service.remove_role(connection, who, tenant, user_id)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    list_projects,
    create_project,
    get_project,
    look_up_project,
    update_project,
    set_visibility,
    archive_project,
    unarchive_project,
    delete_project,
    restore_project,
    list_members,
    set_member,
    remove_member,
]
