"""The route table: what control publishes and gateways serve from.

Control is the only writer. It stores the whole table, msgpack-encoded, under `ROUTES_KEY` and announces the version on
`ROUTES_CHANNEL`. A gateway swaps the table in whole and keeps the last one on disk.
"""

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

ROUTES_KEY: Final = "headrace:routes"
ROUTES_CHANNEL: Final = "headrace:routes:changed"
"""Each message is the new version as decimal digits."""


class Artifact(Struct, frozen=True):
    """One stored model file; `digest` is its SHA-256 in hex and its address in the artifact store."""

    digest: str
    size_bytes: int


class Padding(Struct, frozen=True, forbid_unknown_fields=True):
    """Inputs of variable length may share a run: their free axes are filled up to one length."""

    value: float = 0.0
    buckets: Annotated[tuple[Annotated[int, Meta(ge=1)], ...], Meta(max_length=64)] = ()
    """Lengths that a filled axis is raised to; empty means the longest of the batch."""


class Batching(Struct, frozen=True, forbid_unknown_fields=True):
    """How requests to one model may be joined, and how long they may wait. None: the gateway chooses."""

    max_batch_size: Annotated[int, Meta(ge=1, le=4096)] | None = None
    """Rows of one run."""
    max_delay_us: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    """How long the first row of a batch may wait for company while the model is idle."""
    max_queue_rows: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    """Rows that may wait; further requests are answered 503."""
    timeout_ms: Annotated[int, Meta(ge=1, le=3_600_000)] | None = None
    """How long a request may wait for its answer before 504; a request may ask for less, never for more."""
    padding: Padding | None = None
    """None: requests of different lengths never share a run."""


class Execution(Struct, frozen=True, forbid_unknown_fields=True):
    """How runs happen. None: as measured when the model is loaded."""

    mode: Literal["inline", "thread"] | None = None
    """On the event loop, or in the model's thread."""
    intra_op_threads: Annotated[int, Meta(ge=1, le=64)] | None = None
    """Threads of the onnxruntime session."""


class Cache(Struct, frozen=True, forbid_unknown_fields=True):
    """Answers to exactly the same input, kept."""

    ttl_s: Annotated[float, Meta(ge=0.1, le=604_800)] = 60.0
    max_bytes: Annotated[int, Meta(ge=1024, le=1 << 36)] = 64 << 20
    """Of one worker's memory."""


class RevisionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How a revision is served. What is None, the gateway chooses by measuring."""

    batching: Batching = Batching()
    execution: Execution = Execution()
    latency_goal_ms: Annotated[float, Meta(gt=0, le=600_000)] | None = None
    """What the batch size and the delay are chosen for."""
    cache: Cache | None = None
    """None: every request runs the model."""
    max_concurrency: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """Requests under way at once in all workers; further ones are answered 429."""


class Revision(Struct, frozen=True):
    """An immutable deployment spec: a model version and its settings."""

    revision_id: UUID
    version_id: UUID
    model_name: str
    version: int
    """The model version's number, from 1; the `model_version` of the protocol, as text."""
    artifact: Artifact
    weight: int = 100
    """Share of the deployment's traffic, relative to its other revisions."""
    settings: RevisionSettings = RevisionSettings()


class KeyLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What one key may take, over all workers. None: no limit."""

    requests_per_s: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    burst: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    """Requests that may come at once after a pause; None means what comes in a quarter of a second, at least one."""
    rows_per_s: Annotated[float, Meta(gt=0, le=100_000_000)] | None = None
    requests_per_day: Annotated[int, Meta(ge=1, le=1_000_000_000_000)] | None = None
    """Counted by UTC day."""
    max_concurrency: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """Requests under way at once."""


class Deployment(Struct, frozen=True):
    """A name that applications call; the key's project and this name find it."""

    deployment_id: UUID
    organization_id: UUID
    project_id: UUID
    name: str
    revisions: tuple[Revision, ...]
    organization_slug: str = ""
    project_slug: str = ""
    """With the organization's slug the path prefix under which the project can be called too."""


class Key(Struct, frozen=True):
    """An API key as gateways know it: never the secret, only its SHA-256."""

    key_id: str
    """The public part, between `hr_` and the secret."""
    key_uuid: UUID
    organization_id: UUID
    project_id: UUID
    secret_sha256: bytes
    scopes: tuple[str, ...]
    expires_at: float | None = None
    """Seconds since the epoch; None means never."""
    limits: KeyLimits = KeyLimits()
    deployments: tuple[UUID, ...] | None = None
    """Those it is for; None means all of its project."""
    networks: tuple[str, ...] = ()
    """Where it may be used: IPv4 and IPv6 ranges such as `10.0.0.0/8`; empty means anywhere."""
    previous_sha256: bytes | None = None
    """Of the secret it had before its last rotation."""
    previous_expires_at: float | None = None
    """Until when that is good too, seconds since the epoch; None if there is no such secret."""


class RouteTable(Struct, frozen=True):
    """Everything a gateway needs to answer; swapped in whole, newer versions only."""

    version: int
    deployments: tuple[Deployment, ...] = ()
    keys: tuple[Key, ...] = ()


def encode_routes(table: RouteTable) -> bytes:
    """The bytes stored under `ROUTES_KEY`."""
    return msgspec.msgpack.encode(table)


def decode_routes(blob: bytes) -> RouteTable:
    """Raises msgspec.ValidationError or msgspec.DecodeError if `blob` is no route table."""
    return msgspec.msgpack.decode(blob, type=RouteTable)
