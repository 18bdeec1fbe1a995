"""A worker's plain integers as metrics, read when somebody asks."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client.process_collector import ProcessCollector

from contracts.workers import RevisionState
from gateway.cache.shared import SharedStore
from gateway.endpoints import Placement
from gateway.exposition import paced, render
from gateway.metric_families import FAMILIES, Series
from gateway.siblings import Siblings
from gateway.traffic import Counts, Traffic

CLASSES = ("0xx", "1xx", "2xx", "3xx", "4xx", "5xx")


class LogNumbers(Protocol):
    """What the request log says of itself."""

    @property
    def depth(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def sent(self) -> int: ...
    @property
    def spilled_records(self) -> int: ...
    @property
    def spilled_bytes(self) -> int: ...


class LimitNumbers(Protocol):
    """What the limits of keys and deployments say of themselves."""

    @property
    def refused(self) -> dict[str, int]: ...
    @property
    def is_alone(self) -> bool: ...


class WorkerNumbers(Protocol):
    """What a scrape reads of one worker."""

    @property
    def index(self) -> int: ...
    @property
    def routes_version(self) -> int: ...
    @property
    def connections(self) -> int: ...
    @property
    def traffic(self) -> Traffic: ...
    @property
    def log(self) -> LogNumbers: ...
    @property
    def limiters(self) -> LimitNumbers: ...
    @property
    def answers(self) -> SharedStore: ...
    def placements(self) -> Iterable[Placement]: ...
    def dependencies(self) -> dict[str, str]:
        """By name what is wrong with it; empty if nothing is."""
        ...


class Metrics:
    """What `GET /metrics` answers: this worker's numbers, and those of the others on the port that `siblings` knows of."""

    def __init__(self, worker: WorkerNumbers, siblings: Siblings | None) -> None:
        self._worker, self._siblings = worker, siblings
        self._process = ProcessCollector(registry=None)
        self._scrape: asyncio.Task[list[bytes]] | None = None

    async def render(self) -> list[bytes]:
        """The page, in pieces. Whoever asks while it is being made gets the same."""
        if self._scrape is None or self._scrape.done():
            self._scrape = asyncio.create_task(self._render(), name="scrape")
        return await asyncio.shield(self._scrape)

    async def collect(self) -> list[Series]:
        """This worker's numbers alone."""
        return [it async for it in paced(self._collect())]

    async def _render(self) -> list[bytes]:
        return await render(await (self.collect() if self._siblings is None else self._siblings.sum(self.collect)))

    def _collect(self) -> Iterator[Series]:
        placements = list(self._worker.placements())
        for same_version in _by_version(placements):
            yield from _of_version(same_version)
        for same_deployment in _by_deployment(placements):
            yield from self._of_deployment(same_deployment)
        for name, labels, value in (*self._of_gateway(placements), *self._of_process()):
            if FAMILIES[name].is_per_worker:
                labels = (*labels, str(self._worker.index))
            yield Series(name, labels, [float(value)])

    def _of_deployment(self, placements: list[Placement]) -> Iterator[Series]:
        labels = _deployment(placements[0])
        latencies = self._worker.traffic.latencies.get(placements[0].owner.deployment_id)
        for stage, times in latencies.stages.items() if latencies is not None else ():
            yield Series("headrace_inference_duration_seconds", (*labels, stage), [*times.counts, times.sum / 1e6])
        gate = next((it.gate for it in placements if it.gate is not None), None)
        if gate is not None:
            yield Series("headrace_inference_under_way", labels, [gate.under_way])
        caches = [it.cache for it in placements if it.cache is not None]
        counts = [it.cache for it in dict.fromkeys(it.counts for it in placements)]
        met = {
            "memory": sum(it.local for it in counts),
            "redis": sum(it.shared for it in counts),
            "joined": sum(it.joined for it in counts),
            "miss": sum(it.misses for it in counts),
        }
        if caches or any(met.values()):
            for result, count in met.items():
                yield Series("headrace_cache_requests_total", (*labels, result), [count])
            yield Series("headrace_cache_answers", labels, [sum(len(it.local) for it in caches)])
            yield Series("headrace_cache_bytes", labels, [sum(it.local.size_bytes for it in caches)])

    def _of_gateway(self, placements: list[Placement]) -> Iterator[tuple[str, tuple[str, ...], float]]:
        worker = self._worker
        log, limits, lookups, storing = worker.log, worker.limiters, worker.answers.lookups, worker.answers.storing
        for state in RevisionState:
            yield "headrace_models", (state.value,), sum(it.state is state for it in placements)
        for limit, count in limits.refused.items():
            yield "headrace_limit_refused_total", (limit,), count
        for status, count in worker.traffic.refused.items():
            yield "headrace_gateway_refused_total", (str(status),), count
        for name, problem in worker.dependencies().items():
            yield "headrace_dependency_up", (name,), not problem
        yield "headrace_limits_alone", (), limits.is_alone
        yield "headrace_cache_late_lookups_total", (), lookups.late
        yield "headrace_cache_stored_total", (), storing.stored
        yield "headrace_cache_store_dropped_total", (), storing.dropped
        yield "headrace_gateway_connections", (), worker.connections
        yield "headrace_log_ring_depth", (), log.depth
        yield "headrace_log_spilled_records", (), log.spilled_records
        yield "headrace_log_spilled_bytes", (), log.spilled_bytes
        yield "headrace_log_sent_total", (), log.sent
        yield "headrace_log_dropped_total", (), log.lost
        yield "headrace_routes_version", (), worker.routes_version

    def _of_process(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        for family in self._process.collect():
            for it in family.samples:
                if it.name in FAMILIES:
                    yield it.name, (), it.value


def _of_version(placements: list[Placement]) -> Iterator[Series]:
    labels = (*_deployment(placements[0]), str(placements[0].revision.version))
    counts, models = placements[0].counts, [it.model for it in placements if it.model is not None]
    for status_class, count in zip(CLASSES, counts.by_class, strict=True):
        if count:
            yield Series("headrace_inference_requests_total", (*labels, status_class), [count])
    runs = counts.runs()
    yield Series("headrace_inference_rows_total", labels, [counts.rows])
    yield Series("headrace_inference_batches_total", labels, [sum(runs.counts)])
    yield Series("headrace_inference_batch_rows", labels, [*runs.counts, runs.sum])
    yield Series("headrace_inference_queue_depth", labels, [sum(it.queued_rows for it in models)])
    yield Series("headrace_inference_in_flight", labels, [sum(it.in_flight for it in models)])
    yield Series("headrace_model_memory_bytes", labels, [sum(it.memory_bytes for it in models)])


def _deployment(placement: Placement) -> tuple[str, str, str]:
    deployment = placement.deployment
    return str(deployment.organization_id), str(deployment.project_id), deployment.name


def _by_version(placements: Iterable[Placement]) -> Iterable[list[Placement]]:
    """Two revisions may have the same model version; they share their counts and their labels."""
    groups: dict[Counts, list[Placement]] = {}
    for placement in placements:
        groups.setdefault(placement.counts, []).append(placement)
    return groups.values()


def _by_deployment(placements: Iterable[Placement]) -> Iterable[list[Placement]]:
    groups: dict[bytes, list[Placement]] = {}
    for placement in placements:
        groups.setdefault(placement.owner.deployment_id, []).append(placement)
    return groups.values()
