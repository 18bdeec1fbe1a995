"""The careful way through the rows of a request: what is wrong, in which row and which column."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final

import msgspec
import numpy as np
import simdjson
from msgspec import Raw

from contracts.errors import HeadraceError
from gateway.predict.cells import Cell, CellInvalid, read_cell
from gateway.predict.features import Column, Features
from gateway.predict.problems import CellProblem, RowsInvalid
from serving.errors import RequestMalformed

MAX_PROBLEMS: Final = 20
"""Told at once."""
MAX_SUGGESTIONS: Final = 3
"""Names that are guessed at: each guess compares the name with those of all columns."""
MAX_SHOWN: Final = 60
ReadRow = Callable[[Raw], list[Any]]
"""Reads a good row at once, lists apart, and raises DecodeError or LookupError for any that may not be good."""
SHAPE: Final = 'the body is an object with the list "rows", as {"rows": [{…}]}'


def check_sizes(body: bytes | bytearray, features: Features) -> None:
    """Refuse what has more rows, or a row more columns, than there can be, before anything takes memory by their number."""
    try:
        document = simdjson.Parser().parse(bytes(body))
        rows = document["rows"] if isinstance(document, simdjson.Object) and len(document) == 1 else None
    except (ValueError, KeyError) as error:
        raise RequestMalformed(f"the request cannot be read: {error}; {SHAPE}") from error
    if not isinstance(rows, simdjson.Array):
        raise RequestMalformed(SHAPE)
    _check_count(len(rows), features.max_rows)
    most = len(features.columns) + MAX_PROBLEMS
    for index, row in enumerate(rows):
        if isinstance(row, (simdjson.Object, simdjson.Array)) and len(row) > most:
            raise RowsInvalid([CellProblem(f"has {len(row)} columns, the model takes {len(features.columns)}", index)])


def check_rows(body: bytes | bytearray, features: Features, read_row: ReadRow | None) -> list[list[Cell]]:
    """The cells row by row, in the order of the columns. Raises RequestMalformed or RowsInvalid.

    With `read_row` only the rows that it cannot read are looked at cell by cell, which takes ten times as long.
    """
    check = _Check(features, read_row)
    rows: list[list[Cell]] = []
    for index, data in enumerate(_split(body, features.max_rows)):
        rows.append(check.row(index, data))
        if len(check.problems) > MAX_PROBLEMS:
            raise RowsInvalid(check.problems[:MAX_PROBLEMS], are_all=False)
    if check.problems:
        raise RowsInvalid(check.problems)
    return rows


class _Check:
    """What was found wrong so far, and what later rows are held against."""

    def __init__(self, features: Features, read_row: ReadRow | None) -> None:
        self.problems: list[CellProblem] = []
        self._read_row = read_row
        self._columns = {it.name: it for it in features.columns}
        self._nested = [(position, it) for position, it in enumerate(features.columns) if it.shape]
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._suggestions = 0

    def row(self, index: int, data: Raw) -> list[Cell]:
        """Its cells; those that are wrong are None."""
        if self._read_row is not None:
            try:
                cells = self._read_row(data)
            except (msgspec.DecodeError, LookupError):
                return self._cells(index, data)
            for position, column in self._nested:
                cells[position] = self._cell(index, column, cells[position])
            return cells
        return self._cells(index, data)

    def _cells(self, index: int, data: Raw) -> list[Cell]:
        try:
            given = msgspec.json.decode(data, type=dict[str, Raw])
        except msgspec.DecodeError:
            self.problems.append(CellProblem("is no object of columns and their values", index))
            return []
        for name in (it for it in given if it not in self._columns):
            self.problems.append(CellProblem(self._unknown(name), index, _cut(name)))
        return [self._cell(index, it, given.get(it.name)) for it in self._columns.values()]

    def _cell(self, index: int, column: Column, data: Raw | None) -> Cell:
        try:
            return self._read(column, data)
        except (CellInvalid, HeadraceError) as error:
            self.problems.append(CellProblem(str(error), index, column.name))
            return None

    def _read(self, column: Column, data: Raw | None) -> Cell:
        if data is None:
            raise CellInvalid("is missing")
        cell = read_cell(column, data)
        if isinstance(cell, np.ndarray) and cell.shape != (first := self._shapes.setdefault(column.name, cell.shape)):
            raise CellInvalid(f"has the shape {list(cell.shape)}, the rows before it {list(first)}; call once for each shape")
        return cell

    def _unknown(self, name: str) -> str:
        self._suggestions += 1
        near = get_close_matches(_cut(name), self._columns, 1) if self._suggestions <= MAX_SUGGESTIONS else []
        return f"is no column of this model{f'; did you mean {near[0]!r}?' if near else ''}"


def _split(body: bytes | bytearray, max_rows: int) -> list[Raw]:
    """The rows, unread."""
    try:
        body.decode()  # what the decoder skips, it does not look into
        request = msgspec.json.decode(body, type=dict[str, Raw])
        if request.keys() != {"rows"}:
            raise RequestMalformed(SHAPE)
        rows = msgspec.json.decode(request["rows"], type=list[Raw])
    except msgspec.ValidationError as error:
        raise RequestMalformed(SHAPE) from error
    except msgspec.DecodeError as error:
        raise RequestMalformed(f"the request is not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise RequestMalformed(f"the request is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise RequestMalformed("the request is nested too deeply") from error
    _check_count(len(rows), max_rows)
    return rows


def _check_count(rows: int, most: int) -> None:
    if not rows:
        raise RowsInvalid([CellProblem("there are no rows")])
    if rows > most == 1:
        raise RowsInvalid([CellProblem(f"there are {rows} rows; this model takes one at a time")])
    if rows > most:
        advice = "send them in parts, as binary tensors to /v2, or as a batch job"
        raise RowsInvalid([CellProblem(f"there are {rows} rows; one call takes {most}: {advice}")])


def _cut(name: str) -> str:
    return name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}…"
