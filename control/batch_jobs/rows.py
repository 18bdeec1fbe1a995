"""Rows of an input file, a few at a time: those that can be read, and those that are broken."""

from bisect import bisect_left
from typing import Any, Final, Protocol

import pyarrow as pa
from msgspec import Struct

MISSING: Final = object()
"""In place of a value that a row does not have (which is not the same as null)."""
UNREADABLE: Final = object()
"""In place of a value that Python has nothing for: text that is no UTF-8, a date after the year 9999 in a list."""


class Broken(Struct, frozen=True):
    """A row that cannot be read. `number` counts from 1, without the header of a CSV file."""

    number: int
    reason: str
    shown: Any
    """What is known of it, for the file of failed rows."""


class Rows(Protocol):
    """Rows that could be read."""

    are_texts: bool
    """All values are text, whatever they mean (CSV)."""

    def column(self, name: str) -> list[Any]:
        """One value a row; `MISSING` where a row has none, `UNREADABLE` where it cannot be told."""
        ...

    def shown(self, index: int) -> Any:
        """One row for the file of failed rows."""
        ...

    def take(self, indices: list[int]) -> "Rows":
        """Some of the rows, in this order."""
        ...

    def slice(self, start: int, stop: int) -> "Rows":
        """Rows that follow each other."""
        ...


class ArrowRows:
    """Rows of a table: `batch` is an Arrow record batch."""

    def __init__(self, batch: Any, *, are_texts: bool) -> None:
        self.batch, self.are_texts = batch, are_texts

    def column(self, name: str) -> list[Any]:
        return _values(self.batch.column(name))

    def shown(self, index: int) -> Any:
        row = self.batch.slice(index, 1)
        found = {name: _values(column)[0] for name, column in zip(row.schema.names, row.columns, strict=True)}
        return {name: "cannot be shown" if it is UNREADABLE else it for name, it in found.items()}

    def take(self, indices: list[int]) -> "ArrowRows":
        if indices == list(range(self.batch.num_rows)):
            return self
        return ArrowRows(self.batch.take(pa.array(indices, pa.int64())), are_texts=self.are_texts)

    def slice(self, start: int, stop: int) -> "ArrowRows":
        return ArrowRows(self.batch.slice(start, stop - start), are_texts=self.are_texts)


class JsonRows:
    """Rows that are objects, each with its own fields."""

    are_texts = False

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.objects = objects

    def column(self, name: str) -> list[Any]:
        return [it.get(name, MISSING) for it in self.objects]

    def shown(self, index: int) -> Any:
        return self.objects[index]

    def take(self, indices: list[int]) -> "JsonRows":
        return JsonRows([self.objects[it] for it in indices])

    def slice(self, start: int, stop: int) -> "JsonRows":
        return JsonRows(self.objects[start:stop])


class Block(Struct, frozen=True):
    """Consecutive rows of the file, from row number `first` on: `numbers` are those of `rows`."""

    first: int
    rows: Rows
    numbers: list[int]
    broken: list[Broken]

    @property
    def count(self) -> int:
        """How many rows of the file it covers."""
        return len(self.numbers) + len(self.broken)

    def cut(self, start: int, stop: int) -> "Block":
        """The rows from `start` up to `stop`, counted from 0 within the block."""
        low, high = bisect_left(self.numbers, self.first + start), bisect_left(self.numbers, self.first + stop)
        broken = [it for it in self.broken if self.first + start <= it.number < self.first + stop]
        return Block(self.first + start, self.rows.slice(low, high), self.numbers[low:high], broken)


def _values(column: Any) -> list[Any]:
    try:
        return _without_times(column).to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        return [_value(column.slice(index, 1)) for index in range(len(column))]


def _value(column: Any) -> Any:
    try:
        return _without_times(column).to_pylist()[0]
    except (ValueError, OverflowError, pa.ArrowException):
        return UNREADABLE


def _without_times(column: Any) -> Any:
    """Times become text: Python's have less range and precision than those of files."""
    return column.cast(pa.string()) if pa.types.is_temporal(column.type) else column
