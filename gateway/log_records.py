"""From what the hot path left in the ring to the columns of the request log."""

import logging
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contracts.records import COLUMNS, Origin, RecordBatch

logger = logging.getLogger(__name__)

MAX_LOGGED_TEXT: Final = 64 * 1024
"""Characters of text values logged of one request; one with more is logged without values."""
MAX_U4: Final = 0xFFFF_FFFF
FLOAT64: Final = np.dtype("<f8")
DAY_NS: Final = 86_400_000_000_000

LETTERS: Final = {"<i8": "q", "<u4": "I", "<u2": "H", "|b1": "B"}
"""The types of the columns as the module `array` writes them, which is much faster than numpy here."""

Array = NDArray[Any]


@dataclass(frozen=True, eq=False, slots=True)
class Owner:
    """Whose request it was and what answered it, as the 16 raw bytes of each id; one object a revision."""

    organization_id: bytes
    project_id: bytes
    deployment_id: bytes
    revision_id: bytes
    version_id: bytes


Entry = tuple[int, str, Owner, bytes, int, str, int, int, int, int, int, int, int, bool, Sequence[Array], Sequence[Array]]
"""One finished request as the hot path leaves it, a plain tuple of references because nothing is made faster:

time_ns, request_id, owner, key_id, status, error_code, rows, queue_ns, decode_ns, infer_ns, encode_ns, total_ns, batch_rows,
cache_hit, inputs, outputs. Times and ids as in RecordBatch but for the unit; inputs and outputs are in signature order, and
empty if their values are not to be logged.
"""


class _Values(NamedTuple):
    """The values of some records, as RecordBatch has them."""

    number_counts: list[int]
    text_counts: list[int]
    numbers: bytes
    texts: list[str]


class BatchBuilder:
    """Collects the records of one batch, some at a time."""

    def __init__(self) -> None:
        self.count = 0
        self.value_bytes = 0
        """Bytes of the values so far."""
        self._origins: dict[tuple[Owner, bytes], int] = {}
        self._errors: dict[str, int] = {}
        self._columns: dict[str, list[bytes]] = {name: [] for name in (*COLUMNS, "request_id", "input_numbers", "output_numbers")}
        self._texts: dict[str, list[str]] = {"input_texts": [], "output_texts": []}

    def add(self, entries: Sequence[Entry]) -> None:
        """Take over `entries`, at least one."""
        times, request_ids, owners, keys, statuses, errors, rows, *durations, batch_rows, hits, inputs, outputs = zip(
            *entries, strict=True
        )
        self.count += len(entries)
        self._columns["request_id"].append(bytes.fromhex("".join(request_ids).replace("-", "")))
        self._put("time_us", _microseconds(times))
        self._put("origin", [self._origins.setdefault(it, len(self._origins)) for it in zip(owners, keys, strict=True)])
        self._put("status", statuses)
        self._put("error", [self._errors.setdefault(it, len(self._errors)) for it in errors])
        self._put("rows", rows)
        for name, column in zip(("queue_us", "decode_us", "infer_us", "encode_us", "total_us"), durations, strict=True):
            self._columns[name].append(np.minimum(_microseconds(column), MAX_U4).astype(COLUMNS[name]).tobytes())
        self._put("batch_rows", batch_rows)
        self._put("cache_hit", hits)
        self._put_values(inputs, outputs)

    def finish(self, batch_id: str, lost: int) -> RecordBatch:
        """The batch; nothing may be added any more."""
        origins = [
            Origin(it.organization_id, it.project_id, it.deployment_id, it.revision_id, it.version_id, key_id)
            for it, key_id in self._origins
        ]
        columns: dict[str, Any] = {name: b"".join(chunks) for name, chunks in self._columns.items()}
        columns |= {name: tuple(it) for name, it in self._texts.items()}
        return RecordBatch(
            batch_id=batch_id,
            count=self.count,
            lost=lost,
            origins=tuple(origins),
            error_codes=tuple(self._errors),
            **columns,
        )

    def _put(self, name: str, values: Iterable[int]) -> None:
        self._columns[name].append(array(LETTERS[COLUMNS[name]], values).tobytes())

    def _put_values(self, inputs: Sequence[Sequence[Array]], outputs: Sequence[Sequence[Array]]) -> None:
        try:
            given, answered = _values(inputs), _values(outputs)
        except (TypeError, ValueError):  # one odd value must not cost all others theirs
            pairs = [_loggable(*it) for it in zip(inputs, outputs, strict=True)]
            given, answered = _values([it for it, _ in pairs]), _values([it for _, it in pairs])
        for side, values in (("input", given), ("output", answered)):
            self._put(f"{side}_number_counts", values.number_counts)
            self._put(f"{side}_text_counts", values.text_counts)
            self._columns[f"{side}_numbers"].append(values.numbers)
            self._texts[f"{side}_texts"].extend(values.texts)
            self.value_bytes += len(values.numbers)


def _microseconds(nanoseconds: Iterable[int]) -> NDArray[np.int64]:
    return np.frombuffer(array("q", nanoseconds), np.int64) // 1000


def by_day(entries: Sequence[Entry]) -> dict[int, Sequence[Entry]]:
    """`entries` by the number of their UTC day, in their order."""
    days = {it[0] // DAY_NS for it in entries}
    if len(days) == 1:
        return dict.fromkeys(days, entries)
    return {day: [it for it in entries if it[0] // DAY_NS == day] for day in days}


def element_count(arrays: Iterable[Array]) -> int:
    """Elements of all `arrays` together."""
    return sum([it.size for it in arrays])


def _loggable(inputs: Sequence[Array], outputs: Sequence[Array]) -> tuple[Sequence[Array], Sequence[Array]]:
    try:
        _values([inputs, outputs])
    except (TypeError, ValueError):
        logger.exception("the values of a request cannot be logged")
        return (), ()
    return inputs, outputs


def _values(records: Sequence[Sequence[Array]]) -> _Values:
    arrays = [it for record in records for it in record]
    if len(arrays) == len(records) and not any(it.dtype.kind == "O" for it in arrays) and all(records):
        return _Values([it.size for it in arrays], [0] * len(records), _packed(arrays), [])
    if not any(it.dtype.kind == "O" for it in arrays):
        return _Values([element_count(it) for it in records], [0] * len(records), _packed(arrays), [])
    texts = [_texts(it) for it in records]
    kept = [record if sum(map(len, it)) <= MAX_LOGGED_TEXT else () for record, it in zip(records, texts, strict=True)]
    numeric = [[it for it in record if it.dtype.kind != "O"] for record in kept]
    texts = [it if record else [] for record, it in zip(kept, texts, strict=True)]
    numbers = _packed([it for record in numeric for it in record])
    return _Values([element_count(it) for it in numeric], [len(it) for it in texts], numbers, [it for one in texts for it in one])


def _packed(arrays: Sequence[Array]) -> bytes:
    if not arrays:
        return b""
    return np.concatenate(arrays, axis=None, dtype=FLOAT64, casting="unsafe").tobytes()


def _texts(arrays: Iterable[Array]) -> list[str]:
    return [_text(value) for it in arrays if it.dtype.kind == "O" for value in it.ravel()]


def _text(value: Any) -> str:
    blob = value if isinstance(value, bytes) else str(value).encode(errors="backslashreplace")
    return blob.decode(errors="backslashreplace")
