"""Project routes."""

from typing import Annotated, Final

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter

from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import Connection, Member, Principal, Settings, Tenant, Who
from control.projects import queries, service
from control.projects.schemas import NewProject, Project, ProjectPage

Slug = Annotated[str, QueryParameter(max_length=64)]


@get("/organizations/{organization_id:uuid}/projects", operation_id="listProjects", tags=["Projects"], permission="projects:read")
async def list_projects(
    member: Member, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> ProjectPage:
    """An organization's projects, newest first."""
    items = await queries.list_projects(connection, member.organization_id, member.user_id, cursor, limit + 1)
    return ProjectPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post(
    "/organizations/{organization_id:uuid}/projects",
    operation_id="createProject",
    tags=["Projects"],
    permission="projects:create",
)
async def create_project(data: JSONBody[NewProject], who: Who, connection: Connection, settings: Settings) -> Project:
    """Create a project in an organization."""
    project_id = await service.create_project(connection, who, data.name, data.description, settings.secret)
    return await queries.find_project(connection, who.organization_id, project_id)


@get("/projects/{project_id:uuid}", operation_id="getProject", tags=["Projects"], permission="projects:read")
async def get_project(tenant: Tenant, connection: Connection) -> Project:
    """One project."""
    return await queries.find_project(connection, tenant.organization_id, tenant.project_id)


@get("/lookup", operation_id="lookUpProject", tags=["Projects"], permission="account")
async def look_up_project(organization: Slug, project: Slug, principal: Principal, connection: Connection) -> Project:
    """Find a project by the slugs that stand in the console's addresses."""
    return await queries.look_up_project(connection, principal.user_id, organization, project)


HANDLERS: Final[list[HTTPRouteHandler]] = [list_projects, create_project, get_project, look_up_project]
