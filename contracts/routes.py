"""The route table: what control publishes and gateways serve from.

Control is the only writer. It stores the whole table, msgpack-encoded, under `ROUTES_KEY` and announces the version on
`ROUTES_CHANNEL`. A gateway swaps the table in whole and keeps the last one on disk.
"""

from typing import Annotated, Final
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


class Batching(Struct, frozen=True):
    """How requests to one model may be joined."""

    max_batch_size: Annotated[int, Meta(ge=1, le=4096)] = 64
    max_delay_us: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """How long the first row of a batch may wait for company while the model is idle."""


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
    batching: Batching = Batching()


class Deployment(Struct, frozen=True):
    """A name that applications call; the key's project and this name find it."""

    deployment_id: UUID
    organization_id: UUID
    project_id: UUID
    name: str
    revisions: tuple[Revision, ...]


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
