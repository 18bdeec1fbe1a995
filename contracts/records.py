"""The request log: one record a call, many records a stream entry.

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


class RequestRecord(Struct, frozen=True, array_like=True):
    """One inference call. Ids are the 16 raw bytes of UUIDs; durations are whole microseconds."""

    time_us: int
    """When the request arrived, microseconds since the epoch."""
    request_id: bytes
    organization_id: bytes
    project_id: bytes
    deployment_id: bytes
    revision_id: bytes
    version_id: bytes
    key_id: bytes
    status: int
    """HTTP status of the answer; 499 if the caller left first."""
    error_code: str
    """Class name of the error, e.g. `ShapeMismatch`; empty on success."""
    rows: int
    queue_us: int
    decode_us: int
    infer_us: int
    encode_us: int
    total_us: int
    batch_rows: int
    """Rows of the batch this request ran in."""
    cache_hit: bool
    input_numbers: bytes = b""
    """All numeric input elements, row-major, in signature order: packed little-endian float64."""
    input_texts: tuple[str, ...] = ()
    output_numbers: bytes = b""
    output_texts: tuple[str, ...] = ()


class RecordBatch(Struct, frozen=True, array_like=True):
    """What one worker flushed at once; all its records are of one UTC day, so that one batch is one insert in one partition."""

    batch_id: str
    """`<worker epoch>-<sequence>`; stays the same on every retry."""
    records: tuple[RequestRecord, ...]
    lost: int = 0
    """Records this worker had to drop since its previous batch."""


def encode_batch(batch: RecordBatch) -> bytes:
    """The bytes of the field `b`."""
    return msgspec.msgpack.encode(batch)


def decode_batch(blob: bytes) -> RecordBatch:
    """Raises msgspec.ValidationError or msgspec.DecodeError if `blob` is no record batch."""
    return msgspec.msgpack.decode(blob, type=RecordBatch)
