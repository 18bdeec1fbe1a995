"""API keys as callers of this API: what a key is, and how it is found by what was presented."""

import hashlib
import hmac
from ipaddress import ip_network
from typing import Final, LiteralString
from uuid import UUID

from msgspec import Struct

from contracts.networks import is_within
from control.database import Connection
from control.identity.permissions import Role, Scope

PREFIX: Final = "hr_"
MAX_KEY_ID: Final = 64


class PresentedKey(Struct, frozen=True):
    """What a caller presented as an API key, not looked up yet."""

    key_id: str
    sha256: bytes


class KeyCaller(Struct, frozen=True):
    """A good key, and who answers for what it does."""

    name: str
    scopes: frozenset[Scope]
    networks: tuple[str, ...]
    organization_id: UUID
    project_id: UUID
    owner_id: UUID | None
    """None if their account is gone."""
    role: Role | None
    """The owner's in the project, at this moment; None if they do not see it any more."""
    is_archived: bool

    def may_come_from(self, address: str) -> bool:
        """Whether the key may be used from there."""
        return not self.networks or is_within(address, map(ip_network, self.networks))


def read_key(token: str) -> PresentedKey | None:
    """The key in a bearer token; None if the token is none."""
    if not token.startswith(PREFIX):
        return None
    key_id, _, secret = token.removeprefix(PREFIX).partition("_")
    return PresentedKey(key_id[:MAX_KEY_ID], hashlib.sha256(secret.encode()).digest())


FIND_CALLER: Final[LiteralString] = """
    SELECT
        api_keys.name, api_keys.scopes, api_keys.networks::text[] AS networks, projects.organization_id, api_keys.project_id,
        api_keys.created_by AS owner_id, all_project_roles.role, projects.archived_at IS NOT NULL AS is_archived,
        api_keys.secret_sha256,
        CASE WHEN api_keys.previous_expires_at > now() THEN api_keys.previous_sha256 END AS previous_sha256
    FROM api_keys
    JOIN projects ON projects.id = api_keys.project_id
    LEFT JOIN all_project_roles ON all_project_roles.project_id = api_keys.project_id
        AND all_project_roles.user_id = api_keys.created_by
    LEFT JOIN users AS owners ON owners.id = api_keys.created_by
    WHERE api_keys.key_id = $1
      AND api_keys.kind = 'api'
      AND api_keys.revoked_at IS NULL
      AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())
      AND projects.deleted_at IS NULL
      AND owners.disabled_at IS NULL
"""


async def find_caller(connection: Connection, presented: PresentedKey) -> KeyCaller | None:
    """The key, if there is one, it is good now, and the secret is its own or the one that its last rotation left good."""
    row = await connection.fetchrow(FIND_CALLER, presented.key_id)
    if row is None:
        return None
    columns = dict(row)
    secrets = columns.pop("secret_sha256"), columns.pop("previous_sha256")
    if not any(hmac.compare_digest(presented.sha256, it) for it in secrets if it is not None):
        return None
    return KeyCaller(scopes=frozenset(columns.pop("scopes")), networks=tuple(columns.pop("networks")), **columns)
