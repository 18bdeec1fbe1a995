"""Organization routes."""

from typing import Final

from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from control.injected import AcrossTenants, Connection, Member, Origin, Principal, Who
from control.organizations import queries, service
from control.organizations.schemas import NewOrganization, Organization, OrganizationPatch, Usage

ORGANIZATION: Final = "/organizations/{organization_id:uuid}"


@post("/organizations", operation_id="createOrganization", tags=["Organizations"], permission="account")
async def create_organization(
    data: JSONBody[NewOrganization], principal: Principal, across_tenants: AcrossTenants, origin: Origin
) -> Organization:
    """Found an organization, which the caller owns."""
    organization_id = await service.found(across_tenants, data.name, principal.user_id, origin)
    return await queries.find_organization(across_tenants, organization_id, principal.user_id)


@get(ORGANIZATION, operation_id="getOrganization", tags=["Organizations"], permission="organization:read")
async def get_organization(member: Member, connection: Connection) -> Organization:
    """One organization."""
    return await queries.find_organization(connection, member.organization_id, member.user_id)


@patch(ORGANIZATION, operation_id="updateOrganization", tags=["Organizations"], permission="organization:write")
async def update_organization(
    data: JSONBody[OrganizationPatch], member: Member, connection: Connection, who: Who
) -> Organization:
    """Rename an organization, or move it to another address."""
    return await service.update(connection, who, member.user_id, data)


@get(f"{ORGANIZATION}/usage", operation_id="getUsage", tags=["Organizations"], permission="organization:read")
async def get_usage(member: Member, connection: Connection) -> Usage:
    """How much the organization holds."""
    return await queries.find_usage(connection, member.organization_id)


HANDLERS: Final[list[HTTPRouteHandler]] = [create_organization, get_organization, update_organization, get_usage]
