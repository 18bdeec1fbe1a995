"""What one model has done since it was loaded: plain integers that `stats` and the metrics read.

The batcher adds to them once a batch; only the loop's thread writes. Times are nanoseconds. A request that is one of many in a
run counts the whole run as its own time, as Triton's statistics do.
"""

import time
from typing import Final

from serving.batches import CLOSED, Batch, Closed

EXACT_ROWS: Final = 128
"""Batches up to so many rows are counted by their very size, larger ones under the next power of two: callers choose the size of
a request, and must not choose how many counters there are."""


class Tally:
    """How often, and how long in all."""

    __slots__ = ("count", "ns")

    def __init__(self, count: int = 0, ns: int = 0) -> None:
        self.count = count
        self.ns = ns

    def add(self, ns: int, count: int = 1) -> None:
        self.count += count
        self.ns += ns


class Statistics:
    """Counters of one loaded model."""

    __slots__ = (
        "_failed",
        "_infer_ns",
        "_input_ns",
        "_last_run_ns",
        "_output_ns",
        "_queue_ns",
        "_ran",
        "batches",
        "cache_hit",
        "cache_miss",
        "closed",
        "dropped",
        "inference_count",
    )

    def __init__(self) -> None:
        self.inference_count = 0
        """Rows that were answered by a run; what the cache answered is not in it."""
        self.dropped = Tally()
        """Requests that were queued and waited for no answer to the end: timed out, or given up by their caller."""
        self.cache_hit = Tally()
        """Requests answered by the response cache. Kept by the cache in front of the model."""
        self.cache_miss = Tally()
        """Requests that the cache had no answer to. Kept by the cache in front of the model."""
        self.batches: dict[int, Tally] = {}
        """Runs by their rows (see `EXACT_ROWS`), and the time they took."""
        self.closed: dict[Closed, int] = dict.fromkeys(CLOSED, 0)
        """Runs by why they took no more rows."""
        self._failed = Tally()
        self._last_run_ns = 0
        self._ran = self._queue_ns = self._input_ns = self._infer_ns = self._output_ns = 0

    @property
    def last_inference_ms(self) -> int:
        """When the last run ended, in milliseconds since the epoch; 0 before the first."""
        if not self._last_run_ns:
            return 0
        return (time.time_ns() - time.monotonic_ns() + self._last_run_ns) // 1_000_000

    @property
    def execution_count(self) -> int:
        """Runs that gave an answer."""
        return sum(self.closed.values())

    @property
    def row_ns(self) -> float:
        """What a row cost on average; 0 before the first run."""
        return sum(it.ns for it in self.batches.values()) / (self.inference_count or 1)

    @property
    def success(self) -> Tally:
        """Requests answered by a run, from being queued to the end of it."""
        all_ns = self._queue_ns + self._input_ns + self._infer_ns + self._output_ns
        return Tally(self._ran - self._failed.count, all_ns - self._failed.ns)

    @property
    def fail(self) -> Tally:
        """Requests that were queued and not answered: failed, timed out, or given up by their caller."""
        return Tally(self._failed.count + self.dropped.count, self._failed.ns + self.dropped.ns)

    @property
    def queue(self) -> Tally:
        """Requests that came to run: their time in the queue."""
        return Tally(self._ran, self._queue_ns)

    @property
    def compute_input(self) -> Tally:
        """Requests that came to run: joining (and padding) the inputs of their batch."""
        return Tally(self._ran, self._input_ns)

    @property
    def compute_infer(self) -> Tally:
        """Requests that came to run: the run."""
        return Tally(self._ran, self._infer_ns)

    @property
    def compute_output(self) -> Tally:
        """Requests that came to run: telling the outputs of their batch apart."""
        return Tally(self._ran, self._output_ns)

    def add_batch(self, batch: Batch, count: int, queue_ns: int) -> None:
        """Count a run that ended now, `count` of whose requests still waited for it, after `queue_ns` in the queue in all."""
        run_ns = batch.run_ns
        self._ran += count
        self._queue_ns += queue_ns
        self._infer_ns += run_ns * count
        if not batch.has_answers:
            self._failed.add(queue_ns + run_ns * count, count)
            return
        if batch.input_ns:  # it was joined
            self._input_ns += batch.input_ns * count
            self._output_ns += batch.output_ns * count
        self._last_run_ns = batch.started_ns + run_ns
        self.closed[batch.closed] += 1
        self.inference_count += batch.rows
        size = batch.rows if batch.rows <= EXACT_ROWS else 1 << (batch.rows - 1).bit_length()
        tally = self.batches.get(size)
        if tally is None:
            tally = self.batches[size] = Tally()
        tally.count += 1
        tally.ns += run_ns
