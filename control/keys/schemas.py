"""What the key routes take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from contracts.routes import KeyLimits
from control.fields import Name
from control.identity.permissions import Scope

KeyKind = Literal["api", "console"]
Deployments = Annotated[list[UUID], Meta(min_length=1, max_length=100)]
Networks = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=64)]
"""IPv4 and IPv6 ranges such as `10.0.0.0/8`, or single addresses."""


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key to create."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=16)]
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    """When gateways stop taking it; null means never."""
    limits: KeyLimits = KeyLimits()
    """What programs that use it may take."""
    deployments: Deployments | None = None
    """The only ones it is for; null means all of the project, those to come too."""
    networks: Networks = []
    """Where it may be used; empty means anywhere."""
    owner_id: UUID | None = None
    """A service account that sees the project, in whose stead the key acts; null means you."""


class KeyPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a key; what is absent stays."""

    name: Name | UnsetType = UNSET
    limits: KeyLimits | UnsetType = UNSET
    """All of them; what is left out is not limited any more."""
    deployments: Deployments | UnsetType | None = UNSET
    networks: Networks | UnsetType = UNSET


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """How a key gets its new secret."""

    overlap_s: Annotated[int, Meta(ge=0, le=2_592_000)] = 86_400
    """How long the secret it has now stays good beside the new one."""


class Key(Struct, frozen=True):
    """A key as people see it: everything but the secret."""

    id: UUID
    key_id: str
    """The public part, between `hr_` and the secret."""
    name: str
    scopes: list[Scope]
    owner: str | None
    """Name of the person or service account in whose stead it acts; null if their account is gone."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    limits: KeyLimits
    deployments: list[UUID] | None
    """The only ones it is for, deleted ones included; null means all of the project."""
    networks: list[str]
    """Where it may be used; empty means anywhere."""
    previous_expires_at: datetime | None
    """Until when the secret before its last rotation is good beside the new one; null if none is."""
    requests_today: int | None = None
    """Used of its daily quota since midnight UTC; null if it has none, or if that cannot be read now."""
    old_secret_used_at: datetime | None = None
    """When the secret before its last rotation was used last, to within ten seconds; null if it was not, or is not good now."""


class KeyAddress(Struct, frozen=True):
    """From where a key was used."""

    address: str
    """IP address, as a gateway sees it."""
    last_used_at: datetime
    """To within ten seconds."""


class KeyAddresses(Struct, frozen=True):
    """The last 50 addresses of the last 90 days, the latest first."""

    items: list[KeyAddress]


class CreatedKey(Struct, frozen=True):
    """A key with a new secret, which is shown this once."""

    key: Key
    secret: str
    """`hr_<key_id>_<secret>`: what goes after `Authorization: Bearer`."""


class ScopeMeaning(Struct, frozen=True):
    """What a key can be for."""

    name: Scope
    sentence: str


class Scopes(Struct, frozen=True):
    """Everything that keys can be for."""

    items: list[ScopeMeaning]


class KeyPage(Struct, frozen=True):
    """Keys, newest first, revoked ones included."""

    items: list[Key]
    next_cursor: UUID | None


class OrganizationKey(Struct, frozen=True):
    """A key and the project it belongs to."""

    project_id: UUID
    project_name: str
    project_slug: str
    key: Key


class OrganizationKeyPage(Struct, frozen=True):
    """Keys of all projects, newest first, revoked ones included."""

    items: list[OrganizationKey]
    next_cursor: UUID | None
