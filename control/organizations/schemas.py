"""What the organization routes take and give."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from control.fields import Name
from control.identity.permissions import Role
from control.slugs import MAX_LENGTH

Slug = Annotated[str, Meta(min_length=1, max_length=MAX_LENGTH, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)")]
"""What stands in addresses: plain letters, so that no look-alike passes for another organization's."""


class NewOrganization(Struct, frozen=True, forbid_unknown_fields=True):
    """An organization to found; the caller will own it."""

    name: Name


class OrganizationPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    name: Name | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    """Stands in the addresses of the console and of inference: the old ones work no more."""


class Organization(Struct, frozen=True):
    """An organization, as one of its members sees it."""

    id: UUID
    name: str
    slug: str
    role: Role


class Usage(Struct, frozen=True):
    """How much an organization holds, over all of its projects."""

    members: int
    """People."""
    service_accounts: int
    invitations: int
    projects: int
    models: int
    model_versions: int
    deployments: int
    keys: int
    """That still work."""
    stored_bytes: int
    """Of model versions and of the files of batch jobs."""
