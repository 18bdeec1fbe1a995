"""What the API shows of organizations."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

Role = Literal["owner", "member"]


class Organization(Struct, frozen=True):
    """An organization, as one of its members sees it."""

    id: UUID
    name: str
    slug: str
    role: Role
