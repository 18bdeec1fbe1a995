"""What telemetry tells Prometheus about itself."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BATCH_SECONDS_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of the path from the stream to ClickHouse; one set a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rows = Counter("headrace_log_ingest_rows", "Request records stored.", registry=self.registry)
        self.batches = Counter("headrace_log_ingest_batches", "Batches stored and acknowledged.", registry=self.registry)
        self.seconds = Histogram(
            "headrace_log_ingest_batch_seconds",
            "Time from taking a batch up to its acknowledgement.",
            buckets=BATCH_SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.lost = Counter("headrace_log_lost_records", "Records that gateways reported as lost.", registry=self.registry)
        self.dead = Counter("headrace_log_dead_batches", "Batches moved to the dead-letter stream.", registry=self.registry)
        self.failures = Counter("headrace_log_ingest_failures", "Attempts that failed and are repeated.", registry=self.registry)
        self.stream_entries = Gauge(
            "headrace_log_stream_entries", "Batches in the stream that are not stored yet.", registry=self.registry
        )
        self.oldest_seconds = Gauge(
            "headrace_log_oldest_pending_seconds", "Age of the oldest of them, 0 if there is none.", registry=self.registry
        )
