"""Brings models to where the route table wants them, one revision after the other, without a gap in service.

A revision's file is fetched and verified, loaded and warmed up in a thread, and only then serves; what it replaces is let go when
its last request is done. A file that cannot be had is tried for again, without end but ever more slowly; a model that does not
load is not: its bytes will not change.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Container
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from contracts.artifacts import ArtifactStore, ArtifactUnavailable
from contracts.errors import HeadraceError
from contracts.routes import Deployment, Revision, RouteTable
from contracts.workers import RevisionState
from gateway.cache.cached_model import CachedModel
from gateway.cache.shared import SharedStore
from gateway.endpoints import Endpoint, Placement
from gateway.redis_client import backoff
from gateway.traffic import Counts, Traffic
from serving.batch_statistics import Statistics
from serving.models import Model

logger = logging.getLogger(__name__)

LOADS_AT_ONCE: Final = 2
"""Loading takes a core from the requests that are being answered meanwhile."""
TRIES_BEFORE_FAILED: Final = 3
LONGEST_DELAY_S: Final = 30.0
ABANDONED_S: Final = 86_400
"""A download that has not ended after a day never will."""

Result = TypeVar("Result")

LoadModel = Callable[[Path, Deployment, Revision], Model]
"""Loads and warms up one revision's file; blocks, so it is called in a thread. Raises HeadraceError with a text for people."""


class Loader:
    """Holds this worker's endpoints; `on_change` is called whenever a revision's state has changed."""

    def __init__(
        self,
        store: ArtifactStore,
        cache: Path,
        load_model: LoadModel,
        traffic: Traffic,
        on_change: Callable[[], None],
        answers: SharedStore | None = None,
    ) -> None:
        """`answers` are those shared with other gateways, for deployments that cache theirs."""
        self._store, self._cache, self._load_model, self._traffic, self._answers = store, cache, load_model, traffic, answers
        self._on_change = on_change
        self.endpoints: dict[UUID, Endpoint] = {}
        """By deployment id."""
        self.unloaded: Container[UUID] = frozenset()
        """Deployments to take out of memory; heeded at the next `apply`."""
        self.settled = asyncio.Event()
        """Set once every revision of the first table has been loaded or has failed, and for good."""
        self._placements: dict[UUID, Placement] = {}
        self._tasks: dict[Placement, asyncio.Task[None]] = {}
        self._threads: set[asyncio.Future[Any]] = set()
        self._slots = asyncio.Semaphore(LOADS_AT_ONCE)

    def apply(self, table: RouteTable) -> None:
        """Want what `table` says: begin to load what is new, let go what it has no more."""
        endpoints: dict[UUID, Endpoint] = {}
        for deployment in table.deployments:
            endpoint = self.endpoints.get(deployment.deployment_id) or Endpoint()
            endpoints[deployment.deployment_id] = endpoint
            place = self._place_unloaded if deployment.deployment_id in self.unloaded else self._place
            endpoint.wanted = tuple(place(endpoint, deployment, it) for it in deployment.revisions)
            endpoint.settle()
        self.endpoints = endpoints
        self._let_go()
        self._in_thread(
            tidy, self._cache, {it.artifact.digest for deployment in table.deployments for it in deployment.revisions}
        )
        self._traffic.forget_all_but(endpoints.keys())
        self._changed()

    def placements(self) -> list[Placement]:
        """Every revision on this worker, wanted or still serving."""
        return [it for endpoint in self.endpoints.values() for it in endpoint.placements()]

    @property
    def is_busy(self) -> bool:
        """Whether a thread is inside a model: loading, running or closing it."""
        return bool(self._threads) or any(it.model.in_flight for it in self.placements() if it.model is not None)

    def _place(self, endpoint: Endpoint, deployment: Deployment, revision: Revision) -> Placement:
        placement = self._placements.get(revision.revision_id)
        if placement is not None:
            placement.revision = revision  # its weight may have changed
            return placement
        placement = Placement(deployment, revision, self._traffic.counts_of(deployment.deployment_id, revision.version))
        self._placements[revision.revision_id] = placement
        self._tasks[placement] = asyncio.create_task(self._bring_up(endpoint, placement), name=f"load {deployment.name}")
        return placement

    def _place_unloaded(self, _endpoint: Endpoint, deployment: Deployment, revision: Revision) -> Placement:
        placement = Placement(deployment, revision, self._traffic.counts_of(deployment.deployment_id, revision.version))
        placement.unload()
        return placement

    async def _bring_up(self, endpoint: Endpoint, placement: Placement) -> None:
        try:
            path = await self._fetch(placement)
            async with self._slots:
                model = await self._load(placement, path)
        except HeadraceError as error:
            self._fail(placement, str(error))
        except Exception as error:
            logger.exception("loading %s failed", placement)
            self._fail(placement, f"loading failed unexpectedly: {error}")
        else:
            self._serve(placement, model)
            logger.info("%s is ready", placement)
        del self._tasks[placement]
        endpoint.settle()
        self._let_go()
        self._changed()

    def _serve(self, placement: Placement, model: Model) -> None:
        settings, counts = placement.revision.settings.cache, placement.counts.cache
        placement.counts.begin(model.statistics)
        if settings is None:
            placement.serve(model, model.submit)
            return
        placement.cache = CachedModel(model, settings, placement.revision.revision_id, self._answers, counts)
        placement.serve(model, placement.cache.submit)

    async def _fetch(self, placement: Placement) -> Path:
        delays = backoff(0.5, LONGEST_DELAY_S)
        tries = 0
        while True:
            try:
                return await self._store.local_copy(placement.revision.artifact.digest, self._cache)
            except ArtifactUnavailable as error:
                tries += 1
                logger.warning("%s: try %d: %s", placement, tries, error)
                if tries >= TRIES_BEFORE_FAILED:
                    self._fail(placement, f"{error}; trying again every {LONGEST_DELAY_S:.0f} s")
                    self._changed()
            await asyncio.sleep(next(delays))

    async def _load(self, placement: Placement, path: Path) -> Model:
        loading = self._in_thread(self._load_model, path, placement.deployment, placement.revision)
        try:
            return await asyncio.shield(loading)
        except asyncio.CancelledError:
            loading.add_done_callback(self._close_unwanted)  # the thread goes on; nobody waits for its model
            raise

    def _fail(self, placement: Placement, error: str) -> None:
        placement.state, placement.error = RevisionState.FAILED, error
        logger.error("%s failed: %s", placement, error)

    def _let_go(self) -> None:
        kept = set(self.placements())
        for placement in [it for it in self._placements.values() if it not in kept]:
            del self._placements[placement.revision.revision_id]
            if task := self._tasks.pop(placement, None):
                task.cancel()
            if placement.cache is not None:
                placement.cache.release()
            if placement.model is not None:
                logger.info("%s is let go", placement)
                closing = self._in_thread(placement.model.close)
                closing.add_done_callback(partial(_stop_counting, placement.counts, placement.model.statistics))

    def _close_unwanted(self, loading: asyncio.Future[Model]) -> None:
        if not loading.cancelled() and loading.exception() is None:
            self._in_thread(loading.result().close)

    def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> asyncio.Future[Result]:
        task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
        self._threads.add(task)
        task.add_done_callback(self._threads.discard)
        return task

    def _changed(self) -> None:
        if not any(it.state is RevisionState.LOADING for it in self.placements()):
            self.settled.set()
        self._on_change()


def _stop_counting(counts: Counts, statistics: Statistics, _: asyncio.Future[None]) -> None:
    counts.end(statistics)


def tidy(cache: Path, digests: Container[str]) -> None:
    """Delete cached model files other than `digests`, and downloads that a crash left unfinished."""
    for path in cache.glob("sha256/*/*"):
        try:
            if path.is_file() and path.name not in digests:
                path.unlink()
            elif path.is_dir() and time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path)
        except OSError as error:  # another worker was faster, or the disk refuses; the next table tries again
            logger.warning("%s cannot be deleted: %s", path, error)
