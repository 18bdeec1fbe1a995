"""What the key routes take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from contracts.routes import KeyLimits
from control.fields import Name

Scope = Literal["infer", "repository"]
"""`infer`: call the project's deployments through the gateway. `repository`: list them there, unload them and load them again."""
KeyKind = Literal["api", "console"]


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key to create."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=8)]
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    """When gateways stop taking it; null means never."""
    limits: KeyLimits = KeyLimits()
    """What programs that use it may take."""


class KeyPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a key; what is absent stays."""

    name: Name | UnsetType = UNSET
    limits: KeyLimits | UnsetType = UNSET
    """All of them; what is left out is not limited any more."""


class Key(Struct, frozen=True):
    """A key as people see it: everything but the secret."""

    id: UUID
    key_id: str
    """The public part, between `hr_` and the secret."""
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    limits: KeyLimits
    requests_today: int | None = None
    """Used of its daily quota since midnight UTC; null if it has none, or if that cannot be read now."""


class CreatedKey(Struct, frozen=True):
    """A new key, with its secret for the only time."""

    key: Key
    secret: str
    """`hr_<key_id>_<secret>`: what goes after `Authorization: Bearer`."""


class KeyPage(Struct, frozen=True):
    """Keys, newest first, revoked ones included."""

    items: list[Key]
    next_cursor: UUID | None
