"""Making, changing and deleting service accounts; gateways hear of what touches their keys."""

from typing import Final
from uuid import UUID

from msgspec import UNSET

from control.audit.recording import Target, Who, record
from control.database import Connection
from control.members.queries import lock_organization
from control.organizations.queries import insert_member
from control.routing.queries import bump_routes
from control.service_accounts import queries
from control.service_accounts.errors import TooManyServiceAccounts
from control.service_accounts.schemas import NewServiceAccount, ServiceAccount, ServiceAccountPatch

MOST: Final = 1_000
"""Of one organization."""


async def create(connection: Connection, who: Who, new: NewServiceAccount) -> ServiceAccount:
    """Raises ServiceAccountNameTaken or TooManyServiceAccounts."""
    await lock_organization(connection, who.organization_id)
    if await queries.count_service_accounts(connection, who.organization_id) >= MOST:
        raise TooManyServiceAccounts(MOST)
    id = await queries.insert_service_account(connection, who.organization_id, new.name)
    await insert_member(connection, who.organization_id, id, new.role)
    made = await queries.find_service_account(connection, who.organization_id, id)
    await record(connection, who, "service_account.create", Target(id, made.name), after=made)
    return made


async def update(connection: Connection, who: Who, id: UUID, patch: ServiceAccountPatch) -> ServiceAccount:
    """Raises ServiceAccountNotFound or ServiceAccountNameTaken."""
    await lock_organization(connection, who.organization_id)
    before = await queries.find_service_account(connection, who.organization_id, id)
    name = before.name if patch.name is UNSET else patch.name
    role = before.role if patch.role is UNSET else patch.role
    was_disabled = before.disabled_at is not None
    is_disabled = was_disabled if patch.is_disabled is UNSET else patch.is_disabled
    await queries.update_service_account(connection, who.organization_id, id, name, role, is_disabled)
    after = await queries.find_service_account(connection, who.organization_id, id)
    if is_disabled != was_disabled:
        await bump_routes(connection)
    await record(connection, who, "service_account.update", Target(id, name), before, after)
    return after


async def delete(connection: Connection, who: Who, id: UUID) -> None:
    """Raises ServiceAccountNotFound."""
    await lock_organization(connection, who.organization_id)
    before = await queries.find_service_account(connection, who.organization_id, id)
    await queries.delete_service_account(connection, who.organization_id, id)
    await bump_routes(connection)
    await record(connection, who, "service_account.delete", Target(id, before.name), before)
