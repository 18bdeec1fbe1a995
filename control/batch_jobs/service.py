"""Making batch jobs, and giving out their files.

No transaction is open while bytes come in, are looked into, or go to the store.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from msgspec import Struct

from contracts.artifacts import ArtifactUnavailable
from control.audit.recording import Target, Who, record
from control.batch_jobs import queries, workers
from control.batch_jobs.errors import InputTooLarge
from control.batch_jobs.formats import Format, format_of
from control.batch_jobs.orders import CheckOrder
from control.batch_jobs.queries import NewJob
from control.batch_jobs.schemas import BatchJob
from control.database import Database
from control.deployments.queries import find_deployment
from control.registry import artifacts
from control.registry.errors import StoreUnavailable, UploadTooLarge
from control.registry.schemas import ModelVersion
from control.registry.service import release, store_file
from control.resources import Resources

CHUNK_BYTES: Final = 1 << 20
RELEASE_BATCH: Final = 100


class NewInput(Struct, frozen=True):
    """What somebody wants to have predicted, and by what."""

    project_id: UUID
    deployment_id: UUID
    who: Who
    file_name: str
    announced_bytes: int | None
    """What the sender says the size is, if they say."""


async def create_job(resources: Resources, new: NewInput, chunks: AsyncIterator[bytes]) -> BatchJob:
    """Take in a file, look into it, store it and queue its job, or leave nothing of it behind.

    Raises DeploymentNotFound, InputTooLarge, InputRefused, BatchJobsWaiting, and what taking in a model file raises.
    """
    limit = resources.settings.max_batch_input_bytes
    if new.announced_bytes is not None and new.announced_bytes > limit:
        raise InputTooLarge(limit)
    format = format_of(new.file_name)
    version = await _served(resources.pool.of(new.who.organization_id), new.project_id, new.deployment_id)
    try:
        async with resources.registry.staging.receive(chunks, limit) as upload:
            rows = await _check(resources, upload.path, format, version)
            await store_file(resources.pool.across_tenants, resources.artifacts, upload.path, upload.digest)
            file = new.file_name, format, upload.digest, upload.size_bytes
            return await _insert(
                resources, new.project_id, new.who, NewJob(new.deployment_id, version.id, new.who.user_id, *file, rows)
            )
    except UploadTooLarge as error:
        raise InputTooLarge(limit) from error


async def repeat_job(resources: Resources, project_id: UUID, deployment_id: UUID, job_id: UUID, who: Who) -> BatchJob:
    """Queue a job for the input of an earlier one.

    Raises BatchJobNotFound, DeploymentNotFound, UploadsBusy, InputRefused, BatchJobsWaiting or StoreUnavailable.
    """
    database = resources.pool.of(who.organization_id)
    earlier = (await database.run(lambda it: queries.find_job(it, project_id, job_id))).input
    version = await _served(database, project_id, deployment_id)
    async with _local_copy(resources, earlier.digest) as path:
        rows = await _check(resources, path, earlier.format, version)
    file = earlier.file_name, earlier.format, earlier.digest, earlier.size_bytes
    return await _insert(resources, project_id, who, NewJob(deployment_id, version.id, who.user_id, *file, rows))


async def delete_job(resources: Resources, project_id: UUID, job_id: UUID, who: Who) -> None:
    """Delete a job with its files; one that runs ends. Raises BatchJobNotFound."""
    async with resources.pool.of(who.organization_id).transaction() as connection:
        gone = await queries.find_job(connection, project_id, job_id)
        digests = await queries.delete_job(connection, project_id, job_id)
        await record(connection, who, "batch_job.delete", Target(job_id, gone.input.file_name), before=gone)
    for start in range(0, len(digests), RELEASE_BATCH):
        await release(resources.pool.across_tenants, resources.artifacts, digests[start : start + RELEASE_BATCH])


async def read_file(resources: Resources, digest: str) -> AsyncIterator[bytes]:
    """The bytes of a stored file, as they are asked for. Raises StoreUnavailable at once, not in the middle."""
    chunks = _read(resources, digest)
    first = await anext(chunks, b"")

    async def all_chunks() -> AsyncGenerator[bytes]:
        async with aclosing(chunks):
            yield first
            async for chunk in chunks:
                yield chunk

    return all_chunks()


async def _read(resources: Resources, digest: str) -> AsyncGenerator[bytes]:
    async with _local_copy(resources, digest) as path:
        with path.open("rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk


async def _served(database: Database, project_id: UUID, deployment_id: UUID) -> ModelVersion:
    placed = await database.run(lambda it: find_deployment(it, project_id, deployment_id))
    return placed.revision.model_version


async def _check(resources: Resources, path: Path, format: Format, version: ModelVersion) -> int:
    memory = resources.settings.batch_job_memory_bytes
    async with resources.batch_inputs.take():
        return await workers.check_input(CheckOrder(str(path), format, version.inputs, version.metadata, memory))


async def _insert(resources: Resources, project_id: UUID, who: Who, new: NewJob) -> BatchJob:
    database = resources.pool.of(who.organization_id)
    try:
        async with database.transaction() as connection:
            if not await artifacts.hold(connection, new.digest):
                raise StoreUnavailable("the same file was deleted a moment ago; try again")
            job_id = await queries.insert_job(connection, project_id, new)
            await record(connection, who, "batch_job.create", Target(job_id, new.file_name), after=new)
    except BaseException:
        await release(resources.pool.across_tenants, resources.artifacts, [new.digest])
        raise
    return await database.run(lambda it: queries.find_job(it, project_id, job_id))


@asynccontextmanager
async def _local_copy(resources: Resources, digest: str) -> AsyncGenerator[Path]:
    """A stored file on this machine, for as long as the block runs."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=resources.registry.staging.root))
    try:
        yield await resources.artifacts.local_copy(digest, folder)
    except ArtifactUnavailable as error:
        raise StoreUnavailable("the artifact store does not give the file; try again", retry_after_s=10) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
