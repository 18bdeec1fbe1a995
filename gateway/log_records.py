"""From what the hot path left in the ring to the columns of the request log."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from contracts.records import COLUMNS, Origin, RecordBatch
from gateway.log_values import values_of
from serving.outcomes import Outcome

MAX_U4: Final = 0xFFFF_FFFF
DAY_NS: Final = 86_400_000_000_000

LETTERS: Final = {"<i8": "q", "<u4": "I", "<u2": "H", "|b1": "B"}
"""The types of the columns as the module `array` writes them, which is much faster than numpy here."""


@dataclass(frozen=True, eq=False, slots=True)
class Owner:
    """Whose request it was and what answered it, as the 16 raw bytes of each id; one object a revision."""

    organization_id: bytes
    project_id: bytes
    deployment_id: bytes
    revision_id: bytes
    version_id: bytes


Entry = tuple[int, str, Owner, bytes, int, str, int, int, int, int, int, int, int, bool, Outcome | None, int]
"""One finished request as the hot path leaves it, a plain tuple of references because nothing is made faster:

time_ns, request_id, owner, key_id, status, error_code, rows, queue_ns, decode_ns, infer_ns, encode_ns, total_ns, batch_rows,
cache_hit, outcome, begin. Times and ids as in RecordBatch but for the unit. Of `outcome`, whose arrays are in signature order,
the request owns its rows from `begin` on; it is None if their values are not to be logged.
"""


def without_values(entry: Entry) -> Entry:
    """`entry` as if it had too many of them."""
    return (*entry[:-2], None, 0)


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
        times, request_ids, owners, keys, statuses, errors, rows, *durations, batch_rows, hits, outcomes, begins = zip(
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
        self._put_values(outcomes, begins, rows)

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

    def _put_values(self, outcomes: Sequence[Outcome | None], begins: Sequence[int], rows: Sequence[int]) -> None:
        for side, values in zip(("input", "output"), values_of(outcomes, begins, rows), strict=True):
            self._put(f"{side}_number_counts", values.number_counts)
            self._put(f"{side}_text_counts", values.text_counts)
            self._columns[f"{side}_numbers"] += values.numbers
            self._texts[f"{side}_texts"] += values.texts
            self.value_bytes += sum(map(len, values.numbers))


def _microseconds(nanoseconds: Iterable[int]) -> NDArray[np.int64]:
    return np.frombuffer(array("q", nanoseconds), np.int64) // 1000


def by_day(entries: Sequence[Entry]) -> dict[int, Sequence[Entry]]:
    """`entries` by the number of their UTC day, in their order."""
    days = {it[0] // DAY_NS for it in entries}
    if len(days) == 1:
        return dict.fromkeys(days, entries)
    return {day: [it for it in entries if it[0] // DAY_NS == day] for day in days}
