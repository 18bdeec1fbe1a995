"""Claiming jobs and giving each a process, a few at a time; every control process does this."""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import asyncpg
from msgspec import Struct

from contracts.settings import ControlSettings
from control.background import running
from control.batch_jobs import progress, workers
from control.batch_jobs.orders import RunOrder
from control.batch_jobs.progress import Claim
from control.database import Database, DatabaseUnavailable
from control.keys.secrets import console_key

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.5
"""How often to look for jobs that nobody runs."""


class Dispatcher(Struct, frozen=True):
    """What running jobs needs."""

    settings: ControlSettings
    database: Database
    folder: Path
    """Where the jobs' files are worked on; leftovers vanish with the process."""


@asynccontextmanager
async def dispatching(dispatcher: Dispatcher) -> AsyncGenerator[None]:
    """Keep up to `batch_jobs_at_once` jobs running for as long as the block runs; those under way then are given back."""
    jobs: set[asyncio.Task[None]] = set()
    try:
        async with running(_claim_forever(dispatcher, jobs)):
            yield
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def _claim_forever(dispatcher: Dispatcher, jobs: set[asyncio.Task[None]]) -> None:
    while True:
        await _claim_all(dispatcher, jobs)
        await asyncio.sleep(LOOK_S)


async def _claim_all(dispatcher: Dispatcher, jobs: set[asyncio.Task[None]]) -> None:
    while len(jobs) < dispatcher.settings.batch_jobs_at_once:
        try:
            claim = await dispatcher.database.change(lambda it: progress.claim_job(it, uuid4()))
        except (DatabaseUnavailable, asyncpg.UndefinedTableError) as error:
            logger.debug("batch jobs cannot be claimed now: %s", error)
            return
        if claim is None:
            return
        task = asyncio.create_task(_run(dispatcher, claim))
        jobs.add(task)
        task.add_done_callback(jobs.discard)


async def _run(dispatcher: Dispatcher, claim: Claim) -> None:
    """Run a job. Whatever happens, it does not stay ours."""
    try:
        if claim.attempts > progress.MAX_ATTEMPTS:
            await _fail(dispatcher, claim)
            return
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=dispatcher.folder))
        try:
            status = await workers.run_job(_order(dispatcher.settings, claim, folder))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        if status:
            logger.error("the process of batch job %s %s", claim.job_id, workers.describe_end(status))
            job = claim.job_id, claim.runner
            await dispatcher.database.change(lambda it: progress.give_back(it, *job, is_attempt=True))
    except (DatabaseUnavailable, OSError) as error:  # no room for a folder, no process to be had
        logger.warning("job %s is left to whoever finds it: %s", claim.job_id, error)


async def _fail(dispatcher: Dispatcher, claim: Claim) -> None:
    reason = f"{progress.MAX_ATTEMPTS} times in a row its process ended before one more part of it was done; the log says how"
    logger.error("batch job %s failed: %s", claim.job_id, reason)
    await dispatcher.database.change(lambda it: progress.fail_job(it, claim.job_id, claim.runner, reason))


def _order(settings: ControlSettings, claim: Claim, folder: Path) -> RunOrder:
    return RunOrder(
        job_id=claim.job_id,
        runner=claim.runner,
        folder=str(folder),
        database_url=settings.database_url,
        artifacts=settings.artifacts_location(),
        s3_endpoint=settings.s3_endpoint,
        gateway_url=settings.gateway_url or settings.inference_url,
        key=console_key(settings.secret, claim.project_id).text,
        memory_bytes=settings.batch_job_memory_bytes,
    )
