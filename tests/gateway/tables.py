"""Route tables as control would publish them, and a way to publish them."""

import hashlib
from pathlib import Path
from uuid import UUID, uuid4

import redis

from contracts.routes import (
    ROUTES_CHANNEL,
    ROUTES_KEY,
    Artifact,
    Batching,
    Deployment,
    Key,
    Revision,
    RevisionSettings,
    RouteTable,
    encode_routes,
)

ORGANIZATION = UUID(int=1)
PROJECT = UUID(int=2)
SECRET = "s" * 32


def store_model(artifacts: Path, source: Path) -> Artifact:
    """Put `source` where a directory store keeps it."""
    blob = source.read_bytes()
    digest = hashlib.sha256(blob).hexdigest()
    path = artifacts / "sha256" / digest[:2] / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(blob)
    return Artifact(digest, len(blob))


def revision(artifact: Artifact, version: int = 1, batching: Batching | None = None, weight: int = 100) -> Revision:
    return Revision(uuid4(), uuid4(), "tiny", version, artifact, weight, RevisionSettings(batching or Batching()))


def deployment(name: str, *revisions: Revision, project: UUID = PROJECT, deployment_id: UUID | None = None) -> Deployment:
    return Deployment(deployment_id or uuid4(), ORGANIZATION, project, name, revisions)


def key(
    key_id: str = "abcdefghijkl",
    scopes: tuple[str, ...] = ("infer",),
    expires_at: float | None = None,
    project: UUID = PROJECT,
) -> Key:
    return Key(key_id, uuid4(), ORGANIZATION, project, hashlib.sha256(SECRET.encode()).digest(), scopes, expires_at)


def authorization(key_id: str = "abcdefghijkl", secret: str = SECRET) -> dict[str, str]:
    """The header that presents the key."""
    return {"Authorization": f"Bearer hr_{key_id}_{secret}"}


def publish(client: redis.Redis, table: RouteTable) -> None:
    """As control does: the table first, then the announcement."""
    client.set(ROUTES_KEY, encode_routes(table))
    client.publish(ROUTES_CHANNEL, str(table.version))
