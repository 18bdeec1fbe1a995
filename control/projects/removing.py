"""Removing projects for good, some time after they were deleted, from telemetry too."""

from datetime import timedelta
from typing import Final, LiteralString
from uuid import UUID

from redis.asyncio import Redis

from contracts.retention import GONE_PROJECTS_KEY, LONGEST_KEPT, gone_project
from control.audit.recording import Target, Who, record
from control.database import Database

KEPT_FOR: Final = timedelta(days=7)
"""How long a deleted project can be restored."""

FIND_EXPIRED: Final[LiteralString] = """
    SELECT id, organization_id, name
    FROM projects
    WHERE deleted_at < now() - $1::interval
    ORDER BY deleted_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
"""
CLEAR_DEPLOYMENTS: Final[LiteralString] = """
    DELETE FROM deployments
    WHERE project_id = $1
"""
CLEAR_PROJECT: Final[LiteralString] = """
    DELETE FROM projects
    WHERE id = $1
"""
NOTE_REMOVAL: Final[LiteralString] = """
    INSERT INTO removed_projects (id, organization_id)
    VALUES ($1, $2)
"""


async def sweep(database: Database, kept_for: timedelta = KEPT_FOR) -> UUID | None:
    """Remove one project that was deleted long enough ago, with all that is in it; None if there is none.

    Deployments go first: they hold model versions. Files that nothing holds any more fall to the sweep of `registry.artifacts`.
    """
    async with database.transaction() as connection:
        expired = await connection.fetchrow(FIND_EXPIRED, kept_for)
        if expired is None:
            return None
        id, organization_id = expired["id"], expired["organization_id"]
        await connection.execute(CLEAR_DEPLOYMENTS, id)
        await connection.execute(CLEAR_PROJECT, id)
        await connection.execute(NOTE_REMOVAL, id, organization_id)
        await record(connection, Who(None, organization_id, None), "project.remove", Target(id, expired["name"]))
        return id


FORGET_REMOVED: Final[LiteralString] = """
    DELETE FROM removed_projects
    WHERE removed_at < now() - $1::interval
"""
LIST_REMOVED: Final[LiteralString] = """
    SELECT organization_id, id
    FROM removed_projects
"""


async def publish_removed(database: Database, redis: Redis) -> None:
    """Tell telemetry of which projects to keep nothing; of all that it may know, since Redis may have forgotten."""
    await database.run(lambda it: it.execute(FORGET_REMOVED, LONGEST_KEPT))
    rows = await database.run(lambda it: it.fetch(LIST_REMOVED))
    async with redis.pipeline(transaction=True) as pipeline:
        pipeline.delete(GONE_PROJECTS_KEY)
        if rows:
            pipeline.sadd(GONE_PROJECTS_KEY, *(gone_project(row["organization_id"], row["id"]) for row in rows))
        await pipeline.execute()
