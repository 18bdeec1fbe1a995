"""Turns a record batch into the Arrow columns of the table `request_log`."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec.structs
import numpy as np
import pyarrow as pa

from contracts.records import RecordBatch
from telemetry.errors import BatchUnreadable

Table = Any
"""A pyarrow.Table; pyarrow comes without types."""

_UUID: Final = pa.binary(16)
_TIME: Final = pa.timestamp("us", "UTC")
_NUMBERS: Final = pa.list_(pa.float64())
_TEXTS: Final = pa.list_(pa.string())

COLUMNS: Final[dict[str, Any]] = {
    "time": _TIME,
    "request_id": _UUID,
    "organization_id": _UUID,
    "project_id": _UUID,
    "deployment_id": _UUID,
    "revision_id": _UUID,
    "version_id": _UUID,
    "key_id": _UUID,
    "status": pa.uint16(),
    "error_code": pa.string(),
    "rows": pa.uint32(),
    "queue_us": pa.uint32(),
    "decode_us": pa.uint32(),
    "infer_us": pa.uint32(),
    "encode_us": pa.uint32(),
    "total_us": pa.uint32(),
    "batch_rows": pa.uint32(),
    "cache_hit": pa.bool_(),
    "input_numbers": _NUMBERS,
    "input_texts": _TEXTS,
    "output_numbers": _NUMBERS,
    "output_texts": _TEXTS,
}
"""Columns in the order of the fields of RequestRecord."""

LATEST_TIME_US: Final = 4_102_444_800_000_000
"""2100-01-01; a later time is a broken clock, and beyond 2299 DateTime64 would store another time than it was given."""


def request_columns(batch: RecordBatch) -> Table:
    """One row a record. Raises BatchUnreadable if a value does not fit its column."""
    if not all(0 <= record.time_us < LATEST_TIME_US for record in batch.records):
        raise BatchUnreadable(f"batch {batch.batch_id} has a record with an impossible time")
    values = zip(*map(msgspec.structs.astuple, batch.records), strict=True)
    try:
        columns = [_column(column, wanted) for column, wanted in zip(values, COLUMNS.values(), strict=True)]
    except (pa.ArrowException, OverflowError, ValueError) as error:
        raise BatchUnreadable(f"batch {batch.batch_id}: {error}") from error
    return pa.table(columns, names=list(COLUMNS))


def _column(values: Sequence[Any], wanted: Any) -> Any:
    return _number_lists(values) if wanted is _NUMBERS else pa.array(values, wanted)


def _number_lists(packed: Sequence[bytes]) -> Any:
    """One list a blob of little-endian float64, without a Python object for each number."""
    sizes = np.fromiter(map(len, packed), np.int64, len(packed))
    if np.any(sizes % 8):
        raise ValueError("packed numbers are not whole float64 values")
    offsets = np.concatenate(([0], np.cumsum(sizes // 8))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.frombuffer(b"".join(packed), "<f8")))
