"""What moves a job on in Postgres: claims, leases and finished parts.

Who claims a job gets a token; every later write names it and changes nothing once the job has another runner or none. So a
process that was believed dead, or whose job was cancelled, can write no row any more, however late it wakes up.
"""

from datetime import timedelta
from typing import Final, LiteralString
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from control.batch_jobs.errors import LeaseLost
from control.batch_jobs.formats import Format
from control.batch_jobs.telling import Place, tell
from control.database import Connection
from control.registry.queries import decode_version
from control.registry.schemas import ModelVersion

LEASE: Final = timedelta(seconds=10)
"""How long a job stays its runner's after the last sign of life."""
HEARTBEAT_S: Final = 2.0
MAX_ATTEMPTS: Final = 3
"""How often a job may be claimed without one more part coming of it."""


class Claim(Struct, frozen=True):
    """A job to run, by whom."""

    job_id: UUID
    project_id: UUID
    runner: UUID
    attempts: int


class Work(Struct, frozen=True):
    """What a runner needs to know of its job."""

    place: Place
    deployment_id: UUID | None
    deployment_name: str
    version: ModelVersion | None
    format: Format
    digest: str
    rows_done: int
    rows_failed: int


class PartFile(Struct, frozen=True):
    """A stored file of a part: `results_part` or `failed_rows_part`, or of the whole: `results` or `failed_rows`."""

    kind: str
    digest: str
    size_bytes: int


CLAIM_JOB: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'running', runner = $1, lease_until = now() + $2::interval, attempts = attempts + 1,
        started_at = coalesce(started_at, now())
    WHERE id = (
        SELECT open.id
        FROM batch_jobs AS open
        WHERE open.state = 'queued'
           OR (open.state = 'running' AND open.lease_until < now())
        ORDER BY
            (SELECT count(*) FROM batch_jobs AS busy WHERE busy.project_id = open.project_id AND busy.state = 'running'),
            open.id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id, attempts, project_id, (SELECT organization_id FROM projects WHERE id = batch_jobs.project_id) AS organization_id
"""


async def claim_job(connection: Connection, runner: UUID) -> Claim | None:
    """The oldest job that nobody runs, of the project with the fewest running; None if there is none."""
    row = await connection.fetchrow(CLAIM_JOB, runner, LEASE)
    if row is None:
        return None
    await _tell(connection, row, row["id"], "start")
    return Claim(row["id"], row["project_id"], runner, row["attempts"])


CANCEL_ALL: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'cancelled', runner = NULL, lease_until = NULL, finished_at = now()
    WHERE project_id = $1
      AND state IN ('queued', 'running')
"""


async def cancel_all(connection: Connection, project_id: UUID) -> None:
    """Stop all jobs of a project where they are; each can be resumed."""
    await connection.execute(CANCEL_ALL, project_id)


CANCEL_ALL_OF: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'cancelled', runner = NULL, lease_until = NULL, finished_at = now()
    FROM projects
    WHERE projects.organization_id = $1
      AND batch_jobs.project_id = projects.id
      AND batch_jobs.state IN ('queued', 'running')
"""


async def cancel_all_of(connection: Connection, organization_id: UUID) -> None:
    """Stop all jobs of an organization, as `cancel_all` does those of a project."""
    await connection.execute(CANCEL_ALL_OF, organization_id)


EXTEND_LEASE: Final[LiteralString] = """
    UPDATE batch_jobs
    SET lease_until = now() + $3::interval
    WHERE id = $1
      AND runner = $2
      AND state = 'running'
"""


async def extend_lease(connection: Connection, job_id: UUID, runner: UUID) -> None:
    """Show a sign of life. Raises LeaseLost."""
    if await connection.execute(EXTEND_LEASE, job_id, runner, LEASE) != "UPDATE 1":
        raise LeaseLost("the job is no longer this runner's")


GIVE_BACK: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'queued', runner = NULL, lease_until = NULL, attempts = attempts - $3
    WHERE id = $1
      AND runner = $2
      AND state = 'running'
    RETURNING project_id, (SELECT organization_id FROM projects WHERE id = batch_jobs.project_id) AS organization_id
"""


async def give_back(connection: Connection, job_id: UUID, runner: UUID, *, is_attempt: bool) -> None:
    """Let another runner go on. Was it an attempt at the job that failed, or just its runner's time to end?"""
    row = await connection.fetchrow(GIVE_BACK, job_id, runner, 0 if is_attempt else 1)
    if row is not None:
        await _tell(connection, row, job_id, "give_back")


FAIL_JOB: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'failed', reason = $3, runner = NULL, lease_until = NULL, finished_at = now()
    WHERE id = $1
      AND runner = $2
      AND state = 'running'
    RETURNING project_id, (SELECT organization_id FROM projects WHERE id = batch_jobs.project_id) AS organization_id
"""


async def fail_job(connection: Connection, job_id: UUID, runner: UUID, reason: str) -> bool:
    """End a job with a reason; its finished parts stay. False if it is no longer this runner's."""
    row = await connection.fetchrow(FAIL_JOB, job_id, runner, reason.replace("\x00", ""))
    if row is not None:
        await _tell(connection, row, job_id, "fail")
    return row is not None


FIND_WORK: Final[LiteralString] = """
    SELECT
        projects.organization_id, batch_jobs.project_id, batch_jobs.deployment_id, batch_jobs.deployment_name, batch_jobs.format,
        batch_jobs.rows_done, batch_jobs.rows_failed, version_documents.document, batch_job_files.digest
    FROM batch_jobs
    JOIN projects ON projects.id = batch_jobs.project_id
    JOIN batch_job_files ON batch_job_files.job_id = batch_jobs.id AND batch_job_files.kind = 'input'
    LEFT JOIN version_documents ON version_documents.id = batch_jobs.version_id
    WHERE batch_jobs.id = $1
      AND batch_jobs.runner = $2
      AND batch_jobs.state = 'running'
"""


async def find_work(connection: Connection, job_id: UUID, runner: UUID) -> Work:
    """Raises LeaseLost."""
    row = await connection.fetchrow(FIND_WORK, job_id, runner)
    if row is None:
        raise LeaseLost("the job is no longer this runner's")
    return Work(
        place=Place(row["organization_id"], row["project_id"]),
        deployment_id=row["deployment_id"],
        deployment_name=row["deployment_name"],
        version=decode_version(row["document"]) if row["document"] else None,
        format=msgspec.convert(row["format"], Format),
        digest=row["digest"],
        rows_done=row["rows_done"],
        rows_failed=row["rows_failed"],
    )


class Served(Struct, frozen=True):
    """What a deployment serves, as of its revision `number`."""

    version_id: UUID
    number: int
    model_name: str
    model_version: int


FIND_SERVED: Final[LiteralString] = """
    SELECT revisions.version_id, revisions.number, models.name AS model_name, model_versions.number AS model_version
    FROM deployments
    JOIN revisions ON revisions.deployment_id = deployments.id AND revisions.number = deployments.revision_number
    JOIN model_versions ON model_versions.id = revisions.version_id
    JOIN models ON models.id = model_versions.model_id
    WHERE deployments.project_id = $1
      AND deployments.id = $2
"""


async def find_served(connection: Connection, project_id: UUID, deployment_id: UUID | None) -> Served | None:
    """None if there is no such deployment any more."""
    row = await connection.fetchrow(FIND_SERVED, project_id, deployment_id)
    return None if row is None else Served(**row)


SAVE_PART: Final[LiteralString] = """
    WITH job AS (
        UPDATE batch_jobs
        SET rows_done = rows_done + $4, rows_failed = rows_failed + $5, parts = parts + 1, attempts = 0,
            rows_total = greatest(rows_total, rows_done + rows_failed + $4 + $5)
        WHERE id = $1
          AND runner = $2
          AND state = 'running'
          AND rows_done + rows_failed = $3
        RETURNING id, parts
    )
    INSERT INTO batch_job_files (job_id, kind, number, digest, size_bytes)
    SELECT job.id, file.kind, job.parts, file.digest, file.size_bytes
    FROM job
    CROSS JOIN unnest($6::text[], $7::text[], $8::bigint[]) AS file (kind, digest, size_bytes)
    RETURNING number
"""


async def save_part(
    connection: Connection, job_id: UUID, runner: UUID, first: int, done: int, failed: int, files: list[PartFile]
) -> None:
    """Write down that the rows from `first` (from 0) on have been dealt with, `done + failed` of them. Raises LeaseLost."""
    columns = [it.kind for it in files], [it.digest for it in files], [it.size_bytes for it in files]
    if await connection.fetchval(SAVE_PART, job_id, runner, first, done, failed, *columns) is None:
        raise LeaseLost("the job is no longer this runner's")


LIST_PARTS: Final[LiteralString] = """
    SELECT digest
    FROM batch_job_files
    WHERE job_id = $1
      AND kind = $2
    ORDER BY number
"""


async def list_parts(connection: Connection, job_id: UUID, kind: str) -> list[str]:
    """Digests of the finished parts' files, in the order of the rows."""
    return [it["digest"] for it in await connection.fetch(LIST_PARTS, job_id, kind)]


SUCCEED: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'succeeded', rows_total = rows_done + rows_failed, runner = NULL, lease_until = NULL, finished_at = now()
    WHERE id = $1
      AND runner = $2
      AND state = 'running'
    RETURNING project_id, (SELECT organization_id FROM projects WHERE id = batch_jobs.project_id) AS organization_id
"""
DROP_PARTS: Final[LiteralString] = """
    DELETE FROM batch_job_files
    WHERE job_id = $1
      AND kind IN ('results_part', 'failed_rows_part')
    RETURNING digest
"""
INSERT_FILE: Final[LiteralString] = """
    INSERT INTO batch_job_files (job_id, kind, number, digest, size_bytes)
    VALUES ($1, $2, 0, $3, $4)
"""


async def succeed(connection: Connection, job_id: UUID, runner: UUID, files: list[PartFile]) -> list[str]:
    """End a job well; the answer is the digests of its parts, which it holds no longer. Raises LeaseLost."""
    row = await connection.fetchrow(SUCCEED, job_id, runner)
    if row is None:
        raise LeaseLost("the job is no longer this runner's")
    await _tell(connection, row, job_id, "succeed")
    await connection.executemany(INSERT_FILE, [(job_id, it.kind, it.digest, it.size_bytes) for it in files])
    return [it["digest"] for it in await connection.fetch(DROP_PARTS, job_id)]


async def _tell(connection: Connection, row: Record, job_id: UUID, what: str) -> None:
    await tell(connection, Place(row["organization_id"], row["project_id"]), job_id, what)
