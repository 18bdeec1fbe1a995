"""What one model has done since it was loaded: plain integers that `stats` and the metrics read.

The batcher adds to them once a batch; only the loop's thread writes. Times are nanoseconds. A request that is one of many in a
run counts the whole run as its own time, as Triton's statistics do.
"""

import time
from typing import Final, Literal, get_args

EXACT_ROWS: Final = 128
"""Batches up to so many rows are counted by their very size, larger ones under the next power of two: callers choose the size of
a request, and must not choose how many counters there are."""


Closed = Literal["full", "idle", "delay", "alone"]
"""Why a batch took no more rows.

* full: it had reached the largest size, or the next request did not fit
* idle: nothing else was waiting that could have joined it, and the model was free
* delay: it had waited for company as long as it may
* alone: requests to this model never share a run, or the run it shared had failed and it was repeated by itself
"""
CLOSED: Final[tuple[Closed, ...]] = get_args(Closed)


class Tally:
    """How often, and how long in all."""

    __slots__ = ("count", "ns")

    def __init__(self) -> None:
        self.count = 0
        self.ns = 0

    def add(self, ns: int, count: int = 1) -> None:
        self.count += count
        self.ns += ns


class Statistics:
    """Counters of one loaded model."""

    __slots__ = (
        "batches",
        "cache_hit",
        "cache_miss",
        "closed",
        "compute_infer",
        "compute_input",
        "compute_output",
        "execution_count",
        "fail",
        "inference_count",
        "last_inference_ms",
        "queue",
        "success",
    )

    def __init__(self) -> None:
        self.inference_count = 0
        """Rows that were answered by a run; what the cache answered is not in it."""
        self.execution_count = 0
        """Runs that gave an answer."""
        self.last_inference_ms = 0
        """When the last run ended, in milliseconds since the epoch; 0 before the first."""
        self.success = Tally()
        """Requests answered by a run, from being queued to the end of it."""
        self.fail = Tally()
        """Requests that were queued and not answered: failed, timed out, or given up by their caller."""
        self.queue = Tally()
        """Requests that came to run: their time in the queue."""
        self.compute_input = Tally()
        """Requests that came to run: joining (and padding) the inputs of their batch."""
        self.compute_infer = Tally()
        """Requests that came to run: the run."""
        self.compute_output = Tally()
        """Requests that came to run: telling the outputs of their batch apart."""
        self.cache_hit = Tally()
        """Requests answered by the response cache. Kept by the cache in front of the model."""
        self.cache_miss = Tally()
        """Requests that the cache had no answer to. Kept by the cache in front of the model."""
        self.batches: dict[int, Tally] = {}
        """Runs by their rows (see `EXACT_ROWS`), and the time they took."""
        self.closed: dict[Closed, int] = dict.fromkeys(CLOSED, 0)
        """Runs by why they took no more rows."""

    def add_run(self, rows: int, ns: int, closed: Closed) -> None:
        """Count one run of `rows` rows that took `ns` and gave an answer."""
        self.inference_count += rows
        self.execution_count += 1
        self.last_inference_ms = time.time_ns() // 1_000_000
        size = rows if rows <= EXACT_ROWS else 1 << (rows - 1).bit_length()
        batch = self.batches.get(size)
        if batch is None:
            batch = self.batches[size] = Tally()
        batch.count += 1
        batch.ns += ns
        self.closed[closed] += 1
