"""Batch jobs as people see them, in Postgres; what their runners write is in `progress`."""

from typing import Final, LiteralString, cast
from uuid import UUID

import asyncpg
from asyncpg import Record
from msgspec import Struct

from control.batch_jobs.errors import BatchJobFileMissing, BatchJobInWrongState, BatchJobNotFound, BatchJobsWaiting
from control.batch_jobs.formats import Format, failed_rows_name, results_name
from control.batch_jobs.schemas import BatchJob, BatchJobFile, BatchJobInput
from control.database import Connection
from control.deployments.errors import DeploymentNotFound

MAX_OPEN_JOBS: Final = 100
"""Of one project, queued or running."""
RETRY_AFTER_S: Final = 60


class NewJob(Struct, frozen=True):
    """A job to insert, whose input file is stored."""

    deployment_id: UUID
    version_id: UUID
    created_by: UUID | None
    file_name: str
    format: Format
    digest: str
    size_bytes: int
    rows_total: int


LOCK_PROJECT: Final[LiteralString] = """
    SELECT id
    FROM projects
    WHERE id = $1
    FOR UPDATE
"""
COUNT_OPEN: Final[LiteralString] = """
    SELECT count(*)
    FROM batch_jobs
    WHERE project_id = $1
      AND state IN ('queued', 'running')
"""
INSERT_JOB: Final[LiteralString] = """
    INSERT INTO batch_jobs
        (project_id, deployment_id, deployment_name, version_id, model_name, model_version,
         file_name, format, rows_total, created_by)
    SELECT $1, deployments.id, deployments.name, model_versions.id, models.name, model_versions.number, $4, $5, $6, $7
    FROM deployments
    JOIN model_versions ON model_versions.id = $3
    JOIN models ON models.id = model_versions.model_id
    WHERE deployments.project_id = $1
      AND deployments.id = $2
      AND models.project_id = $1
    RETURNING id
"""
INSERT_INPUT: Final[LiteralString] = """
    INSERT INTO batch_job_files (job_id, kind, number, digest, size_bytes)
    VALUES ($1, 'input', 0, $2, $3)
"""


async def insert_job(connection: Connection, project_id: UUID, new: NewJob) -> UUID:
    """The id of the new job. Raises BatchJobsWaiting, or DeploymentNotFound if it was deleted meanwhile."""
    await _check_room(connection, project_id)
    file = new.file_name, new.format, new.rows_total
    try:
        id = await connection.fetchval(INSERT_JOB, project_id, new.deployment_id, new.version_id, *file, new.created_by)
    except asyncpg.ForeignKeyViolationError as error:
        raise DeploymentNotFound(new.deployment_id) from error
    if id is None:
        raise DeploymentNotFound(new.deployment_id)
    await connection.execute(INSERT_INPUT, id, new.digest, new.size_bytes)
    return id


async def _check_room(connection: Connection, project_id: UUID) -> None:
    await connection.execute(LOCK_PROJECT, project_id)
    if await connection.fetchval(COUNT_OPEN, project_id) >= MAX_OPEN_JOBS:
        raise BatchJobsWaiting(f"{MAX_OPEN_JOBS} batch jobs of this project are not finished yet", RETRY_AFTER_S)


LIST_JOBS: Final[LiteralString] = """
    SELECT
        batch_jobs.id, batch_jobs.project_id, batch_jobs.deployment_id, batch_jobs.deployment_name,
        batch_jobs.model_name, batch_jobs.model_version, batch_jobs.file_name, batch_jobs.format,
        batch_jobs.state, batch_jobs.reason, batch_jobs.rows_total, batch_jobs.rows_done, batch_jobs.rows_failed,
        batch_jobs.created_at, batch_jobs.started_at, batch_jobs.finished_at,
        coalesce(users.name, '') AS created_by,
        input.digest AS input_digest, input.size_bytes AS input_bytes,
        results.digest AS results_digest, results.size_bytes AS results_bytes,
        failed_rows.digest AS failed_digest, failed_rows.size_bytes AS failed_bytes
    FROM batch_jobs
    JOIN batch_job_files AS input ON input.job_id = batch_jobs.id AND input.kind = 'input'
    LEFT JOIN batch_job_files AS results ON results.job_id = batch_jobs.id AND results.kind = 'results'
    LEFT JOIN batch_job_files AS failed_rows ON failed_rows.job_id = batch_jobs.id AND failed_rows.kind = 'failed_rows'
    LEFT JOIN users ON users.id = batch_jobs.created_by
    WHERE batch_jobs.project_id = $1
      AND ($2::uuid IS NULL OR batch_jobs.id = $2)
      AND ($3::uuid IS NULL OR batch_jobs.id < $3)
    ORDER BY batch_jobs.id DESC
    LIMIT $4
"""


async def list_jobs(connection: Connection, project_id: UUID, before: UUID | None, limit: int) -> list[BatchJob]:
    """Newest first (ids are UUIDv7, so their order is that of creation)."""
    return [_job(row) for row in await connection.fetch(LIST_JOBS, project_id, None, before, limit)]


async def find_job(connection: Connection, project_id: UUID, job_id: UUID) -> BatchJob:
    """Raises BatchJobNotFound."""
    row = await connection.fetchrow(LIST_JOBS, project_id, job_id, None, 1)
    if row is None:
        raise BatchJobNotFound(job_id)
    return _job(row)


CANCEL_JOB: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'cancelled', runner = NULL, lease_until = NULL, finished_at = now()
    WHERE project_id = $1
      AND id = $2
      AND state IN ('queued', 'running')
"""


async def cancel_job(connection: Connection, project_id: UUID, job_id: UUID) -> None:
    """Stop a job where it is. Raises BatchJobNotFound, or BatchJobInWrongState if it is over."""
    if await connection.execute(CANCEL_JOB, project_id, job_id) != "UPDATE 1":
        job = await find_job(connection, project_id, job_id)
        raise BatchJobInWrongState(f"the job is over: {job.state}")


RESUME_JOB: Final[LiteralString] = """
    UPDATE batch_jobs
    SET state = 'queued', reason = '', attempts = 0, finished_at = NULL
    WHERE project_id = $1
      AND id = $2
      AND state IN ('failed', 'cancelled')
      AND deployment_id IS NOT NULL
"""


async def resume_job(connection: Connection, project_id: UUID, job_id: UUID) -> None:
    """Let a job that failed or was cancelled go on after its last part.

    Raises BatchJobNotFound, BatchJobInWrongState or BatchJobsWaiting.
    """
    await _check_room(connection, project_id)
    if await connection.execute(RESUME_JOB, project_id, job_id) != "UPDATE 1":
        job = await find_job(connection, project_id, job_id)
        if job.deployment_id is None and job.state in ("failed", "cancelled"):
            raise BatchJobInWrongState("the deployment of this job was deleted; make a new job with `input_of`")
        raise BatchJobInWrongState(f"only a failed or cancelled job can be resumed; this one is {job.state}")


LOCK_JOB: Final[LiteralString] = """
    SELECT id
    FROM batch_jobs
    WHERE project_id = $1
      AND id = $2
    FOR UPDATE
"""
LIST_DIGESTS: Final[LiteralString] = """
    SELECT batch_job_files.digest
    FROM batch_job_files
    JOIN batch_jobs ON batch_jobs.id = batch_job_files.job_id
    WHERE batch_jobs.project_id = $1
      AND batch_jobs.id = $2
"""
DELETE_JOB: Final[LiteralString] = """
    DELETE FROM batch_jobs
    WHERE project_id = $1
      AND id = $2
"""


async def delete_job(connection: Connection, project_id: UUID, job_id: UUID) -> list[str]:
    """Delete a job, whatever its state; the answer is the digests of its files. Raises BatchJobNotFound.

    Locks first, in a statement of its own: the next one then sees the part that its runner was writing down.
    """
    if await connection.fetchval(LOCK_JOB, project_id, job_id) is None:
        raise BatchJobNotFound(job_id)
    digests = [it["digest"] for it in await connection.fetch(LIST_DIGESTS, project_id, job_id)]
    await connection.execute(DELETE_JOB, project_id, job_id)
    return digests


async def find_file(connection: Connection, project_id: UUID, job_id: UUID, kind: str) -> tuple[BatchJob, BatchJobFile]:
    """The job and its `results` or `failed_rows`. Raises BatchJobNotFound or BatchJobFileMissing."""
    job = await find_job(connection, project_id, job_id)
    file = job.results if kind == "results" else job.failed_rows
    if file is None:
        why = "there are none" if job.state == "succeeded" else f"the job is {job.state}"
        raise BatchJobFileMissing(f"no {kind.replace('_', ' ')} of job {job_id}: {why}")
    return job, file


def _job(row: Record) -> BatchJob:
    name, format = row["file_name"], cast(Format, row["format"])
    return BatchJob(
        id=row["id"],
        project_id=row["project_id"],
        deployment_id=row["deployment_id"],
        deployment_name=row["deployment_name"],
        model_name=row["model_name"],
        model_version=row["model_version"],
        input=BatchJobInput(name, format, row["input_digest"], row["input_bytes"]),
        state=row["state"],
        reason=row["reason"],
        rows_total=row["rows_total"],
        rows_done=row["rows_done"],
        rows_failed=row["rows_failed"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        results=_file(results_name(name, format), row["results_digest"], row["results_bytes"]),
        failed_rows=_file(failed_rows_name(name), row["failed_digest"], row["failed_bytes"]),
    )


def _file(name: str, digest: str | None, size_bytes: int) -> BatchJobFile | None:
    return None if digest is None else BatchJobFile(name, digest, size_bytes)
