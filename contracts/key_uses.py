"""From where API keys were used, and when an old secret of theirs was: gateways note it in Redis, control shows it.

Within `NOTED_EVERY_S` of the use; bounded, and forgotten after `KEPT_S`. How much a key was used is in the request log.
"""

from typing import Final
from uuid import UUID

NOTED_EVERY_S: Final = 10.0
KEPT_S: Final = 90 * 86_400
MOST_ADDRESSES: Final = 50
"""Of one key: those that were used last."""


def addresses_key(key: UUID) -> str:
    """Sorted set of IP addresses, by the second of the epoch in which the key came from there last."""
    return f"headrace:key:{key}:addresses"


def old_secrets_key(key: UUID) -> str:
    """Hash with a field for each old secret (`secret_field`) and the second of the epoch in which it was used last."""
    return f"headrace:key:{key}:old-secrets"


def secret_field(sha256: bytes) -> str:
    """Names a secret without giving it away: the first 8 of the 32 bytes of its hash."""
    return sha256[:8].hex()
