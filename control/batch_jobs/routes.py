"""Batch job routes. An input file is the bare bytes, streamed."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from control.audit.recording import Target, record
from control.batch_jobs import queries, service
from control.batch_jobs.formats import MEDIA_TYPES
from control.batch_jobs.schemas import BatchJob, BatchJobFile, BatchJobPage
from control.fields import DEFAULT_LIMIT, Cursor, Limit
from control.injected import Connection, Database, Resources, Tenant, Who

JOBS: Final = "/projects/{project_id:uuid}/batch-jobs"
JOB: Final = JOBS + "/{job_id:uuid}"

FileName = Annotated[
    str,
    QueryParameter(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)",
        description="Name of the file; its ending tells the format: .csv, .jsonl, .ndjson, .parquet or .pq.",
    ),
]
DeploymentId = Annotated[UUID, QueryParameter(description="Whose current model version predicts the rows.")]
InputOf = Annotated[UUID | None, QueryParameter(description="Take the input of this earlier job; the request then has no body.")]


@dataclass
class InputOperation(Operation):
    """Says what a handler that reads the stream itself cannot say by its signature."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            description="The bytes of one CSV, JSON lines or Parquet file.",
            required=False,
            content={"application/octet-stream": OpenAPIMediaType(schema=Schema(content_media_type="application/octet-stream"))},
        )


@post(
    JOBS,
    operation_id="createBatchJob",
    tags=["Batch jobs"],
    permission="predictions:make",
    operation_class=InputOperation,
    request_max_body_size=None,
)
async def create_batch_job(
    tenant: Tenant,
    resources: Resources,
    request: Request[Any, Any, Any],
    who: Who,
    deployment_id: DeploymentId,
    file_name: FileName = "input.csv",
    input_of: InputOf = None,
) -> BatchJob:
    """Predict every row of a file. Its columns are checked first; a file that does not fit the model leaves nothing."""
    if input_of is not None:
        return await service.repeat_job(resources, tenant.project_id, deployment_id, input_of, who)
    name = PurePath(file_name.replace("\\", "/")).name
    length = request.headers.get("content-length")
    new = service.NewInput(tenant.project_id, deployment_id, who, name, int(length) if length else None)
    return await service.create_job(resources, new, request.stream())


@get(JOBS, operation_id="listBatchJobs", tags=["Batch jobs"], permission="deployments:read")
async def list_batch_jobs(
    tenant: Tenant, connection: Connection, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> BatchJobPage:
    """A project's batch jobs, newest first."""
    items = await queries.list_jobs(connection, tenant.project_id, cursor, limit + 1)
    return BatchJobPage(items[:limit], items[limit - 1].id if len(items) > limit else None)


@get(JOB, operation_id="getBatchJob", tags=["Batch jobs"], permission="deployments:read")
async def get_batch_job(job_id: FromPath[UUID], tenant: Tenant, connection: Connection) -> BatchJob:
    """One batch job, with how far it is."""
    return await queries.find_job(connection, tenant.project_id, job_id)


@post(JOB + "/cancel", operation_id="cancelBatchJob", tags=["Batch jobs"], permission="predictions:make", status_code=HTTP_200_OK)
async def cancel_batch_job(job_id: FromPath[UUID], tenant: Tenant, connection: Connection, who: Who) -> BatchJob:
    """Stop a job where it is; it can be resumed from there."""
    await queries.cancel_job(connection, tenant.project_id, job_id)
    job = await queries.find_job(connection, tenant.project_id, job_id)
    await record(connection, who, "batch_job.cancel", Target(job_id, job.input.file_name), after={"state": job.state})
    return job


@post(JOB + "/resume", operation_id="resumeBatchJob", tags=["Batch jobs"], permission="predictions:make", status_code=HTTP_200_OK)
async def resume_batch_job(job_id: FromPath[UUID], tenant: Tenant, connection: Connection, who: Who) -> BatchJob:
    """Let a failed or cancelled job go on with the rows it has not done."""
    await queries.resume_job(connection, tenant.project_id, job_id)
    job = await queries.find_job(connection, tenant.project_id, job_id)
    await record(connection, who, "batch_job.resume", Target(job_id, job.input.file_name), after={"state": job.state})
    return job


@delete(JOB, operation_id="deleteBatchJob", tags=["Batch jobs"], permission="predictions:make")
async def delete_batch_job(job_id: FromPath[UUID], tenant: Tenant, resources: Resources, who: Who) -> None:
    """Delete a job with its input and its results; one that runs is stopped."""
    await service.delete_job(resources, tenant.project_id, job_id, who)


DOWNLOAD: Final = {HTTP_200_OK: ResponseSpec(bytes, description="The file.", media_type="*/*", generate_examples=False)}


@get(JOB + "/results", operation_id="getBatchJobResults", tags=["Batch jobs"], permission="telemetry:read", responses=DOWNLOAD)
async def get_batch_job_results(job_id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources) -> Stream:
    """The rows of the input, each followed by the model's outputs, in the input's format."""
    job, file = await database.run(lambda it: queries.find_file(it, tenant.project_id, job_id, "results"))
    return await _download(resources, file, MEDIA_TYPES[job.input.format])


@get(
    JOB + "/failed-rows",
    operation_id="getBatchJobFailedRows",
    tags=["Batch jobs"],
    permission="telemetry:read",
    responses=DOWNLOAD,
)
async def get_batch_job_failed_rows(job_id: FromPath[UUID], tenant: Tenant, database: Database, resources: Resources) -> Stream:
    """The rows without results as JSON lines: `row` (from 1), `error`, `values`."""
    _, file = await database.run(lambda it: queries.find_file(it, tenant.project_id, job_id, "failed_rows"))
    return await _download(resources, file, MEDIA_TYPES["jsonl"])


async def _download(resources: Resources, file: BatchJobFile, media_type: str) -> Stream:
    headers = {
        "Content-Length": str(file.size_bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.file_name, safe='')}",
    }
    return Stream(await service.read_file(resources, file.digest), media_type=media_type, headers=headers)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    create_batch_job,
    list_batch_jobs,
    get_batch_job,
    cancel_batch_job,
    resume_batch_job,
    delete_batch_job,
    get_batch_job_results,
    get_batch_job_failed_rows,
]
