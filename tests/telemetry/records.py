"""Record batches for the tests."""

import os
import struct
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from contracts.records import RecordBatch, encode_batch
from contracts.tenancy import Tenant
from tests.records import RequestRecord, pack

DAY_US = 86_400_000_000
NOON_US = time.time_ns() // 1000 // DAY_US * DAY_US - DAY_US // 2
"""Yesterday's noon, UTC: a few hours of records from here are of one day, and not old enough to be expired."""


@dataclass
class Source:
    """A deployment whose calls are logged."""

    organization_id: UUID = field(default_factory=uuid4)
    project_id: UUID = field(default_factory=uuid4)
    deployment_id: UUID = field(default_factory=uuid4)
    version_id: UUID = field(default_factory=uuid4)
    epoch: str = field(default_factory=lambda: uuid4().hex)
    sequence: int = 0

    def tenant(self, now: float) -> Tenant:
        """The tenant whose rows these are."""
        return Tenant(self.organization_id, self.project_id, int(now))

    def record(self, time_us: int = NOON_US, total_us: int = 1000, status: int = 200, rows: int = 1) -> RequestRecord:
        """One call with two inputs and one output."""
        return RequestRecord(
            time_us=time_us,
            request_id=os.urandom(16),
            organization_id=self.organization_id.bytes,
            project_id=self.project_id.bytes,
            deployment_id=self.deployment_id.bytes,
            revision_id=self.version_id.bytes,
            version_id=self.version_id.bytes,
            key_id=self.version_id.bytes,
            status=status,
            error_code="ShapeMismatch" if status == 400 else "",
            rows=rows,
            queue_us=10,
            decode_us=20,
            infer_us=30,
            encode_us=40,
            total_us=total_us,
            batch_rows=rows,
            cache_hit=False,
            input_numbers=struct.pack("<2d", 1e9 + 0.5, float("nan")),
            input_texts=("rent", "Zürich"),
            output_numbers=struct.pack("<d", 0.25),
        )

    def batch(self, *records: RequestRecord, lost: int = 0) -> RecordBatch:
        """The next batch of this source's worker."""
        self.sequence += 1
        return pack(f"{self.epoch}-{self.sequence}", records, lost)


def lognormal_batches(
    source: Source, minutes: int, per_minute: int
) -> tuple[list[RecordBatch], np.ndarray[Any, np.dtype[np.int64]]]:
    """Batches of calls spread over `minutes` from noon, and their latencies as an array of shape (minutes, per_minute)."""
    latencies = np.random.default_rng(7).lognormal(8, 0.8, (minutes, per_minute)).astype(np.int64)
    batches = [
        source.batch(*(source.record(NOON_US + minute * 60_000_000 + i, int(us)) for i, us in enumerate(row)))
        for minute, row in enumerate(latencies)
    ]
    return batches, latencies


def fields(batch: RecordBatch) -> dict[Any, Any]:
    """The stream entry of `batch`."""
    return {"b": encode_batch(batch), "n": batch.count}
