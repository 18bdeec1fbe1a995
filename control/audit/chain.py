"""The seal over an entry: SHA-256 of the seal before it and of the entry's own content.

So nobody can change, drop or insert a row without every later seal being wrong. Whoever may write to the database can of course
write the whole chain anew; a seal that was noted down elsewhere (`headrace audit verify` prints the last ones) shows that too.
"""

from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

GENESIS: Final = bytes(32)
"""Stands before the first entry of every organization."""


class Sealed(Struct, frozen=True, array_like=True):
    """What the seal covers, in this order, as one JSON array."""

    organization_id: UUID
    number: int
    at: datetime
    actor_id: UUID | None
    actor: str
    address: str
    request_id: str
    project_id: UUID | None
    action: str
    target_id: str
    target_name: str
    before: str | None
    """As the JSON text that is stored."""
    after: str | None


def seal(previous: bytes, content: Sealed) -> bytes:
    """The seal of the entry that comes after the one sealed with `previous`; 32 bytes."""
    return sha256(previous + msgspec.json.encode(content)).digest()
