"""API key routes. Gateways learn of every change through the route table."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import Connection, Tenant
from control.keys import queries
from control.keys.errors import KeyExpiryUnfit
from control.keys.schemas import CreatedKey, KeyPage, NewKey
from control.keys.secrets import new_key
from control.routing.queries import bump_routes

LATEST_EXPIRY: Final = datetime(9999, 1, 1, tzinfo=UTC)


@get("/projects/{project_id:uuid}/keys", operation_id="listKeys", tags=["Keys"])
async def list_keys(tenant: Tenant, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> KeyPage:
    """A project's API keys, newest first."""
    items = await queries.list_keys(connection, tenant.project_id, cursor, limit + 1)
    return KeyPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post("/projects/{project_id:uuid}/keys", operation_id="createKey", tags=["Keys"])
async def create_key(data: JSONBody[NewKey], tenant: Tenant, connection: Connection) -> CreatedKey:
    """Create an API key. Its secret is in this answer and never shown again."""
    if data.expires_at is not None:
        check_expiry(data.expires_at)
    secret = new_key()
    scopes = sorted(set(data.scopes))
    key = await queries.insert_key(
        connection, tenant.project_id, "api", secret, data.name, scopes, tenant.user_id, data.expires_at
    )
    await bump_routes(connection)
    return CreatedKey(key, secret.text)


@delete("/projects/{project_id:uuid}/keys/{id:uuid}", operation_id="revokeKey", tags=["Keys"])
async def revoke_key(id: FromPath[UUID], tenant: Tenant, connection: Connection) -> None:
    """Revoke an API key: gateways refuse it within moments."""
    await queries.revoke_key(connection, tenant.project_id, id)
    await bump_routes(connection)


def check_expiry(time: datetime) -> None:
    """Raises KeyExpiryUnfit if `time` has passed, or is so late that no calendar may know it in UTC."""
    if time <= datetime.now(UTC):
        raise KeyExpiryUnfit(f"{time.isoformat()} has passed already")
    if time >= LATEST_EXPIRY:
        raise KeyExpiryUnfit(f"{time.isoformat()} is too late; leave the expiry out if the key should never expire")


HANDLERS: Final[list[HTTPRouteHandler]] = [list_keys, create_key, revoke_key]
