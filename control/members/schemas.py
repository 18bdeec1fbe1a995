"""What the member routes take and give."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from control.identity.permissions import Permission, Role


class OrganizationMember(Struct, frozen=True):
    """A person in an organization."""

    user_id: UUID
    email: str
    name: str
    role: Role
    joined_at: datetime
    project_roles: int
    """Projects in which they have a role of their own."""


class MemberPage(Struct, frozen=True):
    """Members, the oldest account first."""

    items: list[OrganizationMember]
    next_cursor: UUID | None


class MemberPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """The role a member is to have."""

    role: Role


class PermissionMeaning(Struct, frozen=True):
    """Something that only some roles may do."""

    name: Permission
    sentence: str
    roles: list[Role]
    """That have it."""


class RoleTable(Struct, frozen=True):
    """All that roles decide."""

    roles: list[Role]
    """From the least to the most."""
    permissions: list[PermissionMeaning]
