"""Worker status: what each gateway worker tells control about the models it holds.

A worker writes its status, msgpack-encoded, to `worker_key(worker_id)` with a life of `WORKER_TTL_S` at every change and at
least every `WORKER_HEARTBEAT_S`, and keeps itself in the sorted set `WORKERS_KEY` (score: seconds since the epoch).
"""

from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

WORKERS_KEY: Final = "headrace:workers"
WORKER_HEARTBEAT_S: Final = 2.0
WORKER_TTL_S: Final = 8


def worker_key(worker_id: str) -> str:
    """Redis key of one worker's status."""
    return f"headrace:worker:{worker_id}"


class RevisionState(StrEnum):
    """Where a revision stands on one worker."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    UNLOADED = "unloaded"
    """Deployed, and taken out of memory until it is loaded again."""


class CurvePoint(Struct, frozen=True):
    """What one run of a model was measured to cost when it was loaded."""

    rows: int
    threads: int
    """Intra-op threads of the onnxruntime session."""
    run_us: float


class Choice(Struct, frozen=True):
    """One value that a model is served with, and why."""

    name: str
    """`execution`, `intra_op_threads`, `max_batch_size`, `max_delay_us`, `max_queue_rows`, `timeout_ms` or `padding`."""
    value: str
    reason: str
    """One sentence for people."""
    is_pinned: bool
    """Whether the revision's settings demand it; otherwise it was measured, or is the default."""


class Tuning(Struct, frozen=True):
    """What was measured when a revision was loaded, and what follows from it."""

    points: tuple[CurvePoint, ...]
    choices: tuple[Choice, ...]
    measured_at: float
    """Seconds since the epoch; a restart on the same machine takes the earlier measurement."""
    took_s: float


class RevisionStatus(Struct, frozen=True):
    """One revision on one worker."""

    revision_id: UUID
    deployment_id: UUID
    state: RevisionState
    error: str = ""
    """Why it does not serve, for people; empty unless FAILED or UNLOADED."""
    memory_bytes: int = 0
    queued_rows: int = 0
    in_flight: int = 0
    tuning: Tuning | None = None
    """None unless READY."""


class WorkerStatus(Struct, frozen=True):
    """One gateway worker, at `heartbeat_at` (seconds since the epoch)."""

    worker_id: str
    pid: int
    started_at: float
    heartbeat_at: float
    routes_version: int
    """Version of the route table it serves; 0 before the first."""
    revisions: tuple[RevisionStatus, ...] = ()


def encode_worker(status: WorkerStatus) -> bytes:
    """The bytes stored under `worker_key`."""
    return msgspec.msgpack.encode(status)


def decode_worker(blob: bytes) -> WorkerStatus:
    """Raises msgspec.ValidationError or msgspec.DecodeError if `blob` is no worker status."""
    return msgspec.msgpack.decode(blob, type=WorkerStatus)
