"""What the organization routes take and give."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from control.fields import Email, Name
from control.identity.permissions import GivenRole, Role
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


class DeletedOrganization(Struct, frozen=True):
    """An organization that one of its owners may still restore."""

    id: UUID
    name: str
    slug: str
    deleted_at: datetime
    removed_at: datetime
    """When it cannot be restored any more."""


class DeletedOrganizations(Struct, frozen=True):
    """All of them, the last deleted first."""

    items: list[DeletedOrganization]


Domain = Annotated[str, Meta(max_length=253, pattern=r"^[a-z0-9-]+([.][a-z0-9-]+)+$(?!\n)")]
"""What stands behind the @ of an address, in small letters."""
LogRetention = Annotated[int, Meta(ge=1, le=90)]
DomainList = Annotated[list[Domain], Meta(max_length=50)]
AlertEmails = Annotated[list[Email], Meta(max_length=20)]


class OrganizationSettings(Struct, frozen=True):
    """What an organization has decided for itself."""

    default_role: GivenRole
    """Of whoever is invited without a word about the role."""
    email_domains: list[str]
    """People with other addresses can neither be invited nor accept; empty: anybody can."""
    log_retention_days: int | None
    """After how many days logged requests are forgotten; null: after 90, as everywhere."""
    alert_emails: list[str]
    """Where alerts go unless one says otherwise."""
    slack_webhook: str | None
    """The same; masked: the whole is never shown again."""


class SettingsPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is absent stays."""

    default_role: GivenRole | UnsetType = UNSET
    email_domains: DomainList | UnsetType = UNSET
    log_retention_days: LogRetention | UnsetType | None = UNSET
    alert_emails: AlertEmails | UnsetType = UNSET
    slack_webhook: Annotated[str, Meta(max_length=500, pattern=r"^[!-~]*$(?!\n)")] | UnsetType | None = UNSET
    """Null forgets it."""


class NewOwner(Struct, frozen=True, forbid_unknown_fields=True):
    """To whom an organization is handed over."""

    user_id: UUID


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
