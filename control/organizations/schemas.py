"""What the API shows of organizations."""

from uuid import UUID

from msgspec import Struct

from control.identity.permissions import Role


class Organization(Struct, frozen=True):
    """An organization, as one of its members sees it."""

    id: UUID
    name: str
    slug: str
    role: Role
