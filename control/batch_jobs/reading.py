"""Input files, read in blocks of bounded size, however large the file is or pretends to be.

What is wrong with one row breaks that row alone. What makes the rest of the file unreadable is InputRefused.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from control.batch_jobs.errors import InputRefused
from control.batch_jobs.formats import Format
from control.batch_jobs.rows import ArrowRows, Block, Broken, JsonRows

BLOCK_BYTES: Final = 2 << 20
"""pyarrow reads 32 of them ahead."""
BLOCK_ROWS: Final = 8192
MAX_ROW_BYTES: Final = 4 << 20
HEAD_ROWS: Final = 1000
"""Rows of a file without a header whose fields are taken for its columns."""
MAX_COLUMNS: Final = 10_000
COUNT_BYTES: Final = 1 << 20
MAX_REASON: Final = 300
WRITTEN_DEPTH: Final = 250
"""Values nested less deeply can be written as well as read."""
BOM: Final = b"\xef\xbb\xbf"


class Source(ABC):
    """An input file. `columns` are their names; of JSON lines those that the first rows have."""

    columns: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        """Raises InputRefused."""
        self.path = path

    @abstractmethod
    def count_rows(self) -> int:
        """How many rows there are, or for text how many lines."""

    @abstractmethod
    def read(self, skip: int) -> Iterator[Block]:
        """All blocks that go beyond the first `skip` rows. Raises InputRefused."""

    def blocks(self, skip: int = 0) -> Iterator[Block]:
        """All rows but the first `skip`. Raises InputRefused."""
        with _readable():
            for block in self.read(skip):
                surplus = skip - (block.first - 1)
                if surplus < block.count:
                    yield block.cut(surplus, block.count) if surplus > 0 else block


def open_source(path: Path, format: Format) -> Source:
    """Raises InputRefused if the file is not of this format or cannot be understood at all."""
    kinds: dict[Format, type[Source]] = {"csv": CsvSource, "jsonl": JsonSource, "parquet": ParquetSource}
    with _readable():
        if not path.stat().st_size:
            raise InputRefused("the file is empty")
        source = kinds[format](path)
        _check_columns(source.columns)
        return source


class CsvSource(Source):
    """Comma-separated values in UTF-8 with a header. Values stay the text they are."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            with self._open(pyarrow.csv.ConvertOptions(), []) as reader:
                self.columns = tuple(reader.schema.names)
        except UnicodeDecodeError as error:
            raise InputRefused("the names of the columns are not UTF-8") from error

    def count_rows(self) -> int:
        return max(0, _count_lines(self.path) - 1)

    def read(self, skip: int) -> Iterator[Block]:
        texts = {name: pa.binary() for name in self.columns}
        options = pyarrow.csv.ConvertOptions(column_types=texts, strings_can_be_null=False, check_utf8=False)
        misfits: list[Any] = []
        first = 1
        with self._open(options, misfits) as reader:
            for batch in reader:
                numbers, broken = _number(first, batch.num_rows, misfits)
                block = _decode(first, batch, numbers, broken)
                first += block.count
                yield block
        if misfits:
            none = pa.RecordBatch.from_pylist([], pa.schema([(name, pa.string()) for name in self.columns]))
            yield Block(first, ArrowRows(none, are_texts=True), [], [_misfit(it) for it in misfits])

    def _open(self, options: Any, misfits: list[Any]) -> Any:
        def note(row: Any) -> str:
            misfits.append(row)
            return "skip"

        return pyarrow.csv.open_csv(
            str(self.path),
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            convert_options=options,
        )


class JsonSource(Source):
    """One JSON object a line, in UTF-8."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        block = next(self.read(0), None)
        if block is not None:
            assert isinstance(block.rows, JsonRows)
            self.columns = tuple(dict.fromkeys(name for it in block.rows.objects[:HEAD_ROWS] for name in it))

    def count_rows(self) -> int:
        return _count_lines(self.path)

    def read(self, skip: int) -> Iterator[Block]:
        first = 1
        with self.path.open("rb") as file:
            while lines := _read_lines(file, is_first=first == 1):
                block = _parse(first, lines)
                first += block.count
                yield block


class ParquetSource(Source):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        # Without buffering ahead a row group is read page by page, so its size does not matter.
        self._file = pyarrow.parquet.ParquetFile(str(path), buffer_size=1 << 20, pre_buffer=False)
        self.columns = tuple(self._file.schema_arrow.names)

    def count_rows(self) -> int:
        return self._file.metadata.num_rows

    def read(self, skip: int) -> Iterator[Block]:
        first, groups = self._groups_behind(skip)
        for batch in self._file.iter_batches(self._block_rows(), row_groups=groups, use_threads=False):
            yield Block(first, ArrowRows(batch, are_texts=False), list(range(first, first + batch.num_rows)), [])
            first += batch.num_rows

    def _groups_behind(self, skip: int) -> tuple[int, list[int]]:
        """The number of the first row that is read, and the row groups that hold it and what follows."""
        metadata, first = self._file.metadata, 1
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            if first - 1 + rows > skip:
                return first, list(range(group, metadata.num_row_groups))
            first += rows
        return first, []

    def _block_rows(self) -> int:
        metadata = self._file.metadata
        size = sum(metadata.row_group(it).total_byte_size for it in range(metadata.num_row_groups))
        return min(max(1, BLOCK_BYTES * metadata.num_rows // max(1, size)), BLOCK_ROWS)


@contextmanager
def _readable() -> Generator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OSError) as error:
        first_line = str(error).partition("\n")[0][:MAX_REASON]
        hint = f"; a row has more than {BLOCK_BYTES >> 20} MiB, or a quote is not closed" if "straddl" in first_line else ""
        raise InputRefused(f"the file cannot be read: {first_line}{hint}") from error


def _check_columns(columns: tuple[str, ...]) -> None:
    if len(columns) > MAX_COLUMNS:
        raise InputRefused(f"the file has {len(columns):,} columns; {MAX_COLUMNS:,} are possible")
    twice = next((name for name in columns if columns.count(name) > 1), None) if len(set(columns)) < len(columns) else None
    if twice is not None:
        raise InputRefused(f"two columns are named {twice!r}")


def _count_lines(path: Path) -> int:
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(COUNT_BYTES):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def _number(first: int, good: int, misfits: list[Any]) -> tuple[list[int], list[Broken]]:
    """Row numbers of `good` rows from `first` on, among which lie the first of `misfits`; those are taken from the list."""
    numbers: list[int] = []
    broken: list[Broken] = []
    number = first
    while len(numbers) < good:
        if misfits and misfits[0].number - 1 == number:
            broken.append(_misfit(misfits.pop(0)))
        else:
            numbers.append(number)
        number += 1
    return numbers, broken


def _misfit(row: Any) -> Broken:
    reason = f"the row has {row.actual_columns} values, the header has {row.expected_columns}"
    return Broken(row.number - 1, reason, row.text)


def _decode(first: int, batch: Any, numbers: list[int], broken: list[Broken]) -> Block:
    """A block of texts from a batch of bytes; rows that are not UTF-8 are broken."""
    try:
        return Block(first, ArrowRows(_as_texts(batch), are_texts=True), numbers, broken)
    except pa.ArrowInvalid:
        bad = [index for index, row in enumerate(batch.to_pylist()) if not all(map(_is_utf8, row.values()))]
    good = sorted(set(range(batch.num_rows)) - set(bad))
    for index in bad:
        shown = {name: value.decode(errors="backslashreplace") for name, value in batch.slice(index, 1).to_pylist()[0].items()}
        broken.append(Broken(numbers[index], "the row is not UTF-8", shown))
    texts = _as_texts(batch.take(pa.array(good, pa.int64())))
    broken.sort(key=lambda it: it.number)
    return Block(first, ArrowRows(texts, are_texts=True), [numbers[it] for it in good], broken)


def _as_texts(batch: Any) -> Any:
    return batch.cast(pa.schema([(name, pa.string()) for name in batch.schema.names]))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _read_lines(file: BufferedReader, *, is_first: bool) -> list[bytes | None]:
    """The next lines that are not blank, about a block of them; None in place of one that is too long."""
    lines: list[bytes | None] = []
    size = 0
    while (not lines or (size < BLOCK_BYTES and len(lines) < BLOCK_ROWS)) and (line := file.readline(MAX_ROW_BYTES + 1)):
        size += len(line)
        if len(line) > MAX_ROW_BYTES:
            _skip_line(file, line)
            lines.append(None)
            continue
        if is_first:
            line, is_first = line.removeprefix(BOM), False
        if text := line.strip():
            lines.append(text)
    return lines


def _skip_line(file: BufferedReader, begun: bytes) -> None:
    while begun and not begun.endswith(b"\n"):
        begun = file.readline(MAX_ROW_BYTES)


def _parse(first: int, lines: list[bytes | None]) -> Block:
    objects: list[dict[str, Any]] = []
    numbers: list[int] = []
    broken: list[Broken] = []
    for number, line in enumerate(lines, first):
        found = f"the row has more than {MAX_ROW_BYTES >> 20} MiB" if line is None else _parse_line(line)
        if isinstance(found, dict):
            objects.append(found)
            numbers.append(number)
        else:
            broken.append(Broken(number, found, None if line is None else line.decode(errors="backslashreplace")))
    return Block(first, JsonRows(objects), numbers, broken)


def _parse_line(line: bytes) -> dict[str, Any] | str:
    """The row, or what is wrong with it."""
    try:
        row: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"the line is not JSON: {error}"
    if not isinstance(row, dict):
        return "the line is no JSON object"
    return row if _can_be_written(row, line) else "the row is nested too deeply"


def _can_be_written(row: dict[str, Any], line: bytes) -> bool:
    """orjson writes less deeply nested values than it reads; only lines with many brackets need a try."""
    if line.count(b"{") + line.count(b"[") < WRITTEN_DEPTH:
        return True
    try:
        orjson.dumps(row)
    except orjson.JSONEncodeError:
        return False
    return True
