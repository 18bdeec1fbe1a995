"""Telling a project's pages how its jobs get on."""

import time
from typing import Final
from uuid import UUID

from msgspec import Struct

from control.database import Connection
from control.events.announcing import announce

PROGRESS_S: Final = 1.0
"""How often pages hear of a job's progress at most; what starts or ends it they hear of at once."""


class Place(Struct, frozen=True):
    """Whose job it is."""

    organization_id: UUID
    project_id: UUID


async def tell(connection: Connection, place: Place, job_id: UUID, what: str) -> None:
    """Tell pages what happened to a job, if and when the transaction commits."""
    await announce(connection, place.organization_id, place.project_id, f"batch_job.{what}", str(job_id))


class ProgressTeller:
    """Tells of one job's progress, not too often."""

    def __init__(self, place: Place, job_id: UUID) -> None:
        self._place = place
        self._job_id = job_id
        self._told_at = -PROGRESS_S

    async def tell(self, connection: Connection) -> None:
        """Tell pages that some more rows are done, unless they were told a moment ago."""
        if time.monotonic() - self._told_at >= PROGRESS_S:
            await tell(connection, self._place, self._job_id, "progress")
            self._told_at = time.monotonic()
