"""Reading, layout, tensors and the protocol, without processes around them: properties of all inputs."""

import csv
import io
import math
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from contracts.signature import Tensor
from control.batch_jobs.errors import InputRefused
from control.batch_jobs.formats import Format
from control.batch_jobs.layout import Feature, Layout, lay_out
from control.batch_jobs.protocol import AnswerUnreadable, decode_answer, encode_request
from control.batch_jobs.reading import open_source
from control.batch_jobs.rows import Block, JsonRows
from control.batch_jobs.tensors import DTYPES, encode
from control.batch_jobs.writing import name_outputs

TEXTS = st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"]), max_size=12)
LINES = [b'{"a": 1}', b"[1]", b"nonsense", b"\xff", b'{"a":', b'"text"']
NUMERIC = sorted(DTYPES.keys() - {"BYTES"})


def read(content: bytes, format: Format, skip: int = 0) -> list[Block]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        path.write_bytes(content)
        return list(open_source(path, format).blocks(skip))


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=30), st.data())
@settings(deadline=None)
def test_csv_values_are_read_as_any_writer_wrote_them_from_any_row_on(rows: list[tuple[str, str]], data: st.DataObject):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("a", "b"), *rows])
    skip = data.draw(st.integers(0, len(rows)))
    blocks = read(text.getvalue().encode(), "csv", skip)
    found = [it for block in blocks for it in zip(block.rows.column("a"), block.rows.column("b"), strict=True)]
    assert found == rows[skip:]
    assert [it for block in blocks for it in block.numbers] == list(range(skip + 1, len(rows) + 1))


@given(
    st.lists(st.sampled_from([b'{"a": 1}', b"[1]", b"nonsense", b"\xff", b'{"a":', b'"text"']), min_size=1, max_size=40),
    st.data(),
)
@settings(deadline=None)
def test_every_json_line_is_a_row_or_broken_and_keeps_its_number(lines: list[bytes], data: st.DataObject):
    skip = data.draw(st.integers(0, len(lines)))
    blocks = read(b"\n".join(lines), "jsonl", skip)
    good = [it for block in blocks for it in block.numbers]
    broken = [it.number for block in blocks for it in block.broken]
    assert sorted(good + broken) == list(range(skip + 1, len(lines) + 1))
    assert all(lines[it - 1] == b'{"a": 1}' for it in good)


@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl", "parquet"]))
@example(b"\n", "csv")
@example(b'"', "csv")
@example(b"PAR1" + bytes(60) + b"PAR1", "parquet")
@settings(deadline=None)
def test_any_bytes_are_refused_or_read_without_a_gap(content: bytes, format: Format):
    with suppress(InputRefused):
        blocks = read(content, format)
        numbers = sorted(number for it in blocks for number in (*it.numbers, *(row.number for row in it.broken)))
        assert numbers == list(range(1, len(numbers) + 1))


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.data())
def test_a_block_is_cut_anywhere_without_losing_a_row(is_good: list[bool], data: st.DataObject):
    lines = b"\n".join(b"{}" if it else b"?" for it in is_good)
    [block] = read(lines, "jsonl")
    cut = data.draw(st.integers(0, len(is_good)))
    parts = [block.cut(0, cut), block.cut(cut, len(is_good))]
    assert [it.count for it in parts] == [cut, len(is_good) - cut]
    assert [number for it in parts for number in it.numbers] == block.numbers
    assert [row for it in parts for row in it.broken] == block.broken


def scalars(datatype: str, values: list[Any]) -> tuple[Any, dict[int, str]]:
    layout = Layout((Feature("x", datatype, (1,), ("x",)),), is_batched=True, has_row_axis=True)
    found, reasons = encode(JsonRows([{"x": it} for it in values]), layout)
    return found["x"], reasons


JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | st.lists(st.integers(), max_size=2)


@given(st.sampled_from(NUMERIC), st.lists(JSON_VALUES, min_size=1, max_size=20))
@example("INT8", [300])
@example("UINT64", [2**64, -1])
@example("FP32", [1e39])
@example("FP16", [65520.0, 65519.0])
@settings(deadline=None)
def test_a_value_is_kept_exactly_or_its_row_is_refused(datatype: str, values: list[Any]):
    array, reasons = scalars(datatype, values)
    assert array.shape == (len(values), 1)
    assert array.dtype == DTYPES[datatype]
    for index, value in enumerate(values):
        if index in reasons:
            assert "column 'x'" in reasons[index]
        elif value is None:
            assert math.isnan(array[index, 0])
        elif array.dtype.kind == "f":
            assert array[index, 0] == DTYPES[datatype].type(value)
            assert math.isinf(array[index, 0]) == math.isinf(value)
        else:
            assert array[index, 0] == value


@given(arrays.arrays(st.sampled_from([DTYPES[it] for it in NUMERIC]), arrays.array_shapes(min_dims=0, max_dims=3, min_side=0)))
def test_what_is_sent_in_binary_is_what_comes_back(array: np.ndarray[Any, Any]):
    body, length = encode_request({"x": array})
    header = orjson.loads(body[:length])
    answer = orjson.dumps({"outputs": header["inputs"]})
    [(name, found)] = decode_answer(answer + body[length:], str(len(answer))).items()
    assert (name, found.dtype, found.shape) == ("x", array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()
    assert header["parameters"] == {"binary_data_output": True, "priority": 9}


@given(st.lists(st.binary(max_size=9), max_size=9))
def test_texts_are_sent_with_their_lengths(texts: list[bytes]):
    array = np.array([*texts, None], np.object_)[:-1]
    body, length = encode_request({"x": array})
    assert body[length:] == b"".join(struct.pack("<I", len(it)) + it for it in texts)
    answer = orjson.dumps({"outputs": orjson.loads(body[:length])["inputs"]})
    assert decode_answer(answer + body[length:], str(len(answer)))["x"].tolist() == texts


@given(st.binary(max_size=200), st.none() | st.integers(-5, 300).map(str) | st.just("many"))
def test_an_answer_that_is_none_is_said_to_be_none(body: bytes, length: str | None):
    with pytest.raises(AnswerUnreadable):
        decode_answer(body + b"{", length)


@pytest.mark.parametrize(
    ("shapes", "metadata", "columns", "found"),
    [
        ({"x": (-1, 2)}, {}, ["x_0", "x_1"], [("x_0", "x_1")]),
        ({"x": (-1, 2)}, {"headrace.features": '["a", {"name": "b"}]'}, ["b", "a"], [("a", "b")]),
        ({"x": (-1, 2)}, {"headrace.features": '["a"]'}, ["x_0", "x_1"], [("x_0", "x_1")]),
        ({"x": (-1, 2)}, {"headrace.features": "{"}, ["x"], [("x",)]),
        ({"a": (-1,), "b": (-1, 1)}, {"headrace.features": '["z"]'}, ["b", "a", "c"], [("a",), ("b",)]),
        ({"x": (-1, 3, -1)}, {}, ["x"], [("x",)]),
        ({"x": ()}, {}, ["x"], [("x",)]),
        ({"x": (-1,)}, {"headrace.features": '["age"]'}, ["age"], [("age",)]),
    ],
)
def test_columns_are_found_by_the_rules(
    shapes: dict[str, tuple[int, ...]], metadata: dict[str, str], columns: list[str], found: list[tuple[str, ...]]
):
    layout = lay_out([Tensor(name, "FP32", shape) for name, shape in shapes.items()], metadata, columns)
    assert [it.columns for it in layout.features] == found
    assert layout.has_row_axis == (shapes != {"x": ()})


def test_results_are_named_so_that_nothing_is_overwritten():
    outputs = [Tensor("y", "FP32", (-1,)), Tensor("p", "FP32", (-1, 2)), Tensor("predicted_y", "FP32", (-1, -1))]
    named = name_outputs(outputs, {"headrace.labels": '["no", "yes"]'}, ["x", "y", "p_yes"], has_row_axis=True)
    assert [it.columns for it in named] == [("predicted_y",), ("predicted_p_no", "predicted_p_yes"), ("predicted_predicted_y",)]
    assert [it.is_single for it in named] == [True, False, False]
