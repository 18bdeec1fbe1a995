"""What a server of one model tells Prometheus: plain integers, bumped with each call and read when somebody asks."""

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.calls import Call
from serving.models import Model

PROMETHEUS: Final = b"text/plain; version=0.0.4; charset=utf-8"
"""The content type of what `render` gives."""
DURATION_BUCKETS_US: Final = (
    *(50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000),
    *(1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000),
)
ROWS_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
STAGES: Final = ("queue", "preprocess", "infer", "postprocess", "total")
LABELS: Final = ("model", "version")


class Metrics(Collector):
    """Of one model and the calls to it. `count` is what a call tells when it is over."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._answers = [0] * 6
        self._rows = 0
        self._stages = [[0] * (len(DURATION_BUCKETS_US) + 1) for _ in STAGES]
        self._stage_us = [0] * len(STAGES)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def count(self, call: Call) -> None:
        """Count a call that is over."""
        total_ns = time.monotonic_ns() - call.arrived_ns
        ticket = call.ticket
        queue_ns, infer_ns = (0, 0) if ticket is None else (ticket.queue_ns, ticket.infer_ns)
        self._answers[call.status // 100] += 1
        if call.status == 200 and call.request is not None:
            self._rows += call.request.rows
        for stage, ns in enumerate((queue_ns, call.decode_ns, infer_ns, call.encode_ns, total_ns)):
            us = ns // 1000
            self._stages[stage][bisect_left(DURATION_BUCKETS_US, us)] += 1
            self._stage_us[stage] += us

    def render(self) -> bytes:
        """The page."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks for them."""
        model, statistics = self._model, self._model.statistics
        labels = (model.name, model.version)
        answers = CounterMetricFamily(
            "headrace_inference_requests", "Answers, by status class.", labels=(*LABELS, "status_class")
        )
        for number, count in enumerate(self._answers):
            if count:
                answers.add_metric((*labels, f"{number}xx"), count)
        yield answers
        yield _counter("headrace_inference_rows", "Rows of requests answered with 200.", labels, self._rows)
        yield _counter("headrace_inference_batches", "Runs of the model that gave an answer.", labels, statistics.execution_count)
        runs = [0] * (len(ROWS_BUCKETS) + 1)
        for rows, tally in statistics.batches.items():
            runs[bisect_left(ROWS_BUCKETS, rows)] += tally.count
        by_rows = HistogramMetricFamily("headrace_inference_batch_rows", "Rows of a run.", labels=LABELS)
        by_rows.add_metric(labels, _buckets(ROWS_BUCKETS, runs), statistics.inference_count)
        yield by_rows
        times = HistogramMetricFamily(
            "headrace_inference_duration_seconds", "Time of a request by stage.", labels=(*LABELS, "stage")
        )
        bounds = [it / 1e6 for it in DURATION_BUCKETS_US]
        for stage, counts, us in zip(STAGES, self._stages, self._stage_us, strict=True):
            times.add_metric((*labels, stage), _buckets(bounds, counts), us / 1e6)
        yield times
        yield _gauge("headrace_inference_queue_depth", "Rows that wait for a model.", labels, model.queued_rows)
        yield _gauge("headrace_inference_in_flight", "Requests a model has not answered yet.", labels, model.in_flight)
        yield _gauge("headrace_model_memory_bytes", "What the loaded models take at least.", labels, model.memory_bytes)


def _counter(name: str, text: str, labels: Sequence[str], value: float) -> Metric:
    family = CounterMetricFamily(name, text, labels=LABELS)
    family.add_metric(labels, value)
    return family


def _gauge(name: str, text: str, labels: Sequence[str], value: float) -> Metric:
    family = GaugeMetricFamily(name, text, labels=LABELS)
    family.add_metric(labels, value)
    return family


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """As prometheus_client takes them: each bound with all that is at most so large."""
    return [(str(bound), count) for bound, count in zip((*bounds, "+Inf"), accumulate(counts), strict=True)]
