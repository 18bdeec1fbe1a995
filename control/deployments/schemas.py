"""What the deployment routes take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from contracts.routes import RevisionSettings
from contracts.workers import Tuning
from control.registry.schemas import ModelVersion

DeploymentName = Annotated[str, Meta(min_length=1, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$(?!\n)")]
"""Applications call a deployment by it: lower-case letters, digits and hyphens, like a host name.

(Python's `$` also matches before a final line break.)
"""
DeploymentState = Literal["pending", "starting", "ready", "degraded", "failed", "unavailable", "unknown"]
"""
* pending: no worker has picked up the current revision yet
* starting: workers are loading it
* ready: every worker serves it
* degraded: some workers serve it and some do not, or it failed and an earlier revision still serves
* failed: no worker could load it
* unavailable: no worker is running
* unknown: the workers' reports cannot be read now
"""
WorkerState = Literal["pending", "loading", "ready", "failed", "unloaded"]


class NewDeployment(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment to create; its name must be new in the project."""

    name: DeploymentName
    model_version_id: UUID
    settings: RevisionSettings = RevisionSettings()
    """How it is served, where that is not to be measured and chosen."""


class DeploymentPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What the next revision has other than the current one; nothing at all means to deploy the same again."""

    model_version_id: UUID | UnsetType = UNSET
    settings: RevisionSettings | UnsetType = UNSET
    """All of them; what is left out is chosen by measuring again."""


class Revision(Struct, frozen=True):
    """What was deployed at one time. A revision never changes."""

    id: UUID
    number: int
    """Counts from 1 within the deployment."""
    created_at: datetime
    settings: RevisionSettings
    model_version: ModelVersion


class Worker(Struct, frozen=True):
    """One gateway worker, as far as the current revision is concerned."""

    worker_id: str
    state: WorkerState
    error: str
    """Why it failed, or what loads it again if it was unloaded; empty otherwise."""
    memory_bytes: int
    queued_rows: int
    in_flight: int
    heartbeat_at: datetime
    tuning: Tuning | None = None
    """What was measured when the worker loaded the revision, and how it is served because of it; null until then."""


class Deployment(Struct, frozen=True):
    """A name that applications call, what is deployed under it, and how the workers get on with it."""

    id: UUID
    project_id: UUID
    name: str
    state: DeploymentState
    state_reason: str
    """One sentence for people; empty when there is nothing to explain."""
    created_at: datetime
    updated_at: datetime
    revision: Revision
    workers: list[Worker]


class DeploymentPage(Struct, frozen=True):
    """Deployments, newest first."""

    items: list[Deployment]
    next_cursor: UUID | None


class RevisionPage(Struct, frozen=True):
    """Revisions of a deployment, newest first."""

    items: list[Revision]
    next_cursor: UUID | None
