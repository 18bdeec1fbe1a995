"""Counts of what was answered: plain integers bumped on the hot path, and histograms filled from the request log's records."""

from bisect import bisect_left
from collections.abc import Container
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from contracts.records import COLUMNS, RecordBatch
from serving.batch_statistics import Statistics
from serving.metrics import DURATION_BUCKETS_US, ROWS_BUCKETS, STAGES

Numbers = NDArray[Any]


class CacheCounts:
    """Requests that went through a response cache, by where their answer came from."""

    __slots__ = ("joined", "local", "misses", "shared")

    def __init__(self) -> None:
        self.local = 0
        """This worker's memory."""
        self.shared = 0
        """Redis."""
        self.joined = 0
        """The run of an identical request that was under way."""
        self.misses = 0
        """A run of their own."""


class Counts:
    """One deployment and model version since the worker started; `by_class[4]` counts answers with a status of 400 to 499."""

    __slots__ = ("_loaded", "_runs", "by_class", "cache", "rows")

    def __init__(self) -> None:
        self.by_class = [0] * 6
        self.rows = 0
        self.cache = CacheCounts()
        self._runs = Histogram(ROWS_BUCKETS)
        """Of models that are gone."""
        self._loaded: list[Statistics] = []

    def begin(self, statistics: Statistics) -> None:
        """Count the runs of a model that was loaded."""
        self._loaded.append(statistics)

    def end(self, statistics: Statistics) -> None:
        """Remember the runs of a model that has been closed."""
        self._loaded.remove(statistics)
        _add_runs(self._runs, statistics)

    def runs(self) -> "Histogram":
        """All runs that gave an answer, by their rows."""
        histogram = Histogram(ROWS_BUCKETS)
        histogram.counts, histogram.sum = list(self._runs.counts), self._runs.sum
        for it in self._loaded:
            _add_runs(histogram, it)
        return histogram


class Histogram:
    """How often a value was at most each of `bounds`, in between, or above the last."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0

    def add(self, values: Numbers) -> None:
        """Count each of `values`, which are whole numbers."""
        found = np.bincount(np.searchsorted(self.bounds, values), minlength=len(self.counts))
        self.counts = [before + more for before, more in zip(self.counts, found.tolist(), strict=True)]
        self.sum += int(values.sum(dtype=np.int64))


class Latencies:
    """Where the time of one deployment's requests went, in microseconds."""

    __slots__ = ("stages",)

    def __init__(self) -> None:
        self.stages = {stage: Histogram(DURATION_BUCKETS_US) for stage in STAGES}


class Traffic:
    """Everything counted on this worker; a deployment's counts end with it."""

    def __init__(self) -> None:
        self.counts: dict[tuple[UUID, int], Counts] = {}
        """By deployment and model version."""
        self.latencies: dict[bytes, Latencies] = {}
        """By the 16 bytes of the deployment's id."""
        self.refused: dict[int, int] = {}
        """Answers, by status, to requests that led to no deployment."""

    def counts_of(self, deployment_id: UUID, version: int) -> Counts:
        """The counts to bump; kept while the deployment is."""
        return self.counts.setdefault((deployment_id, version), Counts())

    def forget_all_but(self, deployment_ids: Container[UUID]) -> None:
        """Drop what was counted for deployments that are gone."""
        self.counts = {key: it for key, it in self.counts.items() if key[0] in deployment_ids}
        self.latencies = {key: it for key, it in self.latencies.items() if UUID(bytes=key) in deployment_ids}

    def observe(self, batch: RecordBatch) -> None:
        """Add the latencies of `batch`."""
        origins = _column(batch, "origin")
        columns = [_column(batch, it) for it in ("queue_us", "decode_us", "infer_us", "encode_us", "total_us")]
        for index, origin in enumerate(batch.origins):
            is_its = origins == index
            latencies = self.latencies.setdefault(origin.deployment_id, Latencies())
            for histogram, column in zip(latencies.stages.values(), columns, strict=True):
                histogram.add(column[is_its])


def _add_runs(histogram: Histogram, statistics: Statistics) -> None:
    """(Large runs are counted under the next power of two, which is a bound; the sum is exact.)"""
    for rows, tally in statistics.batches.items():
        histogram.counts[bisect_left(histogram.bounds, rows)] += tally.count
    histogram.sum += statistics.inference_count


def _column(batch: RecordBatch, name: str) -> Numbers:
    return np.frombuffer(getattr(batch, name), COLUMNS[name])
