"""Every metric of a gateway: what it is called, what it means, how its samples of several workers become one."""

from typing import Final, Literal

from msgspec import Struct

from serving.metrics import DURATION_BUCKETS_US, ROWS_BUCKETS

DEPLOYMENT: Final = ("organization_id", "project_id", "deployment")
VERSION: Final = (*DEPLOYMENT, "version")
WORKER: Final = "worker"
SECONDS: Final = tuple(it / 1e6 for it in DURATION_BUCKETS_US)
ROWS: Final = tuple(float(it) for it in ROWS_BUCKETS)


class Family(Struct, frozen=True):
    """One metric. A histogram's series has a count for each of `bounds` and one beyond them, not added up, and then the sum."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    is_per_worker: bool = False
    """Adding it up over workers would mean nothing: its samples carry the label `worker`, which comes last."""

    @property
    def is_of_deployment(self) -> bool:
        """Its samples' labels begin with their deployment."""
        return self.labels[: len(DEPLOYMENT)] == DEPLOYMENT


class Series(Struct, array_like=True):
    """One sample, or one histogram."""

    family: str
    labels: tuple[str, ...]
    values: list[float]


_ALL: Final = (
    Family("headrace_inference_requests_total", "counter", "Answers, by status class.", (*VERSION, "status_class")),
    Family("headrace_inference_rows_total", "counter", "Rows of requests answered with 200.", VERSION),
    Family("headrace_inference_batches_total", "counter", "Runs of the model that gave an answer.", VERSION),
    Family("headrace_inference_batch_rows", "histogram", "Rows of a run.", VERSION, ROWS),
    Family("headrace_inference_duration_seconds", "histogram", "Time of a request by stage.", (*DEPLOYMENT, "stage"), SECONDS),
    Family("headrace_inference_queue_depth", "gauge", "Rows that wait for a model.", VERSION),
    Family("headrace_inference_in_flight", "gauge", "Requests a model has not answered yet.", VERSION),
    Family("headrace_inference_under_way", "gauge", "Requests under way, of deployments with a cap on them.", DEPLOYMENT),
    Family("headrace_model_memory_bytes", "gauge", "What the loaded models take at least.", VERSION),
    Family("headrace_models", "gauge", "Revisions, by state.", ("state",), is_per_worker=True),
    Family("headrace_cache_requests_total", "counter", "Requests that met a cache, by what came of it.", (*DEPLOYMENT, "result")),
    Family("headrace_cache_answers", "gauge", "Answers kept in memory.", DEPLOYMENT),
    Family("headrace_cache_bytes", "gauge", "Memory of the answers kept.", DEPLOYMENT),
    Family("headrace_cache_late_lookups_total", "counter", "Look-ups in Redis given up after 4 ms."),
    Family("headrace_cache_stored_total", "counter", "Answers that Redis has taken."),
    Family("headrace_cache_store_dropped_total", "counter", "Answers that Redis was not sent, or refused."),
    Family("headrace_limit_refused_total", "counter", "Requests answered 429, by the limit they met.", ("limit",)),
    Family(
        "headrace_limits_alone",
        "gauge",
        "1 while Redis is silent and this worker has its share of every limit.",
        is_per_worker=True,
    ),
    Family("headrace_gateway_connections", "gauge", "Open connections of clients."),
    Family("headrace_gateway_refused_total", "counter", "Answers to requests that led to no deployment.", ("status",)),
    Family("headrace_log_ring_depth", "gauge", "Records of the request log that wait in memory."),
    Family("headrace_log_spilled_records", "gauge", "Records that wait on disk."),
    Family("headrace_log_spilled_bytes", "gauge", "Bytes of records that wait on disk."),
    Family("headrace_log_sent_total", "counter", "Records Redis has taken."),
    Family("headrace_log_dropped_total", "counter", "Records lost for want of room."),
    Family("headrace_dependency_up", "gauge", "1 if the dependency answers.", ("dependency",), is_per_worker=True),
    Family("headrace_routes_version", "gauge", "Version of the route table served from.", is_per_worker=True),
    Family("process_cpu_seconds_total", "counter", "Time on processors.", is_per_worker=True),
    Family("process_resident_memory_bytes", "gauge", "Memory in use.", is_per_worker=True),
    Family("process_virtual_memory_bytes", "gauge", "Address space in use.", is_per_worker=True),
    Family("process_start_time_seconds", "gauge", "Start, in seconds since the epoch.", is_per_worker=True),
    Family("process_open_fds", "gauge", "Open files and connections.", is_per_worker=True),
    Family("process_max_fds", "gauge", "How many there may be.", is_per_worker=True),
)
FAMILIES: Final = {it.name: it for it in _ALL}
"""By name, in the order of the page."""
