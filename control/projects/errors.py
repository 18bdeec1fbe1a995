"""What can go wrong with projects."""

from contracts.errors import Conflict, NotFound


class ProjectNameTaken(Conflict):
    title = "Project name taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"the organization has a project named {name!r} already")


class ProjectNotFound(NotFound):
    title = "Project not found"
