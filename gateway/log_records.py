"""From what the hot path left in the ring to the records of the request log."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.records import RequestRecord

MAX_LOGGED_TEXT: Final = 64 * 1024
"""Characters of text values logged of one request; one with more is logged without values."""

FLOAT64: Final = np.dtype("<f8")

Array = NDArray[Any]


class Owner(NamedTuple):
    """Whose request it was and what answered it, as the 16 raw bytes of each id."""

    organization_id: bytes
    project_id: bytes
    deployment_id: bytes
    revision_id: bytes
    version_id: bytes


class Entry(NamedTuple):
    """One finished request as the hot path leaves it: references only. Times and ids as in RequestRecord."""

    time_us: int
    request_id: str
    owner: Owner
    key_id: bytes
    status: int
    error_code: str
    rows: int
    queue_us: int
    decode_us: int
    infer_us: int
    encode_us: int
    total_us: int
    batch_rows: int
    cache_hit: bool
    inputs: Sequence[Array]
    """In signature order; empty if their values are not to be logged."""
    outputs: Sequence[Array]


def to_record(entry: Entry) -> RequestRecord:
    """Build the record of `entry`, with its values unless there is too much text."""
    input_numbers, input_texts = _values(entry.inputs)
    output_numbers, output_texts = _values(entry.outputs)
    if sum(map(len, input_texts)) + sum(map(len, output_texts)) > MAX_LOGGED_TEXT:
        input_numbers, input_texts, output_numbers, output_texts = b"", (), b"", ()
    return RequestRecord(
        entry.time_us,
        bytes.fromhex(entry.request_id.replace("-", "")),
        *entry.owner,
        entry.key_id,
        entry.status,
        entry.error_code,
        entry.rows,
        entry.queue_us,
        entry.decode_us,
        entry.infer_us,
        entry.encode_us,
        entry.total_us,
        entry.batch_rows,
        entry.cache_hit,
        input_numbers,
        input_texts,
        output_numbers,
        output_texts,
    )


def _values(arrays: Iterable[Array]) -> tuple[bytes, tuple[str, ...]]:
    numbers: list[bytes] = []
    texts: list[str] = []
    for array in arrays:
        if array.dtype.kind in "biuf":
            numbers.append(array.astype(FLOAT64).tobytes())
        else:
            texts.extend(map(_text, array.ravel()))
    return numbers[0] if len(numbers) == 1 else b"".join(numbers), tuple(texts)


def _text(value: Any) -> str:
    blob = value if isinstance(value, bytes) else str(value).encode(errors="backslashreplace")
    return blob.decode(errors="backslashreplace")


def element_count(arrays: Iterable[Array]) -> int:
    """Elements of all `arrays` together."""
    return sum([it.size for it in arrays])


def by_day(records: Iterable[RequestRecord]) -> list[tuple[RequestRecord, ...]]:
    """`records` split by UTC day, in their order."""
    days: dict[int, list[RequestRecord]] = {}
    for record in records:
        days.setdefault(record.time_us // 86_400_000_000, []).append(record)
    return [tuple(it) for it in days.values()]
