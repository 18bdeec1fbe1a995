"""The request log: one record a call, many records a stream entry, column by column.

A gateway adds one entry a batch to the stream `LOG_STREAM`, with the fields `b` (the msgpack of a RecordBatch) and `n` (its
number of records). Telemetry reads it as consumer group `LOG_GROUP`, inserts each batch with its `batch_id` as deduplication
token, then acknowledges and deletes the entry. A batch sent twice is therefore visible once.
"""

from typing import Final

import msgspec
from msgspec import Struct

LOG_STREAM: Final = "headrace:log"
LOG_GROUP: Final = "clickhouse"
DEAD_LETTER_STREAM: Final = "headrace:log:dead"
MAX_LOGGED_VALUES: Final = 1024
"""Tensors of one request with more elements than this, all together, are logged by shape only, without values."""


class Origin(Struct, frozen=True, array_like=True):
    """Whose requests, what answered them and with which key they came: the 16 raw bytes of each UUID."""

    organization_id: bytes
    project_id: bytes
    deployment_id: bytes
    revision_id: bytes
    version_id: bytes
    key_id: bytes


class RecordBatch(Struct, frozen=True, array_like=True):
    """What one worker flushed at once; all its records are of one UTC day, so that one batch is one insert in one partition.

    A column is the packed numbers of all records, of the type that `COLUMNS` gives it; durations are whole microseconds.
    """

    batch_id: str
    """`<worker epoch>-<sequence>`; stays the same on every retry."""
    count: int
    """Number of records."""
    lost: int
    """Records this worker had to drop since its previous batch."""
    origins: tuple[Origin, ...]
    error_codes: tuple[str, ...]
    """Class names of errors, e.g. `ShapeMismatch`; empty for success."""
    request_id: bytes
    """16 bytes each."""
    time_us: bytes
    """When the request arrived, microseconds since the epoch."""
    origin: bytes
    """Index in `origins`."""
    status: bytes
    """HTTP status of the answer; 499 if the caller left first."""
    error: bytes
    """Index in `error_codes`."""
    rows: bytes
    queue_us: bytes
    decode_us: bytes
    infer_us: bytes
    encode_us: bytes
    total_us: bytes
    batch_rows: bytes
    """Rows of the batch the request ran in."""
    cache_hit: bytes
    input_number_counts: bytes
    input_text_counts: bytes
    output_number_counts: bytes
    output_text_counts: bytes
    input_numbers: bytes
    """All numeric input elements of one record after the other, row-major, in signature order: packed float64."""
    output_numbers: bytes
    input_texts: tuple[str, ...]
    output_texts: tuple[str, ...]


COLUMNS: Final = {
    "time_us": "<i8",
    "origin": "<u4",
    "status": "<u2",
    "error": "<u2",
    "rows": "<u4",
    "queue_us": "<u4",
    "decode_us": "<u4",
    "infer_us": "<u4",
    "encode_us": "<u4",
    "total_us": "<u4",
    "batch_rows": "<u4",
    "cache_hit": "|b1",
    "input_number_counts": "<u4",
    "input_text_counts": "<u4",
    "output_number_counts": "<u4",
    "output_text_counts": "<u4",
}
"""The columns with one number a record, and their types as numpy writes them."""


def encode_batch(batch: RecordBatch) -> bytes:
    """The bytes of the field `b`."""
    return msgspec.msgpack.encode(batch)


def decode_batch(blob: bytes) -> RecordBatch:
    """Raises msgspec.ValidationError or msgspec.DecodeError if `blob` is no record batch."""
    return msgspec.msgpack.decode(blob, type=RecordBatch)
