"""What telemetry forgets before its time: control says it in Redis.

The hash `RETENTION_KEY` has a field for each organization that keeps its requests for less than everybody: its id, and whole
days. `GONE` stands there for one that was removed: nothing of it is kept, its counts neither. The set `GONE_PROJECTS_KEY` has
the projects that were removed from organizations that are still there.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

RETENTION_KEY: Final = "headrace:log-retention"
GONE: Final = 0
GONE_PROJECTS_KEY: Final = "headrace:gone-projects"
LONGEST_KEPT: Final = timedelta(days=400)
"""After which telemetry has forgotten everything by itself."""


def gone_project(organization_id: UUID, project_id: UUID) -> str:
    """A member of `GONE_PROJECTS_KEY`."""
    return f"{organization_id}/{project_id}"


def read_gone_project(member: bytes) -> tuple[str, str]:
    """The ids of the organization and of the project."""
    organization, _, project = member.decode().partition("/")
    return organization, project
