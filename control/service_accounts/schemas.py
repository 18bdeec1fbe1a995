"""What the service account routes take and give."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from control.fields import Name
from control.identity.permissions import GivenRole

ServiceRole = GivenRole
"""In the organization. No machine is an owner."""


class NewServiceAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """A service account to make; its name must be new in the organization, in capitals or not."""

    name: Name
    role: ServiceRole


class ServiceAccountPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    name: Name | UnsetType = UNSET
    role: ServiceRole | UnsetType = UNSET
    is_disabled: bool | UnsetType = UNSET
    """While it is, its keys are refused, here and at gateways."""


class ServiceAccount(Struct, frozen=True):
    """A machine that acts through API keys of its own."""

    id: UUID
    """Stands wherever a person's id may: as the owner of a key, or with a role in a project."""
    name: str
    role: ServiceRole
    created_at: datetime
    disabled_at: datetime | None
    project_roles: int
    """Projects in which it has a role of its own."""
    keys: int
    """Of its own that have not been revoked and have not expired."""


class ServiceAccountPage(Struct, frozen=True):
    """Service accounts, the oldest first."""

    items: list[ServiceAccount]
    next_cursor: UUID | None
