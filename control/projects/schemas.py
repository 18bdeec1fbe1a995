"""What the project routes take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from control.fields import Description, Name
from control.identity.permissions import GivenRole, Role

Visibility = Literal["organization", "private"]
"""Who sees a project: everybody in its organization, or its own members and the organization's administrators."""
State = Literal["active", "archived", "deleted"]
ProjectRole = GivenRole
Tag = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._:/=-]{0,31}$(?!\n)")]
Tags = Annotated[list[Tag], Meta(max_length=20)]


class NewProject(Struct, frozen=True, forbid_unknown_fields=True):
    """A project to create; its name must be new in the organization."""

    name: Name
    description: Description = ""
    tags: Tags = []
    visibility: Visibility = "organization"


class ProjectPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change. The slug stays, and with it every address."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET


class ProjectVisibility(Struct, frozen=True, forbid_unknown_fields=True):
    """Who sees a project."""

    visibility: Visibility


class Project(Struct, frozen=True):
    """A project, with how much it holds."""

    id: UUID
    organization_id: UUID
    organization_slug: str
    name: str
    slug: str
    description: str
    tags: list[str]
    visibility: Visibility
    role: Role
    """The caller's role in it."""
    created_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None
    """A deleted project can be restored for seven days."""
    models: int
    versions: int
    deployments: int


class ProjectPage(Struct, frozen=True):
    """Projects, newest first."""

    items: list[Project]
    next_cursor: UUID | None


class NewProjectRole(Struct, frozen=True, forbid_unknown_fields=True):
    """The role that a member of the organization is to have in one project."""

    role: ProjectRole


class ProjectMember(Struct, frozen=True):
    """A person, or a service account, who sees a project."""

    user_id: UUID
    name: str
    email: str | None
    """Null for a service account."""
    organization_role: Role
    project_role: ProjectRole | None
    """Given in this project; null: what they have in the organization holds."""
    role: Role
    """The one that counts here."""


class ProjectMemberPage(Struct, frozen=True):
    """People, in the order they registered."""

    items: list[ProjectMember]
    next_cursor: UUID | None
