"""Member routes."""

from typing import Annotated, Final
from uuid import UUID

from litestar import delete, get, patch
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.identity.permissions import LEAST_ROLE, MEANINGS, ROLES, allows
from control.injected import AcrossTenants, Connection, Member, Origin, Principal, Who
from control.members import queries, service
from control.members.schemas import MemberPage, MemberPatch, OrganizationMember, PermissionMeaning, RoleTable

Words = Annotated[str, QueryParameter(max_length=100, description="Part of a name or an e-mail address.")]

MEMBERS: Final = "/organizations/{organization_id:uuid}/members"
MEMBER: Final = f"{MEMBERS}/{{user_id:uuid}}"


@get(MEMBERS, operation_id="listMembers", tags=["Members"], permission="members:read")
async def list_members(
    member: Member, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None, q: Words = ""
) -> MemberPage:
    """The people of an organization."""
    items = await queries.list_members(connection, member.organization_id, cursor, q, limit + 1)
    return MemberPage(items[:limit], items[limit - 1].user_id if len(items) > limit else None)


@patch(MEMBER, operation_id="changeMember", tags=["Members"], permission="members:write")
async def change_member(
    user_id: FromPath[UUID], data: JSONBody[MemberPatch], member: Member, connection: Connection, who: Who
) -> OrganizationMember:
    """Give a member another role; it holds from their next call on. Owners are made and changed by owners, and one stays."""
    return await service.change_role(connection, who, member.user_id, user_id, data.role)


@delete(MEMBER, operation_id="removeMember", tags=["Members"], permission="members:write")
async def remove_member(user_id: FromPath[UUID], member: Member, connection: Connection, who: Who) -> None:
    """Take a person out of the organization and its projects. Keys they made go on predicting, but no longer call this API."""
    await service.remove(connection, who, member.user_id, user_id)


@delete("/me/organizations/{left_id:uuid}", operation_id="leaveOrganization", tags=["Members"], permission="account")
async def leave_organization(
    left_id: FromPath[UUID], principal: Principal, across_tenants: AcrossTenants, origin: Origin
) -> None:
    """Stop being a member. The last owner cannot."""
    await service.leave(across_tenants, left_id, principal.user_id, origin)


@get("/roles", operation_id="listRoles", tags=["Members"], permission="account")
async def list_roles() -> RoleTable:
    """The roles, and which of them may do what; the table that decides it, with a sentence for each permission."""
    permissions = [
        PermissionMeaning(name, MEANINGS[name], [role for role in ROLES if allows(role, name)])
        for name, least in LEAST_ROLE.items()
        if least is not None
    ]
    return RoleTable(list(ROLES), permissions)


HANDLERS: Final[list[HTTPRouteHandler]] = [list_members, change_member, remove_member, leave_organization, list_roles]
