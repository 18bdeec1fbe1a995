"""Organization routes."""

from typing import Final
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from control.injected import AcrossTenants, Connection, Member, Origin, Principal, Settings, Who
from control.members import service as members
from control.organizations import deleting, queries, service
from control.organizations import settings as organization_settings
from control.organizations.schemas import (
    DeletedOrganizations,
    NewOrganization,
    NewOwner,
    Organization,
    OrganizationPatch,
    OrganizationSettings,
    SettingsPatch,
    Usage,
)

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


@delete(ORGANIZATION, operation_id="deleteOrganization", tags=["Organizations"], permission="organization:delete")
async def delete_organization(member: Member, connection: Connection, who: Who) -> None:
    """Delete an organization with all that is in it. Nobody finds it from now on; its owners can restore it for seven days."""
    await deleting.delete(connection, who, member.user_id)


@get("/me/deleted-organizations", operation_id="listDeletedOrganizations", tags=["Organizations"], permission="account")
async def list_deleted_organizations(principal: Principal, across_tenants: AcrossTenants) -> DeletedOrganizations:
    """The deleted organizations that the caller owns."""
    return DeletedOrganizations(await deleting.list_deleted(across_tenants, principal.user_id))


@post(
    "/me/deleted-organizations/{deleted_id:uuid}/restore",
    operation_id="restoreOrganization",
    tags=["Organizations"],
    permission="account",
    status_code=HTTP_200_OK,
)
async def restore_organization(
    deleted_id: FromPath[UUID], principal: Principal, across_tenants: AcrossTenants, origin: Origin
) -> Organization:
    """Undo a deletion, as one of the owners. Batch jobs stay stopped and invitations taken back."""
    return await deleting.restore(across_tenants, deleted_id, principal.user_id, origin)


@post(
    f"{ORGANIZATION}/transfer",
    operation_id="transferOrganization",
    tags=["Organizations"],
    permission="organization:delete",
    status_code=HTTP_200_OK,
)
async def transfer_organization(data: JSONBody[NewOwner], member: Member, connection: Connection, who: Who) -> Organization:
    """Hand the organization over: a member becomes its owner, and the caller an admin."""
    await members.hand_over(connection, who, member.user_id, data.user_id)
    return await queries.find_organization(connection, member.organization_id, member.user_id)


@get(f"{ORGANIZATION}/settings", operation_id="getOrganizationSettings", tags=["Organizations"], permission="organization:write")
async def get_settings(member: Member, connection: Connection, settings: Settings) -> OrganizationSettings:
    """What the organization has decided for itself."""
    return await organization_settings.read_settings(connection, member.organization_id, settings.secret)


@patch(
    f"{ORGANIZATION}/settings",
    operation_id="changeOrganizationSettings",
    tags=["Organizations"],
    permission="organization:write",
)
async def change_settings(
    data: JSONBody[SettingsPatch], member: Member, connection: Connection, who: Who, settings: Settings
) -> OrganizationSettings:
    """Change some of it; what is absent stays."""
    name = (await queries.find_organization(connection, member.organization_id, member.user_id)).name
    return await organization_settings.change_settings(connection, who, name, data, settings.secret)


@get(f"{ORGANIZATION}/usage", operation_id="getUsage", tags=["Organizations"], permission="usage:read")
async def get_usage(member: Member, connection: Connection) -> Usage:
    """How much the organization holds."""
    return await queries.find_usage(connection, member.organization_id)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    create_organization,
    get_organization,
    update_organization,
    delete_organization,
    list_deleted_organizations,
    restore_organization,
    transfer_organization,
    get_settings,
    change_settings,
    get_usage,
]
