"""What the project routes take and give."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from control.fields import Description, Name


class NewProject(Struct, frozen=True, forbid_unknown_fields=True):
    """A project to create; its name must be new in the organization."""

    name: Name
    description: Description = ""


class Project(Struct, frozen=True):
    """A project, with how much it holds."""

    id: UUID
    organization_id: UUID
    organization_slug: str
    name: str
    slug: str
    description: str
    created_at: datetime
    models: int
    deployments: int


class ProjectPage(Struct, frozen=True):
    """Projects, newest first."""

    items: list[Project]
    next_cursor: UUID | None
