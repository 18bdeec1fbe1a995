"""One gateway worker, put together: routes in, models up, requests answered, log out."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec

from contracts.artifacts import ArtifactUnavailable, open_store
from contracts.routes import Deployment, Revision, RouteTable
from contracts.settings import GatewaySettings
from contracts.workers import WorkerStatus
from gateway.cache.shared import SharedStore
from gateway.edge import Edge
from gateway.endpoints import Placement
from gateway.grpc_edge import GrpcEdge
from gateway.home import Home
from gateway.inference import Inference
from gateway.key_uses import KeyUses
from gateway.limits.fleet import Fleet
from gateway.limits.limiters import KeyLimiters
from gateway.limits.shared_counts import SharedCounts
from gateway.loading import Loader
from gateway.metrics import Metrics
from gateway.parent import REPLACED
from gateway.redis_client import connect
from gateway.repository import Repository
from gateway.request_log import RequestLog
from gateway.route_feed import RouteFeed
from gateway.routing import Routes
from gateway.siblings import Siblings
from gateway.spill import Spill
from gateway.traffic import Traffic
from gateway.unloaded import Unloaded
from gateway.worker_status import StatusReporter
from serving.grpc.server import GrpcServer, listen_grpc
from serving.grpc.server import Limits as GrpcLimits
from serving.http import Limits, Server, listen
from serving.models import Model, load_model
from serving.tls import Tls

logger = logging.getLogger(__name__)

FAREWELL_S: Final = 1.0
"""For how long, once we were told to stop, connections in use are told to go with their next answer before they are closed."""
FLUSH_S: Final = 1.5
LEAVE_S: Final = 0.5
LISTEN_AFTER_S: Final = 20.0
"""How long a worker among several may load before it listens and says that it is loading."""
CHECK_ARTIFACTS_S: Final = 5.0
CHECK_TIMEOUT_S: Final = 1.0


class Worker:
    """Everything one process holds. `run` is its life."""

    def __init__(self, settings: GatewaySettings, home: Home, counts: SharedCounts | None = None) -> None:
        """A worker among several has its column in the `counts` of their parent."""
        self._settings, self._home = settings, home
        self._started_at = time.time()
        self._redis = connect(settings.redis_url)
        self._store = open_store(settings.artifacts_location(), settings.s3_endpoint)
        self._artifacts_problem = "not checked yet"
        self._tls = Tls.from_settings(settings.tls_certificate, settings.tls_key)
        self._server: Server | None = None
        self.index = home.index
        self.traffic = Traffic()
        epoch = uuid4().hex
        spill = Spill(home.spill, settings.log_spill_bytes, epoch)
        self.log = RequestLog(self._redis, spill, epoch, settings.log_ring_records, self.traffic.observe)
        self._reporter = StatusReporter(self._redis, self.describe)
        self.limiters = KeyLimiters(self._redis, epoch, Fleet(settings.workers), counts, home.index)
        self.answers = SharedStore(settings.cache_url or settings.redis_url)
        self._table: RouteTable | None = None
        self._unloaded = Unloaded(self._redis, self._apply)
        self._repository = Repository(self._unloaded)
        directory = settings.data / "gateway"
        self._loader = Loader(self._store, directory / "artifacts", self._load_model, self.traffic, self._changed, self.answers)
        self._feed = RouteFeed(self._redis, directory / "routes.msgpack", self._accept)
        self._siblings = Siblings(home.path) if settings.workers > 1 or settings.restartable else None
        self._metrics = Metrics(self, self._siblings)
        self._inference = Inference(self.traffic, self.log.append)
        self._uses = KeyUses(self._redis)
        self._edge = Edge(
            self._inference,
            settings.max_body_bytes,
            self._readiness,
            self._metrics.render,
            self._repository.answer,
            self._uses.note,
        )

    async def run(self, bound: socket.socket, on_listening: Callable[[], None]) -> int:
        """Serve on `bound` until a signal, or until a part of this worker breaks; returns the exit status.

        SIGTERM and SIGINT are the end; REPLACED says that another process has taken over `bound`.
        """
        stopping, replaced = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        asyncio.get_running_loop().add_signal_handler(REPLACED, lambda: (replaced.set(), stopping.set()))
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._note_restart)
        self._feed.start_from_disk()
        logging_task = asyncio.create_task(self.log.run(), name="request log")
        parts = [
            asyncio.create_task(self._feed.run(), name="route feed"),
            asyncio.create_task(self._reporter.run(), name="worker status"),
            asyncio.create_task(self.limiters.run(), name="limits"),
            asyncio.create_task(self._unloaded.run(), name="what is unloaded"),
            asyncio.create_task(self._check_artifacts(), name="artifact check"),
            asyncio.create_task(self.answers.run(), name="shared answers"),
            asyncio.create_task(self._uses.run(), name="uses of keys"),
        ]
        if self._siblings is not None:
            parts.append(asyncio.create_task(self._siblings.run(self._metrics.collect), name="metrics for siblings"))
        if self._tls is not None:
            parts.append(asyncio.create_task(self._tls.follow(), name="certificate"))
        for task in (logging_task, *parts):
            task.add_done_callback(lambda _: stopping.set())
        if self._siblings is not None:
            await self._wait_for_models(stopping, LISTEN_AFTER_S if not _listens(bound) else None)
        tls = None if self._tls is None else self._tls.context
        self._server = server = await listen(self._edge.answer, self._limits(), bound=bound, tls=tls)
        grpc_server = await self._listen_grpc()
        logger.info("worker %d listens on port %d, for gRPC on port %d", self.index, server.port, grpc_server.port)
        if not stopping.is_set():
            on_listening()
        await stopping.wait()
        broken = [it for it in (logging_task, *parts) if it.done()]
        drain_s = self._settings.drain_s
        await asyncio.gather(server.drain(drain_s, FAREWELL_S, is_handed_on=replaced.is_set()), grpc_server.drain(drain_s))
        await self._end(logging_task, parts)
        for task in broken:
            logger.error("%s broke, the worker ends", task.get_name(), exc_info=task.exception())
        status = 1 if broken else 0
        if self._loader.is_busy:
            logger.warning("ending in the middle of a model's work")
            logging.shutdown()
            os._exit(status)  # a thread inside onnxruntime cannot be ended otherwise
        return status

    async def _listen_grpc(self) -> GrpcServer:
        settings = self._settings
        return await listen_grpc(
            GrpcEdge(self._inference, self._repository, lambda: self._readiness()[0], self._uses.note),
            GrpcLimits(max_message_bytes=settings.max_body_bytes, max_connections=settings.max_connections),
            address=settings.host,
            port=settings.grpc_port,
            shares_port=True,
            tls=self._tls,
        )

    async def _wait_for_models(self, stopping: asyncio.Event, timeout_s: float | None) -> None:
        """Leave connections to the other workers until the models are loaded, but not for ever: somebody must answer."""
        waits = [asyncio.create_task(it.wait()) for it in (self._loader.settled, stopping)]
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()

    def placements(self) -> Iterable[Placement]:
        """Every revision on this worker."""
        return self._loader.placements()

    @property
    def connections(self) -> int:
        """How many clients are connected over HTTP."""
        return 0 if self._server is None else self._server.connections

    @property
    def routes_version(self) -> int:
        return self._feed.version

    def dependencies(self) -> dict[str, str]:
        """What is wrong with each; empty text if nothing is."""
        return {"redis": self._feed.problem, "artifacts": self._artifacts_problem}

    def describe(self) -> WorkerStatus:
        """As control is told."""
        revisions = tuple(it.describe() for it in self.placements())
        return WorkerStatus(self._home.worker_id, os.getpid(), self._started_at, time.time(), self._feed.version, revisions)

    def _accept(self, table: RouteTable) -> None:
        self._table = table
        self._apply()
        logger.info("serving route table %d: %d deployments, %d keys", table.version, len(table.deployments), len(table.keys))

    def _apply(self) -> None:
        """Bring this worker to where the table, and what is unloaded of it, want it."""
        table = self._table
        if table is None:
            return
        self._loader.unloaded = self._unloaded.ids
        self._loader.apply(table)
        for placement in self.placements():
            if placement.gate is None:
                deployment, settings = placement.deployment, placement.revision.settings
                placement.gate = self.limiters.gate_for(deployment.deployment_id, settings.max_concurrency)
        self.limiters.forget_all_but({it.key_uuid for it in table.keys}, {it.deployment_id for it in table.deployments})
        self._inference.routes = Routes(table, self._loader.endpoints, self.limiters.limiter_for)

    def _changed(self) -> None:
        """Some revision's state did."""
        self._reporter.changed()
        self._repository.changed()

    def _note_restart(self) -> None:
        if self._siblings is None:
            logger.warning("SIGHUP is passed over: one worker replaces itself only with HEADRACE_RESTARTABLE=true")

    def _load_model(self, path: Path, deployment: Deployment, revision: Revision) -> Model:
        return load_model(
            path,
            name=deployment.name,
            version=str(revision.version),
            settings=revision.settings,
            digest=revision.artifact.digest,
            cache=self._settings.data / "gateway" / "tuning",
            intra_op_threads=self._settings.intra_op_threads,
            queue_rows=self._settings.queue_rows,
            timeout_s=self._settings.request_timeout_s,
            tuning_budget_s=self._settings.tuning_budget_s,
        )

    def _limits(self) -> Limits:
        settings = self._settings
        return Limits(
            max_body_bytes=settings.max_body_bytes,
            max_connections=settings.max_connections,
            idle_timeout_s=settings.idle_timeout_s,
        )

    def _readiness(self) -> tuple[bool, bytes]:
        """Ready once the first route table's revisions have all been loaded or have failed; what is deployed later, and a
        dependency that is away, take no worker out of service."""
        is_ready = self._feed.has_table and self._loader.settled.is_set()
        dependencies = {
            name: {"state": "down" if problem else "up", "detail": problem} for name, problem in self.dependencies().items()
        }
        return is_ready, msgspec.json.encode({"status": "ready" if is_ready else "not ready", "dependencies": dependencies})

    async def _check_artifacts(self) -> None:
        while True:
            try:
                async with asyncio.timeout(CHECK_TIMEOUT_S):
                    await self._store.check()
                self._artifacts_problem = ""
            except TimeoutError:
                self._artifacts_problem = f"no answer within {CHECK_TIMEOUT_S:g} s"
            except ArtifactUnavailable as error:
                self._artifacts_problem = str(error)
            await asyncio.sleep(CHECK_ARTIFACTS_S)

    async def _end(self, logging_task: asyncio.Task[None], parts: list[asyncio.Task[None]]) -> None:
        for task in parts:
            task.cancel()
        self.log.stop()
        await asyncio.wait([logging_task], timeout=FLUSH_S)
        leaving = (self._reporter.leave(), self.limiters.leave(), self._uses.report())
        await asyncio.wait([*parts, *(asyncio.create_task(it) for it in leaving)], timeout=LEAVE_S)
        await self._redis.aclose()


def _listens(bound: socket.socket) -> bool:
    """Whether somebody accepts on `bound` already: then we are to take over from them, and they serve until we can."""
    return bool(bound.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
