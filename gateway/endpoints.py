"""What a deployment's name leads to on this worker: its revisions, and which of them answer."""

import random
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Protocol

from contracts.routes import Deployment, Revision
from contracts.workers import RevisionState, RevisionStatus
from gateway.cache.cached_model import CachedModel
from gateway.log_records import Owner
from gateway.traffic import Counts
from serving.calls import Submit
from serving.models import Model


class Gate(Protocol):
    """How many requests may be under way at once."""

    @property
    def under_way(self) -> int:
        """Those of the deployment on this worker."""
        ...

    def enter(self) -> None:
        """Raises TooMany."""
        ...

    def leave(self) -> None: ...


class Placement:
    """One revision on this worker: where it stands, and its model while it is READY."""

    __slots__ = ("cache", "counts", "deployment", "error", "gate", "model", "owner", "revision", "state", "submit")

    def __init__(self, deployment: Deployment, revision: Revision, counts: Counts) -> None:
        self.deployment, self.revision, self.counts = deployment, revision, counts
        self.state = RevisionState.LOADING
        self.error = ""
        self.model: Model | None = None
        self.submit: Submit | None = None
        """What takes the model's requests: the model itself, or what stands in front of it."""
        self.cache: CachedModel | None = None
        """What `submit` belongs to, if answers are cached."""
        self.gate: Gate | None = None
        self.owner = Owner(
            deployment.organization_id.bytes,
            deployment.project_id.bytes,
            deployment.deployment_id.bytes,
            revision.revision_id.bytes,
            revision.version_id.bytes,
        )

    def __str__(self) -> str:
        return f"{self.deployment.name} (model {self.revision.model_name} version {self.revision.version})"

    def serve(self, model: Model, submit: Submit) -> None:
        """Be READY."""
        self.model, self.submit = model, submit
        self.state, self.error = RevisionState.READY, ""

    def unload(self) -> None:
        """Be UNLOADED: the route table wants it, and somebody had it taken out of memory."""
        self.state = RevisionState.UNLOADED
        self.error = f"it was unloaded; POST /v2/repository/models/{self.deployment.name}/load loads it again"

    def why_not_serving(self) -> str:
        """For the caller of a placement without a model."""
        return f"{self} does not serve: {self.error}" if self.error else f"{self} is being loaded; try again"

    def describe(self) -> RevisionStatus:
        """As control is told."""
        model = self.model
        return RevisionStatus(
            self.revision.revision_id,
            self.deployment.deployment_id,
            self.state,
            self.error,
            model.memory_bytes if model else 0,
            model.queued_rows if model else 0,
            model.in_flight if model else 0,
            model.tuning if model else None,
        )


class Endpoint:
    """One deployment. `wanted` is what the route table says; `serving` is what answers, and lags behind until the wanted can."""

    __slots__ = ("_bounds", "serving", "wanted")

    def __init__(self) -> None:
        self.wanted: tuple[Placement, ...] = ()
        self.serving: tuple[Placement, ...] = ()
        self._bounds: list[int] = []

    def settle(self) -> None:
        """Let the wanted revisions take over if they can: all have loaded or failed, and not all failed.

        Until then what served goes on serving; with nothing serving yet, those that are ready begin.
        """
        if all(it.state is RevisionState.UNLOADED for it in self.wanted):
            self.serving = ()
        ready = tuple(it for it in self.wanted if it.state is RevisionState.READY)
        if ready and (not self.serving or all(it.state is not RevisionState.LOADING for it in self.wanted)):
            self.serving = ready
            self._bounds = list(accumulate(it.revision.weight for it in ready))

    def placements(self) -> Iterable[Placement]:
        """All of this deployment's revisions on this worker, the wanted ones first."""
        return dict.fromkeys((*self.wanted, *self.serving))

    def pick(self) -> Placement | None:
        """A serving revision, each as often as its weight says; if none serves the first that is wanted, if any is."""
        serving = self.serving
        if len(serving) == 1:
            return serving[0]
        if not serving:
            return self.wanted[0] if self.wanted else None
        point = random.random() * self._bounds[-1]  # noqa: S311
        return serving[min(bisect_right(self._bounds, point), len(serving) - 1)]

    def pick_version(self, version: str) -> Placement | None:
        """The revision with this model version, a serving one first."""
        known = (*self.serving, *self.wanted)
        return next((it for it in known if str(it.revision.version) == version), None)
