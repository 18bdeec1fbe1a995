"""Files as the world writes them: every row is there once, with its values or with what is wrong with it."""

import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.signature import Tensor
from control.batch_jobs import reading
from control.batch_jobs.formats import Format
from control.batch_jobs.layout import Feature, Layout
from control.batch_jobs.reading import open_source
from control.batch_jobs.rows import ArrowRows, Block
from control.batch_jobs.tensors import DTYPES, FLOATS, encode
from control.batch_jobs.writing import Writer, failed_part, name_outputs
from tests.control.batch_jobs.jobs import parquet

BLANK, GOOD, BROKEN = 0, 1, 2
CSV_LINES = {
    b"1,2": GOOD,
    b'"a\nb","c,""d"""': GOOD,
    b",": GOOD,
    b'" "," "': GOOD,
    b"": BLANK,
    b"7": BROKEN,
    b"1,2,3": BROKEN,
    b'"a\nb"': BROKEN,
    b"\xff,1": BROKEN,
}


def read(content: bytes, format: Format, skip: int = 0) -> list[Block]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        path.write_bytes(content)
        return list(open_source(path, format).blocks(skip))


@given(
    st.lists(st.sampled_from(list(CSV_LINES)), min_size=1, max_size=60),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([64, 200, 2 << 20]),
    st.data(),
)
@example([b"", b"7", b"1,2", b"", b"1,2,3", b"1,2"], b"\n", 2 << 20, None)
@settings(deadline=None)
def test_each_line_of_a_csv_file_is_a_row_or_broken_and_keeps_its_number(
    lines: list[bytes], end: bytes, block_bytes: int, data: st.DataObject | None
):
    rows = [it for it in lines if CSV_LINES[it] != BLANK]
    skip = data.draw(st.integers(0, len(rows))) if data else 0
    with patch.object(reading, "BLOCK_BYTES", block_bytes):
        blocks = read(end.join([b"a,b", *lines, b""]), "csv", skip)
    expected = list(enumerate(rows, 1))[skip:]
    good = [number for block in blocks for number in block.numbers]
    assert good == [number for number, it in expected if CSV_LINES[it] == GOOD]
    assert [it.number for block in blocks for it in block.broken] == [
        number for number, it in expected if CSV_LINES[it] == BROKEN
    ]
    assert [it.first for it in blocks] == [skip + 1 + sum(it.count for it in blocks[:index]) for index in range(len(blocks))]
    firsts = [it for block in blocks for it in block.rows.column("a")] if good else []
    texts = {b"1,2": "1", b'"a\nb","c,""d"""': "a\nb", b",": "", b'" "," "': " "}
    assert firsts == [texts[rows[number - 1]] for number in good]


def integers(bits: int) -> Any:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def array(values: Any, type: Any) -> Any:
    return pa.array(values, type)


def cast(values: list[Any], raw: Any, type: Any) -> Any:
    return array(values, raw).view(type)


def broken_texts(values: list[bytes | None]) -> Any:
    """Bytes that call themselves text, as nobody checks while writing."""
    return pa.array(values, pa.binary()).view(pa.string())


COLUMNS: dict[str, tuple[Any, Callable[[list[Any]], Any]]] = {
    "timestamp[ns]": (integers(64), lambda it: cast(it, pa.int64(), pa.timestamp("ns"))),
    "timestamp[us]": (integers(64), lambda it: cast(it, pa.int64(), pa.timestamp("us"))),
    "timestamp[ms, Zurich]": (integers(64), lambda it: cast(it, pa.int64(), pa.timestamp("ms", "Europe/Zurich"))),
    "date32": (integers(32), lambda it: cast(it, pa.int32(), pa.date32())),
    "time64[ns]": (st.integers(0, 86_399 * 10**9), lambda it: cast(it, pa.int64(), pa.time64("ns"))),
    "duration[ns]": (integers(64), lambda it: cast(it, pa.int64(), pa.duration("ns"))),
    "list of times": (st.lists(integers(64), max_size=2), lambda it: array(it, pa.list_(pa.timestamp("ns")))),
    "text": (st.text(st.characters(exclude_categories=["Cs"]), max_size=5), lambda it: array(it, pa.string())),
    "broken text": (st.binary(max_size=4), broken_texts),
    "bytes": (st.binary(max_size=4), lambda it: array(it, pa.binary())),
    "decimal": (st.decimals(-(10**9), 10**9, places=3), lambda it: array(it, pa.decimal256(70, 3))),
    "half": (
        st.floats(width=16, allow_nan=False),
        lambda it: array([None if x is None else np.float16(x) for x in it], pa.float16()),
    ),
    "float": (st.floats(allow_nan=False), lambda it: array(it, pa.float64())),
    "whole": (integers(64), lambda it: array(it, pa.int64())),
    "category": (st.sampled_from(["a", "b"]), lambda it: array(it, pa.string()).dictionary_encode()),
    "struct": (st.fixed_dictionaries({"a": integers(8)}), lambda it: array(it, pa.struct([("a", pa.int8())]))),
    "map": (st.lists(st.tuples(st.just("k"), integers(8)), max_size=1), lambda it: array(it, pa.map_(pa.string(), pa.int8()))),
}


@pytest.mark.parametrize("kind", COLUMNS)
@given(data=st.data())
@settings(deadline=None, max_examples=30)
def test_a_parquet_column_of_any_type_comes_back_and_can_be_shown(kind: str, data: st.DataObject):
    values, to_arrow = COLUMNS[kind]
    drawn = data.draw(st.lists(st.none() | values, min_size=1, max_size=12))
    table = pa.table({"x": to_arrow(drawn), "id": list(range(len(drawn)))})
    content = parquet(table, row_group_size=data.draw(st.integers(1, 12)))
    blocks = read(content, "parquet", skip := data.draw(st.integers(0, len(drawn))))
    for block in blocks:
        assert len(block.rows.column("x")) == block.count
        reasons = dict.fromkeys(range(block.count), "wrong")
        failed = [orjson.loads(it) for it in failed_part(block.rows, block.numbers, reasons, []).splitlines()]
        assert [it["values"]["id"] for it in failed] == [it - 1 for it in block.numbers]
    if blocks:
        assert joined(content, blocks).equals(pyarrow.parquet.read_table(pa.BufferReader(content)).slice(skip))


def joined(content: bytes, blocks: list[Block]) -> Any:
    """The input's columns as the results have them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        path.write_bytes(content)
        outputs = name_outputs([Tensor("y", "FP32", (-1,))], {}, ("x", "id"), has_row_axis=True)
        writer = Writer("parquet", open_source(path, "parquet"), outputs)
        parts = [path.with_name(f"part-{it.first}") for it in blocks]
        for part, block in zip(parts, blocks, strict=True):
            part.write_bytes(writer.part(block.rows, {"y": [np.zeros(block.count, np.float32)]}))
        writer.join(parts, path.with_name("whole"))
        return pyarrow.parquet.read_table(str(path.with_name("whole")), memory_map=False).select(["x", "id"])


def test_a_value_that_cannot_be_read_fails_alone_and_leaves_the_others_as_they_are():
    rows = ArrowRows(pa.record_batch({"x": broken_texts([b"good", b"\xff", b'"quoted"'])}), are_texts=False)
    found, reasons = encode(rows, Layout((Feature("x", "BYTES", (), ("x",)),), is_batched=True, has_row_axis=True))
    assert reasons == {1: "column 'x': the value cannot be read"}
    assert [found["x"][0], found["x"][2]] == [b"good", b'"quoted"']


CELLS = (
    st.floats().map(repr)
    | st.integers().map(str)
    | st.integers().map("{}.0".format)
    | st.decimals(allow_nan=False, allow_infinity=False).map(str)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)


@given(st.sampled_from(sorted(DTYPES.keys() - {"BYTES", "BOOL"})), st.lists(CELLS, min_size=1, max_size=10))
@example("INT64", ["5.0", " 7", "9007199254740993.0", "9223372036854775807", "1e3", "0.5"])
@example("FP64", ["1e400", "-1e400", "inf", "1_0", ""])
@example("FP32", ["1e39", "3.4028236e38"])
@settings(deadline=None)
def test_a_cell_is_the_number_that_it_spells_or_its_row_is_refused(datatype: str, cells: list[str]):
    rows = ArrowRows(pa.record_batch({"x": pa.array(cells, pa.string())}), are_texts=True)
    found, reasons = encode(rows, Layout((Feature("x", datatype, (), ("x",)),), is_batched=True, has_row_axis=True))
    for index, cell in enumerate(cells):
        value = found["x"][index]
        if index in reasons:
            assert "column 'x'" in reasons[index]
        elif datatype in FLOATS:
            assert np.array_equal(value, DTYPES[datatype].type(float(cell.strip() or "nan")), equal_nan=True)
            assert np.isinf(value) == ("inf" in cell.lower())
        else:
            assert Decimal(int(value)) == Decimal(cell.strip())


@given(st.integers(1, 1100))
@example(252)
@example(253)
@example(254)
@settings(deadline=None)
def test_a_row_nested_however_deeply_is_read_or_broken_and_can_be_written_either_way(depth: int):
    line = b'{"x": ' + b"[" * depth + b"]" * depth + b"}"
    [block] = read(line, "jsonl")
    assert block.count == 1
    assert failed_part(block.rows, block.numbers, dict.fromkeys(range(len(block.numbers)), "wrong"), block.broken)
