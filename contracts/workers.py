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


class RevisionStatus(Struct, frozen=True):
    """One revision on one worker."""

    revision_id: UUID
    deployment_id: UUID
    state: RevisionState
    error: str = ""
    """Why it failed, for people; empty unless FAILED."""
    memory_bytes: int = 0
    queued_rows: int = 0
    in_flight: int = 0


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
