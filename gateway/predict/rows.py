"""From the rows of a request to the inputs of a model.

Good requests are read in one go, into a Struct made for the model. Where that fails in any way, `checking` looks at them row by
row, and at odd rows cell by cell: either it says what is wrong and where, or it reads what the quick way could not.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Meta, Raw, Struct

from contracts.errors import HeadraceError
from gateway.predict.cells import Cell, CellInvalid, read_nested
from gateway.predict.checking import ReadRow, check_rows, check_sizes
from gateway.predict.features import Block, Column, Features
from serving.datatypes import DTYPES, INTEGER_RANGES
from serving.tensors import Array

MAX_QUICK_COLUMNS: Final = 2000
"""Making a Struct of more takes longer than any request should wait."""
LARGE_BODY: Final = 1 << 20
"""From here on the sizes of lists and objects are looked at before anything is made of them."""
FLOAT_BOUNDS: Final = {"FP16": 65520.0, "FP32": 3.4028235677973366e38}
"""What is smaller rounds to a number of that type; what is not, to infinity."""
WORD: Final = (-(2**63), 2**63 - 1)
TYPES: Final[dict[str, Any]] = {"number": float, "integer": int, "boolean": bool, "string": str}


class RowsDecoder:
    """Decodes requests to one model."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._columns = features.columns
        row = _row_type(self._columns)
        self._quick = None if row is None else _quick_decoder(row, features.max_rows)
        self._read_row = _row_reader(row, self._columns)

    def decode(self, body: bytes | bytearray) -> tuple[dict[str, Array], int]:
        """The inputs by name, in the signature's order, and how many rows they are. Raises RequestMalformed or RowsInvalid."""
        if len(body) > LARGE_BODY:
            check_sizes(body, self._features)
        if self._quick is not None:
            try:
                rows = [msgspec.structs.astuple(it) for it in self._quick.decode(body).rows]
                return self._fill(rows), len(rows)
            except (msgspec.DecodeError, CellInvalid, HeadraceError, ValueError, OverflowError, RecursionError):
                pass  # said with rows and columns below, if it is anything
        checked = check_rows(body, self._features, self._read_row)
        return self._fill(checked), len(checked)

    def _fill(self, rows: Sequence[Sequence[Cell]]) -> dict[str, Array]:
        arrays: dict[str, Array] = {}
        if len(self._features.blocks) == 1:
            (block,) = self._features.blocks
            arrays[block.tensor.name] = self._array(block, rows)
            return arrays
        columns = list(zip(*rows, strict=True))
        begin = 0
        for block in self._features.blocks:
            end = begin + len(block.columns)
            arrays[block.tensor.name] = self._array(block, [*zip(*columns[begin:end], strict=True)])
            begin = end
        return arrays

    def _array(self, block: Block, rows: Sequence[Sequence[Cell]]) -> Array:
        """The input made of `rows`, which are those of this block alone."""
        tensor, (first, *_) = block.tensor, block.columns
        if block.is_nested:
            cells = [read_nested(first, it[0]) for it in rows]
            return np.stack(cells) if self._features.has_rows else cells[0]
        array = np.array(rows, DTYPES[tensor.datatype])
        tail = tensor.shape[1:] if self._features.has_rows else tensor.shape
        return array.reshape(len(rows), *tail) if self._features.has_rows else array.reshape(tail)


def _row_type(columns: Sequence[Column]) -> type[Struct] | None:
    """A Struct of a row; None if the names or the number of the columns do not allow one."""
    if len(columns) > MAX_QUICK_COLUMNS:
        return None
    fields = {f"c{index}": it for index, it in enumerate(columns)}
    try:
        return msgspec.defstruct(
            "Row",
            [(field, _type_of(it)) for field, it in fields.items()],
            rename={field: it.name for field, it in fields.items()},
            forbid_unknown_fields=True,
            gc=False,
        )
    except ValueError:  # a name with a quote, a backslash or a control character
        return None


def _quick_decoder(row: type[Struct], max_rows: int) -> msgspec.json.Decoder[Any]:
    rows = Annotated[list[row], Meta(min_length=1, max_length=max_rows)]
    return msgspec.json.Decoder(msgspec.defstruct("Rows", [("rows", rows)], forbid_unknown_fields=True))


def _row_reader(row: type[Struct] | None, columns: Sequence[Column]) -> ReadRow | None:
    """By the Struct `row` or, where there is none, for columns that are all of one type."""
    read = _read_uniform(columns) if row is None else _read_struct(row)
    unbounded = [index for index, it in enumerate(columns) if not it.shape and INTEGER_RANGES.get(it.datatype, WORD)[1] > WORD[1]]
    if read is None or not unbounded:
        return read

    def read_bounded(data: Raw) -> list[Cell]:
        cells = read(data)
        if any(cells[it] > INTEGER_RANGES[columns[it].datatype][1] for it in unbounded):
            raise LookupError
        return cells

    return read_bounded


def _read_struct(row: type[Struct]) -> ReadRow:
    decoder = msgspec.json.Decoder(row)
    return lambda data: [*msgspec.structs.astuple(decoder.decode(data))]


def _read_uniform(columns: Sequence[Column]) -> ReadRow | None:
    kind, *others = {_type_of(it) for it in columns}
    if others:
        return None
    decoder: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, kind])
    names = [it.name for it in columns]

    def read(data: Raw) -> list[Cell]:
        row = decoder.decode(data)
        if len(row) != len(names):
            raise LookupError
        return [row[it] for it in names]

    return read


def _type_of(column: Column) -> Any:
    if column.shape:
        return Raw
    plain: Any = TYPES[column.kind]
    if column.kind == "number" and column.datatype in FLOAT_BOUNDS:
        bound = FLOAT_BOUNDS[column.datatype]
        plain = Annotated[float, Meta(gt=-bound, lt=bound)]
    elif column.kind == "integer":
        low, high = INTEGER_RANGES.get(column.datatype, WORD)
        plain = Annotated[int, Meta(ge=low)] if high > WORD[1] else Annotated[int, Meta(ge=low, le=high)]
    return plain | None if column.is_nullable else plain
