"""Reports of gateway workers, written as a worker writes them."""

import time
from typing import Any
from uuid import UUID, uuid4

from redis.asyncio import Redis

from contracts.workers import WORKER_TTL_S, WORKERS_KEY, RevisionState, RevisionStatus, WorkerStatus, encode_worker, worker_key

Json = dict[str, Any]


def report(deployment: Json, state: RevisionState, error: str = "", revision_id: str = "") -> RevisionStatus:
    """Where a worker stands with a deployment's current revision, or with another one."""
    revision = UUID(revision_id or deployment["revision"]["id"])
    return RevisionStatus(revision, UUID(deployment["id"]), state, error, memory_bytes=1000, queued_rows=2, in_flight=3)


def status(worker_id: str, *reports: RevisionStatus, heartbeat_at: float | None = None) -> WorkerStatus:
    """A worker's report as of now, or as of `heartbeat_at`."""
    return WorkerStatus(worker_id, 1, 0.0, heartbeat_at or time.time(), 1, reports)


async def write(redis: Redis, worker: WorkerStatus) -> None:
    """Do what a worker does at every heartbeat."""
    await redis.set(worker_key(worker.worker_id), encode_worker(worker), ex=WORKER_TTL_S)
    await redis.zadd(WORKERS_KEY, {worker.worker_id: worker.heartbeat_at})


def other_revision() -> str:
    """The id of a revision that is not the current one."""
    return str(uuid4())
