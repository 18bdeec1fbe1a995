"""API key routes. Gateways learn of every change through the route table."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET

from contracts.limits import DAY_S
from contracts.routes import KeyLimits
from control.audit.recording import Target, record
from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.identity.permissions import SCOPES
from control.injected import Connection, Database, Member, Resources, Tenant, Who
from control.keys import queries
from control.keys.errors import KeyDeploymentsUnfit, KeyExpiryUnfit, KeyLimitsUnfit, KeyNotWorking
from control.keys.networks import read_networks
from control.keys.owners import check_may_know, find_owner_role, find_service_role
from control.keys.schemas import (
    CreatedKey,
    Key,
    KeyAddresses,
    KeyPage,
    KeyPatch,
    NewKey,
    OrganizationKeyPage,
    Rotation,
    ScopeMeaning,
    Scopes,
)
from control.keys.secrets import new_key
from control.keys.usage import list_addresses, list_old_secrets, with_usage
from control.routing.queries import bump_routes

LATEST_EXPIRY: Final = datetime(9999, 1, 1, tzinfo=UTC)


@get("/scopes", operation_id="listScopes", tags=["Keys"], permission="account")
async def list_scopes() -> Scopes:
    """What API keys can be for, in a sentence each."""
    return Scopes([ScopeMeaning(name, it.sentence) for name, it in SCOPES.items()])


@get("/projects/{project_id:uuid}/keys", operation_id="listKeys", tags=["Keys"], permission="keys:read")
async def list_keys(
    tenant: Tenant, database: Database, resources: Resources, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> KeyPage:
    """A project's API keys, newest first."""
    found = await database.run(lambda it: queries.list_keys(it, tenant.project_id, cursor, limit + 1))
    old_secrets = await database.run(lambda it: list_old_secrets(it, found[:limit]))
    items = await with_usage(resources.redis, found[:limit], old_secrets)
    return KeyPage(items, items[-1].id if len(found) > limit else None)


@get("/organizations/{organization_id:uuid}/keys", operation_id="listOrganizationKeys", tags=["Keys"], permission="keys:read_all")
async def list_organization_keys(
    member: Member, database: Database, resources: Resources, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> OrganizationKeyPage:
    """The API keys of all projects of an organization, newest first; for its administrators."""
    found = await database.run(lambda it: queries.list_organization_keys(it, member.organization_id, cursor, limit + 1))
    shown = [it.key for it in found[:limit]]
    old_secrets = await database.run(lambda it: list_old_secrets(it, shown))
    keys = await with_usage(resources.redis, shown, old_secrets)
    items = [msgspec.structs.replace(it, key=key) for it, key in zip(found, keys, strict=False)]
    return OrganizationKeyPage(items, keys[-1].id if len(found) > limit else None)


@get(
    "/projects/{project_id:uuid}/keys/{id:uuid}/addresses",
    operation_id="listKeyAddresses",
    tags=["Keys"],
    permission="keys:read",
)
async def list_key_addresses(id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources) -> KeyAddresses:
    """From where an API key was used."""
    await database.run(lambda it: queries.find_key(it, tenant.project_id, id))
    return KeyAddresses(await list_addresses(resources.redis, id))


@post("/projects/{project_id:uuid}/keys", operation_id="createKey", tags=["Keys"], permission="keys:write")
async def create_key(data: JSONBody[NewKey], tenant: Tenant, connection: Connection, who: Who) -> CreatedKey:
    """Create an API key. Its secret is in this answer and never shown again."""
    check_limits(data.limits)
    if data.expires_at is not None:
        check_expiry(data.expires_at)
    networks, deployments = read_networks(data.networks), distinct(data.deployments)
    await check_deployments(connection, tenant.project_id, deployments)
    owner_id = await find_owner(connection, tenant, data)
    secret = new_key()
    what = data.name, sorted(set(data.scopes)), owner_id, data.expires_at, data.limits, deployments, networks
    id = await queries.insert_key(connection, tenant.project_id, "api", secret, *what)
    await bump_routes(connection)
    key = await queries.find_key(connection, tenant.project_id, id)
    await record(connection, who, "key.create", Target(key.id, key.name), after=key)
    return CreatedKey(key, secret.text)


@patch("/projects/{project_id:uuid}/keys/{id:uuid}", operation_id="updateKey", tags=["Keys"], permission="keys:write")
async def update_key(
    id: FromPath[UUID], data: JSONBody[KeyPatch], tenant: Tenant, database: Database, resources: Resources, who: Who
) -> Key:
    """Rename an API key, set its limits, or what it is for: all hold within moments, and what was used today stays used."""
    if data.limits is not UNSET:
        check_limits(data.limits)
    changes = {name: it for name in data.__struct_fields__ if (it := getattr(data, name)) is not UNSET}
    if data.networks is not UNSET:
        changes["networks"] = [str(it) for it in read_networks(data.networks)]
    if data.deployments is not UNSET:
        changes["deployments"] = distinct(data.deployments)
    async with database.transaction() as connection:
        before = await queries.lock_key(connection, tenant.project_id, id)
        check_working(before)
        check_may_know(tenant.role, await find_owner_role(connection, tenant.project_id, id), before.scopes)
        key = msgspec.structs.replace(before, **changes)
        await check_deployments(connection, tenant.project_id, key.deployments, known=before.deployments)
        await queries.update_key(connection, tenant.project_id, key)
        await bump_routes(connection)
        await record(connection, who, "key.update", Target(id, key.name), before, key)
    [shown] = await with_usage(resources.redis, [key])
    return shown


@post(
    "/projects/{project_id:uuid}/keys/{id:uuid}/rotate",
    operation_id="rotateKey",
    tags=["Keys"],
    permission="keys:write",
    status_code=HTTP_200_OK,
)
async def rotate_key(
    id: FromPath[UUID], data: JSONBody[Rotation], tenant: Tenant, connection: Connection, who: Who
) -> CreatedKey:
    """Give an API key a new secret, which is in this answer and never shown again; what is known of the key stays.

    The secret it had stays good for the overlap, and one before that is refused from now on.
    """
    before = await queries.lock_key(connection, tenant.project_id, id)
    check_working(before)
    check_may_know(tenant.role, await find_owner_role(connection, tenant.project_id, id), before.scopes)
    secret = new_key(before.key_id)
    await queries.rotate_key(connection, tenant.project_id, id, secret.sha256, data.overlap_s)
    await bump_routes(connection)
    key = await queries.find_key(connection, tenant.project_id, id)
    await record(connection, who, "key.rotate", Target(id, key.name), before, key)
    return CreatedKey(key, secret.text)


@delete(
    "/projects/{project_id:uuid}/keys/{id:uuid}",
    operation_id="revokeKey",
    tags=["Keys"],
    permission="keys:write",
    in_archived=True,
)
async def revoke_key(id: FromPath[UUID], tenant: Tenant, connection: Connection, who: Who) -> None:
    """Revoke an API key: gateways refuse it within moments."""
    before = await queries.lock_key(connection, tenant.project_id, id)
    await queries.revoke_key(connection, tenant.project_id, id)
    await bump_routes(connection)
    await record(connection, who, "key.revoke", Target(id, before.name), before)


async def find_owner(connection: Connection, tenant: Tenant, new: NewKey) -> UUID:
    """Who is to own a new key. Raises KeyOwnerUnfit, or Forbidden if the caller could do by it what they may not."""
    if new.owner_id is None or new.owner_id == tenant.user_id:
        return tenant.user_id
    role = await find_service_role(connection, tenant.project_id, new.owner_id)
    check_may_know(tenant.role, role, new.scopes)
    return new.owner_id


def distinct(deployments: list[UUID] | None) -> list[UUID] | None:
    """Each once, in their order."""
    return None if deployments is None else list(dict.fromkeys(deployments))


async def check_deployments(
    connection: Connection, project_id: UUID, deployments: list[UUID] | None, known: list[UUID] | None = None
) -> None:
    """Raises KeyDeploymentsUnfit unless the project has each of `deployments`, or had it and the key was for it (`known`)."""
    asked = set(deployments or ()) - set(known or ())
    if unknown := asked - await queries.list_known(connection, project_id, asked):
        raise KeyDeploymentsUnfit(f"no deployment {min(unknown)} in this project")


def check_working(key: Key) -> None:
    """Raises KeyNotWorking if gateways refuse the key."""
    if key.revoked_at is not None:
        raise KeyNotWorking("this key has been revoked; create another one")
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        raise KeyNotWorking("this key has expired; create another one")


def check_expiry(time: datetime) -> None:
    """Raises KeyExpiryUnfit if `time` has passed, or is so late that no calendar may know it in UTC."""
    if time <= datetime.now(UTC):
        raise KeyExpiryUnfit(f"{time.isoformat()} has passed already")
    if time >= LATEST_EXPIRY:
        raise KeyExpiryUnfit(f"{time.isoformat()} is too late; leave the expiry out if the key should never expire")


def check_limits(limits: KeyLimits) -> None:
    """Raises KeyLimitsUnfit if one limit needs another, or is better said as another."""
    if limits.burst is not None and limits.requests_per_s is None:
        raise KeyLimitsUnfit("a burst needs requests_per_s, at which it comes back")
    for name, rate in (("requests_per_s", limits.requests_per_s), ("rows_per_s", limits.rows_per_s)):
        if rate is not None and rate * DAY_S < 1:
            raise KeyLimitsUnfit(f"{name} of {rate:g} is less than one a day")


HANDLERS: Final[list[HTTPRouteHandler]] = [
    list_scopes,
    list_keys,
    list_organization_keys,
    list_key_addresses,
    create_key,
    update_key,
    rotate_key,
    revoke_key,
]
