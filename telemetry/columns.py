"""Turns a record batch into the Arrow columns of the table `request_log`."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from contracts.records import COLUMNS as PACKED
from contracts.records import Origin, RecordBatch
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
"""The table's columns in its order."""
ORIGIN: Final = Origin.__struct_fields__

LATEST_TIME_US: Final = 4_102_444_800_000_000
"""2100-01-01; a later time is a broken clock, and beyond 2299 DateTime64 would store another time than it was given."""


def request_columns(batch: RecordBatch) -> Table:
    """One row a record. Raises BatchUnreadable if a column is too short or too long, or holds what cannot be."""
    try:
        columns = _columns(batch)
    except (pa.ArrowException, OverflowError, ValueError, IndexError) as error:
        raise BatchUnreadable(f"batch {batch.batch_id}: {error}") from error
    return pa.table([columns[name] for name in COLUMNS], names=list(COLUMNS))


def _columns(batch: RecordBatch) -> dict[str, Any]:
    numbers = {name: np.frombuffer(getattr(batch, name), dtype) for name, dtype in PACKED.items()}
    if {len(it) for it in numbers.values()} != {batch.count} or len(batch.request_id) != 16 * batch.count:
        raise ValueError(f"its columns are not of {batch.count} records")
    if batch.count and not 0 <= numbers["time_us"].min() <= numbers["time_us"].max() < LATEST_TIME_US:
        raise ValueError("a record has an impossible time")
    ids = {name: np.array([getattr(it, name) for it in batch.origins], "O")[numbers["origin"]] for name in ORIGIN}
    return {
        "time": pa.array(numbers["time_us"], pa.int64()).cast(_TIME),
        "request_id": pa.Array.from_buffers(_UUID, batch.count, [None, pa.py_buffer(batch.request_id)]),
        **{name: pa.array(it, _UUID) for name, it in ids.items()},
        "error_code": pa.array(np.array(batch.error_codes, "O")[numbers["error"]], pa.string()),
        **{name: pa.array(it).cast(COLUMNS[name]) for name, it in numbers.items() if name in COLUMNS},
        "input_numbers": _lists(numbers["input_number_counts"], np.frombuffer(batch.input_numbers, "<f8")),
        "output_numbers": _lists(numbers["output_number_counts"], np.frombuffer(batch.output_numbers, "<f8")),
        "input_texts": _lists(numbers["input_text_counts"], pa.array(batch.input_texts, pa.string())),
        "output_texts": _lists(numbers["output_text_counts"], pa.array(batch.output_texts, pa.string())),
    }


def _lists(counts: Any, values: Any) -> Any:
    """One list of `values` a record, without a Python object for each number."""
    offsets = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    if offsets[-1] != len(values):
        raise ValueError(f"{len(values)} values where the counts add up to {offsets[-1]}")
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))
