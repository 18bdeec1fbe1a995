"""What the gateway workers report, and what that makes of a deployment's state."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import RedisError

from contracts.workers import WORKER_TTL_S, WORKERS_KEY, RevisionState, RevisionStatus, WorkerStatus, decode_worker, worker_key
from control.deployments.queries import Placed
from control.deployments.schemas import Deployment, DeploymentState, Worker

logger = logging.getLogger(__name__)

MAX_WORKERS: Final = 256
"""Workers looked at, the most recently heard of first."""
SILENT: Final = Worker("", "pending", "", 0, 0, 0, datetime.fromtimestamp(0, UTC))


class State(Struct, frozen=True):
    """A deployment's state, and why."""

    state: DeploymentState
    reason: str = ""


async def read_workers(redis: Redis) -> list[WorkerStatus] | None:
    """The workers heard of within `WORKER_TTL_S`, in the order of their ids; None if Redis does not answer."""
    try:
        blobs = await read_reports(redis)
    except (RedisError, OSError) as error:
        logger.warning("the workers' reports cannot be read: %s", error)
        return None
    return sorted((it for blob in blobs if (it := _decode(blob))), key=lambda it: it.worker_id)


async def read_reports(redis: Redis) -> list[bytes]:
    """The same as they are stored, in no order. Raises RedisError or OSError."""
    since = time.time() - WORKER_TTL_S
    ids: list[Any] = await redis.zrevrangebyscore(WORKERS_KEY, "+inf", since, start=0, num=MAX_WORKERS)
    blobs: list[Any] = await redis.mget([worker_key(it.decode()) for it in ids]) if ids else []
    return [it for it in blobs if it]


def describe(placed: Placed, workers: Sequence[WorkerStatus] | None) -> Deployment:
    """The deployment as people see it; `workers` is None if nothing is known of them."""
    reports = [] if workers is None else workers
    shown = [_show(it, placed) for it in reports]
    is_served_by_earlier = any(_serves_earlier(it, placed) for it in reports)
    state = State("unknown", "the workers' reports cannot be read now; the deployment may well be serving")
    if workers is not None:
        state = judge(shown, placed.revision.number, is_served_by_earlier)
    return Deployment(
        placed.id,
        placed.project_id,
        placed.name,
        state.state,
        state.reason,
        placed.created_at,
        placed.updated_at,
        placed.revision,
        shown,
    )


def judge(workers: Sequence[Worker], number: int, is_served_by_earlier: bool) -> State:
    """The state of a deployment from its workers' states at revision `number`."""
    states = {it.state for it in workers}
    failure = next((it.error or "no reason given" for it in workers if it.state == "failed"), "")
    if not states:
        return State("unavailable", "no gateway worker is running")
    if states == {"ready"}:
        return State("ready")
    if "ready" in states:
        count = sum(it.state == "ready" for it in workers)
        ready = f"{count} of {len(workers)} workers serve revision {number}"
        return State("degraded", f"{ready}; another failed: {failure}" if failure else ready)
    if "loading" in states:
        return State("starting", f"workers are loading revision {number}")
    if unloaded := next((it.error for it in workers if it.state == "unloaded"), ""):
        return State("unavailable", unloaded)
    if not failure:
        return State("pending", f"no worker has picked up revision {number} yet")
    if is_served_by_earlier:
        return State("degraded", f"revision {number} failed and an earlier one still serves: {failure}")
    return State("failed", failure)


def _show(worker: WorkerStatus, placed: Placed) -> Worker:
    report = _report_on(worker, placed.revision.id)
    heard = datetime.fromtimestamp(worker.heartbeat_at, UTC)
    if report is None:
        return msgspec.structs.replace(SILENT, worker_id=worker.worker_id, heartbeat_at=heard)
    return Worker(
        worker.worker_id,
        report.state.value,
        report.error,
        report.memory_bytes,
        report.queued_rows,
        report.in_flight,
        heard,
        report.tuning,
    )


def _report_on(worker: WorkerStatus, revision_id: UUID) -> RevisionStatus | None:
    return next((it for it in worker.revisions if it.revision_id == revision_id), None)


def _serves_earlier(worker: WorkerStatus, placed: Placed) -> bool:
    return any(
        it.deployment_id == placed.id and it.revision_id != placed.revision.id and it.state == RevisionState.READY
        for it in worker.revisions
    )


def _decode(blob: bytes) -> WorkerStatus | None:
    try:
        return decode_worker(blob)
    except (msgspec.DecodeError, msgspec.ValidationError):
        logger.warning("a worker's report is not readable; is it of another version?")
        return None
