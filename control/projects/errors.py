"""What can go wrong with projects."""

from uuid import UUID

from contracts.errors import Conflict, NotFound


class ProjectNameTaken(Conflict):
    title = "Project name taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"the organization has a project named {name!r} already")


class ProjectNotFound(NotFound):
    title = "Project not found"


class ProjectArchived(Conflict):
    title = "Project archived"

    def __init__(self) -> None:
        super().__init__("an archived project can only be read; take it out of the archive first")


class PersonNotFound(NotFound):
    title = "Person not found"

    def __init__(self, user_id: UUID) -> None:
        super().__init__(f"no member {user_id}")


class RoleFixed(Conflict):
    title = "Role fixed"

    def __init__(self) -> None:
        super().__init__("an administrator of the organization is one in all its projects; change their role there")
