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
from control.keys.errors import KeyExpiresInThePast
from control.keys.schemas import CreatedKey, KeyPage, NewKey
from control.keys.secrets import new_key
from control.routing.queries import bump_routes


@get("/projects/{project_id:uuid}/keys", operation_id="listKeys", tags=["Keys"])
async def list_keys(tenant: Tenant, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> KeyPage:
    """A project's API keys, newest first."""
    items = await queries.list_keys(connection, tenant.project_id, cursor, limit + 1)
    return KeyPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@post("/projects/{project_id:uuid}/keys", operation_id="createKey", tags=["Keys"])
async def create_key(data: JSONBody[NewKey], tenant: Tenant, connection: Connection) -> CreatedKey:
    """Create an API key. Its secret is in this answer and never shown again."""
    if data.expires_at is not None and data.expires_at <= datetime.now(UTC):
        raise KeyExpiresInThePast(f"{data.expires_at.isoformat()} has passed already")
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


HANDLERS: Final[list[HTTPRouteHandler]] = [list_keys, create_key, revoke_key]
