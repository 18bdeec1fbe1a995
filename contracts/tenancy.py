"""The signed tenant header with which control calls telemetry on a person's behalf.

`X-Headrace-Tenant: <base64url of the JSON Tenant>.<hex HMAC-SHA256>`; control and telemetry share the key.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from contracts.errors import Unauthenticated

TENANT_HEADER: Final = "X-Headrace-Tenant"
TENANT_LIFE_S: Final = 60


class Tenant(Struct, frozen=True):
    """Whose rows a call may see; `issued_at` is in whole seconds since the epoch."""

    organization_id: UUID
    project_id: UUID | None
    """None: of the organization as a whole."""
    issued_at: int


def sign_tenant(tenant: Tenant, secret: str) -> str:
    """The value of `TENANT_HEADER`."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode(tenant)).decode()
    return f"{payload}.{_digest(payload, secret)}"


def verify_tenant(header: str, secret: str, now: float) -> Tenant:
    """Raises Unauthenticated if the header is malformed, altered or older than `TENANT_LIFE_S`."""
    payload, _, digest = header.partition(".")
    if not hmac.compare_digest(digest.encode(), _digest(payload, secret).encode()):
        raise Unauthenticated("the tenant header's signature does not match")
    try:
        tenant = msgspec.json.decode(base64.urlsafe_b64decode(payload), type=Tenant)
    except (binascii.Error, msgspec.DecodeError) as error:
        raise Unauthenticated("the tenant header is malformed") from error
    if abs(now - tenant.issued_at) > TENANT_LIFE_S:
        raise Unauthenticated("the tenant header has expired")
    return tenant


def _digest(payload: str, secret: str) -> str:
    return hmac.new(b"tenant:" + secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
