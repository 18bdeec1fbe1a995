"""Prometheus text from the worker's plain integers, made when it is scraped."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from contracts.workers import RevisionState
from gateway.endpoints import Placement
from gateway.siblings import Siblings
from gateway.traffic import DURATION_BUCKETS, ROWS_BUCKETS, Counts, Histogram, Latencies, Traffic

DEPLOYMENT: Sequence[str] = ("organization_id", "project_id", "deployment")
VERSION: Sequence[str] = (*DEPLOYMENT, "version")
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
    def traffic(self) -> Traffic: ...
    @property
    def log(self) -> LogNumbers: ...
    @property
    def limiters(self) -> LimitNumbers: ...
    def placements(self) -> Iterable[Placement]: ...
    def dependencies(self) -> dict[str, str]:
        """By name what is wrong with it; empty if nothing is."""
        ...


class Metrics(Collector):
    """Every sample carries the label `worker`; those of other workers on the port are added by `siblings`, if there are any."""

    def __init__(self, worker: WorkerNumbers, siblings: Siblings | None) -> None:
        self._worker, self._siblings = worker, siblings
        self._process = ProcessCollector(registry=None)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def render(self) -> bytes:
        """The text of `GET /metrics`."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        return self._siblings.add_to(self.collect_own()) if self._siblings else self.collect_own()

    def collect_own(self) -> Iterable[Metric]:
        """This worker's metrics alone."""
        placements = list(self._worker.placements())
        yield from self._inference(placements)
        yield from self._models(placements)
        yield from self._request_log()
        yield from self._limits()
        yield from self._gateway()
        for family in self._process.collect():
            labelled = Metric(family.name, family.documentation, family.type)
            for it in family.samples:
                labelled.add_sample(it.name, {**it.labels, "worker": self._index}, it.value)
            yield labelled

    def _inference(self, placements: list[Placement]) -> Iterable[Metric]:
        requests = self._counter("headrace_inference_requests", "Answers, by status class.", *VERSION, "status_class")
        rows = self._counter("headrace_inference_rows", "Rows of requests answered with 200.", *VERSION)
        for placement, *_ in _by_version(placements):
            labels = self._labels(placement)
            rows.add_metric(labels, placement.counts.rows)
            for status_class, count in zip(CLASSES, placement.counts.by_class, strict=True):
                if count:
                    requests.add_metric([*labels, status_class], count)
        durations = HistogramMetricFamily(
            "headrace_inference_duration_seconds", "Time of a request by stage.", labels=["worker", *DEPLOYMENT, "stage"]
        )
        batches = HistogramMetricFamily(
            "headrace_inference_batch_rows", "Rows of the batch a request ran in.", labels=["worker", *DEPLOYMENT]
        )
        for labels, latencies in self._latencies(placements):
            for stage, histogram in latencies.stages.items():
                _add(durations, [*labels, stage], histogram, DURATION_BUCKETS, 1e6)
            _add(batches, labels, latencies.batch_rows, ROWS_BUCKETS, 1)
        yield from (requests, rows, durations, batches)

    def _models(self, placements: list[Placement]) -> Iterable[Metric]:
        queued = self._gauge("headrace_inference_queue_depth", "Rows that wait for a model.", *VERSION)
        in_flight = self._gauge("headrace_inference_in_flight", "Requests a model has not answered yet.", *VERSION)
        models = self._gauge("headrace_models", "Revisions on this worker, by state.", "state")
        for same_version in _by_version(placements):
            loaded = [it.model for it in same_version if it.model is not None]
            queued.add_metric(self._labels(same_version[0]), sum(it.queued_rows for it in loaded))
            in_flight.add_metric(self._labels(same_version[0]), sum(it.in_flight for it in loaded))
        for state in RevisionState:
            models.add_metric([self._index, state.value], sum(it.state is state for it in placements))
        yield from (queued, in_flight, models)

    def _request_log(self) -> Iterable[Metric]:
        log = self._worker.log
        yield self._single(self._gauge("headrace_log_ring_depth", "Records that wait in memory."), log.depth)
        yield self._single(self._gauge("headrace_log_spilled_records", "Records that wait on disk."), log.spilled_records)
        yield self._single(self._gauge("headrace_log_spilled_bytes", "Bytes of records that wait on disk."), log.spilled_bytes)
        yield self._single(self._counter("headrace_log_sent", "Records Redis has taken."), log.sent)
        yield self._single(self._counter("headrace_log_dropped", "Records lost for want of room."), log.lost)

    def _limits(self) -> Iterable[Metric]:
        limits = self._worker.limiters
        refused = self._counter("headrace_limit_refused", "Requests answered 429, by the limit they met.", "limit")
        for limit, count in limits.refused.items():
            refused.add_metric([self._index, limit], count)
        alone = self._gauge("headrace_limits_alone", "1 while Redis is silent and this worker has its share of every limit.")
        yield from (refused, self._single(alone, limits.is_alone))

    def _gateway(self) -> Iterable[Metric]:
        refused = self._counter("headrace_gateway_refused", "Answers to requests that led to no deployment.", "status")
        for status, count in self._worker.traffic.refused.items():
            refused.add_metric([self._index, str(status)], count)
        up = self._gauge("headrace_dependency_up", "1 if the dependency answers.", "dependency")
        for name, problem in self._worker.dependencies().items():
            up.add_metric([self._index, name], not problem)
        version = self._gauge("headrace_routes_version", "Version of the route table served from.")
        yield from (refused, up, self._single(version, self._worker.routes_version))

    @property
    def _index(self) -> str:
        return str(self._worker.index)

    def _labels(self, placement: Placement) -> list[str]:
        deployment = placement.deployment
        project = (str(deployment.organization_id), str(deployment.project_id), deployment.name)
        return [self._index, *project, str(placement.revision.version)]

    def _latencies(self, placements: list[Placement]) -> Iterable[tuple[list[str], Latencies]]:
        labels = {it.owner.deployment_id: self._labels(it)[:-1] for it in placements}
        for deployment_id, latencies in self._worker.traffic.latencies.items():
            if deployment_id in labels:
                yield labels[deployment_id], latencies

    def _counter(self, name: str, text: str, *labels: str) -> CounterMetricFamily:
        return CounterMetricFamily(name, text, labels=["worker", *labels])

    def _gauge(self, name: str, text: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(name, text, labels=["worker", *labels])

    def _single(self, family: CounterMetricFamily | GaugeMetricFamily, value: float) -> Metric:
        family.add_metric([self._index], value)
        return family


def _by_version(placements: Iterable[Placement]) -> Iterable[list[Placement]]:
    """Two revisions may have the same model version; they share their counts and their labels."""
    groups: dict[Counts, list[Placement]] = {}
    for placement in placements:
        groups.setdefault(placement.counts, []).append(placement)
    return groups.values()


def _add(family: HistogramMetricFamily, labels: list[str], histogram: Histogram, bounds: Iterable[float], unit: float) -> None:
    names = (*map(str, bounds), "+Inf")
    family.add_metric(labels, list(zip(names, histogram.cumulative(), strict=True)), histogram.sum / unit)
