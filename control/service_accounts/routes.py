"""Service account routes."""

from typing import Final
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import Connection, Member, Who
from control.service_accounts import queries, service
from control.service_accounts.schemas import NewServiceAccount, ServiceAccount, ServiceAccountPage, ServiceAccountPatch

SERVICE_ACCOUNTS: Final = "/organizations/{organization_id:uuid}/service-accounts"
SERVICE_ACCOUNT: Final = f"{SERVICE_ACCOUNTS}/{{id:uuid}}"


@get(SERVICE_ACCOUNTS, operation_id="listServiceAccounts", tags=["Members"], permission="members:read")
async def list_service_accounts(
    member: Member, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> ServiceAccountPage:
    """The machines of an organization, which act through API keys; `listMembers` has its people."""
    items = await queries.list_service_accounts(connection, member.organization_id, cursor, limit + 1)
    return ServiceAccountPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post(SERVICE_ACCOUNTS, operation_id="createServiceAccount", tags=["Members"], permission="members:write")
async def create_service_account(
    data: JSONBody[NewServiceAccount], member: Member, connection: Connection, who: Who
) -> ServiceAccount:
    """Make an account for a machine. It belongs to the organization and stays when you leave; create keys for it next."""
    return await service.create(connection, who, data)


@patch(SERVICE_ACCOUNT, operation_id="updateServiceAccount", tags=["Members"], permission="members:write")
async def update_service_account(
    id: FromPath[UUID], data: JSONBody[ServiceAccountPatch], member: Member, connection: Connection, who: Who
) -> ServiceAccount:
    """Rename a service account, give it another role, disable or enable it: all hold within moments."""
    return await service.update(connection, who, id, data)


@delete(SERVICE_ACCOUNT, operation_id="deleteServiceAccount", tags=["Members"], permission="members:write")
async def delete_service_account(id: FromPath[UUID], member: Member, connection: Connection, who: Who) -> None:
    """Delete a service account. Its keys are revoked: gateways refuse them within moments."""
    await service.delete(connection, who, id)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    list_service_accounts,
    create_service_account,
    update_service_account,
    delete_service_account,
]
