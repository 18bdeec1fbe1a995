"""Output files: parts while a job runs, and the whole made of them at its end.

Results are the rows of the input as they were, followed by the model's outputs. An output is named as the model names it, with
`predicted_` before it where the file has a column of that name. In CSV an output of K values a row is K columns
(`<output>_<label>` or `<output>_<number>`), one of more dimensions is JSON; the other formats have lists.
"""

import csv
import io
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet
from msgspec import Struct

from contracts.signature import Tensor
from control.batch_jobs.formats import Format
from control.batch_jobs.reading import Source
from control.batch_jobs.rows import ArrowRows, Broken, JsonRows, Rows
from control.batch_jobs.tensors import Array

LABELS_KEY: Final = "headrace.labels"
MAX_SPREAD: Final = 1000
"""Values of one output that become columns of a CSV file."""
MAX_SHOWN_BYTES: Final = 64 << 10
GROUP_BYTES: Final = 32 << 20
"""Of a row group of Parquet results, before compression."""

Answers = Mapping[str, Sequence[Array]]
"""By output arrays that follow each other, each with the rows first."""


class Output(Struct, frozen=True):
    """One output of the model in the results."""

    output: str
    name: str
    spread: tuple[str, ...] = ()
    """Names of its columns in CSV, if it has several."""
    is_single: bool = False
    """One value a row, whether its shape is [N] or [N, 1]."""

    @property
    def columns(self) -> tuple[str, ...]:
        return self.spread or (self.name,)


def name_outputs(
    outputs: Sequence[Tensor], metadata: Mapping[str, str], columns: Sequence[str], *, has_row_axis: bool
) -> tuple[Output, ...]:
    """What the outputs are called beside `columns`."""
    taken = set(columns)
    labels = _labels(metadata)
    found: list[Output] = []
    for it in outputs:
        output = _name(it, labels, has_row_axis)
        while taken.intersection((output.name, *output.spread)):
            spread = tuple(f"predicted_{name}" for name in output.spread)
            output = Output(output.output, f"predicted_{output.name}", spread, output.is_single)
        found.append(output)
        taken.update((output.name, *output.spread))
    return tuple(found)


def _name(tensor: Tensor, labels: Sequence[str], has_row_axis: bool) -> Output:
    shape = tensor.shape[1:] if has_row_axis else tensor.shape
    if len(shape) != 1 or not 1 < shape[0] <= MAX_SPREAD:
        return Output(tensor.name, tensor.name, is_single=shape in ((), (1,)))
    endings = labels if len(set(labels)) == shape[0] else range(shape[0])
    return Output(tensor.name, tensor.name, tuple(f"{tensor.name}_{it}" for it in endings))


def _labels(metadata: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return tuple(map(str, msgspec.json.decode(metadata.get(LABELS_KEY, "[]"), type=list[str | int | float | bool])))
    except (msgspec.DecodeError, UnicodeError):
        return ()


class Writer:
    """Writes the results of one job."""

    def __init__(self, format: Format, source: Source, outputs: Sequence[Output]) -> None:
        self._format: Format = format
        self._columns, self._outputs = source.columns, outputs

    def collides(self, row: object) -> str | None:
        """The field of a JSON row that an output would overwrite, if there is one that the first rows did not have."""
        if not isinstance(row, dict):
            return None
        return next((it.name for it in self._outputs if it.name in row), None) if self._format == "jsonl" else None

    def part(self, rows: Rows, answers: Answers) -> bytes:
        """Some rows with their results."""
        singles = {it.output for it in self._outputs if it.is_single}
        answers = {name: [it[:, 0] if name in singles and it.ndim == 2 else it for it in answers[name]] for name in answers}
        if isinstance(rows, JsonRows):
            return self._json(rows, answers)
        assert isinstance(rows, ArrowRows)
        return self._csv(rows, answers) if self._format == "csv" else self._parquet(rows, answers)

    def join(self, parts: Iterable[Path], target: Path) -> None:
        """The whole, made of all parts."""
        if self._format == "parquet":
            _join_parquet(parts, target)
            return
        header = _lines([[*self._columns, *(name for it in self._outputs for name in it.columns)]])
        join_lines(parts, target, header if self._format == "csv" else b"")

    def _json(self, rows: JsonRows, answers: Answers) -> bytes:
        columns = {it.name: [_plain(row) for array in answers[it.output] for row in array] for it in self._outputs}
        names = tuple(columns)
        lines = [
            orjson.dumps(
                row | dict(zip(names, values, strict=True)), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
            )
            for row, values in zip(rows.objects, zip(*columns.values(), strict=True), strict=True)
        ]
        return b"".join(lines)

    def _csv(self, rows: ArrowRows, answers: Answers) -> bytes:
        columns = [rows.column(name) for name in self._columns]
        for output in self._outputs:
            columns += _csv_columns(output, answers[output.output])
        return _lines(zip(*columns, strict=True))

    def _parquet(self, rows: ArrowRows, answers: Answers) -> bytes:
        table = pa.Table.from_batches([rows.batch]).replace_schema_metadata()
        for it in self._outputs:
            table = table.append_column(it.name, pa.chunked_array([_to_arrow(array) for array in answers[it.output]]))
        target = io.BytesIO()
        pyarrow.parquet.write_table(table, target, compression="zstd")
        return target.getvalue()


def failed_part(rows: Rows, numbers: Sequence[int], reasons: Mapping[int, str], broken: Sequence[Broken]) -> bytes:
    """The rows without results as JSON lines, in their order; `reasons` by index into `rows`."""
    found = [Broken(numbers[index], reason, rows.shown(index)) for index, reason in reasons.items()]
    return b"".join(_failed_line(it) for it in sorted((*found, *broken), key=lambda it: it.number))


def join_lines(parts: Iterable[Path], target: Path, header: bytes = b"") -> None:
    """One file of all parts."""
    with target.open("wb") as file:
        file.write(header)
        for part in parts:
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, file, 1 << 20)


def _failed_line(row: Broken) -> bytes:
    shown = orjson.dumps(row.shown, default=str)
    values = orjson.Fragment(shown) if len(shown) <= MAX_SHOWN_BYTES else f"more than {MAX_SHOWN_BYTES >> 10} KiB"
    return orjson.dumps({"row": row.number, "error": row.reason, "values": values}, option=orjson.OPT_APPEND_NEWLINE)


def _join_parquet(parts: Iterable[Path], target: Path) -> None:
    writer: pyarrow.parquet.ParquetWriter | None = None
    waiting: list[pa.Table] = []
    try:
        for part in parts:
            table = pyarrow.parquet.read_table(str(part), memory_map=False)
            writer = writer or pyarrow.parquet.ParquetWriter(str(target), table.schema, compression="zstd")
            waiting.append(table)
            if sum(it.nbytes for it in waiting) >= GROUP_BYTES:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        if writer is not None and waiting:
            writer.write_table(pa.concat_tables(waiting))
    finally:
        if writer is not None:
            writer.close()


def _csv_columns(output: Output, arrays: Sequence[Array]) -> list[list[Any]]:
    if output.spread:
        return [_texts([array[:, it] for array in arrays]) for it in range(len(output.spread))]
    if all(array.ndim == 1 for array in arrays):
        return [_texts(arrays)]
    return [[orjson.dumps(_plain(row), option=orjson.OPT_SERIALIZE_NUMPY).decode() for array in arrays for row in array]]


def _texts(arrays: Sequence[Array]) -> list[Any]:
    """Numbers in the shortest form that reads back the same."""
    found: list[Any] = []
    for array in arrays:
        wide = array.astype(np.float32) if array.dtype == np.float16 else array
        found += _to_arrow(np.ascontiguousarray(wide)).cast(pa.string()).to_pylist()
    return found


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _to_arrow(array: Array) -> Any:
    """The rows as values, or as lists of lists."""
    flat = array.ravel()
    values = pa.array([_text(it) for it in flat], pa.string()) if array.dtype.kind == "O" else pa.array(flat)
    for axis in range(array.ndim - 1, 0, -1):
        lists = int(np.prod(array.shape[:axis]))
        offsets = np.arange(lists + 1, dtype=np.int32) * array.shape[axis]
        values = pa.ListArray.from_arrays(pa.array(offsets), values)
    return values


def _plain(value: Any) -> Any:
    """One row's value as orjson takes it."""
    if isinstance(value, bytes):
        return _text(value)
    if not isinstance(value, np.ndarray):
        return np.float32(value) if getattr(value, "dtype", None) == np.float16 else value
    if value.dtype.kind == "O":
        texts = np.array([_text(it) for it in value.ravel()], np.object_)
        return texts.reshape(value.shape).tolist()
    return np.ascontiguousarray(value.astype(np.float32) if value.dtype == np.float16 else value)


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")
