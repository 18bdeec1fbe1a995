"""What the monitoring routes give beside what telemetry says."""

from uuid import UUID

from msgspec import Struct

from contracts.monitoring import DayRequests


class ProjectTraffic(Struct, frozen=True):
    """The calls of one project."""

    project_id: UUID
    name: str
    slug: str
    requests: int
    errors: int
    """Answers with status 400 and above."""


class Traffic(Struct, frozen=True):
    """The calls of an organization; days and projects without any are absent."""

    days: list[DayRequests]
    """In order of time, of all projects."""
    projects: list[ProjectTraffic]
    """Those that the caller sees, the busiest first; 100 at most."""
