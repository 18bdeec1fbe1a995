"""Rows in: what becomes of good ones, and what is said of bad ones."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw
from onnx import TensorProto

from gateway.predict.cells import Cell, read_cell
from gateway.predict.checking import MAX_PROBLEMS, check_rows
from gateway.predict.features import MAX_ROWS, Column
from gateway.predict.problems import RowsInvalid
from gateway.predict.rows import MAX_QUICK_COLUMNS, RowsDecoder
from serving.datatypes import DTYPES, INTEGER_RANGES
from serving.errors import RequestMalformed
from tests.gateway.predict.conftest import Load
from tests.gateway.predict.predicting import KINDS, body_of, classifier, echo, predict, problems_of, refusal
from tests.models import FLOAT, columns_model, mixing_model, scalar_model, sum_model

FEATURES = json.dumps(
    ["width", {"name": "grown", "type": "boolean", "description": "Is it?"}, {"name": "rings", "type": "integer"}]
)


async def test_columns_of_several_types_by_their_names(load: Load) -> None:
    loaded = load(columns_model)
    rows = [{"amount": 12.5, "country": "CH"}, {"country": "é", "amount": 3}]
    assert await predict(loaded, *rows) == [
        {"amount_out": 12.5, "country_out": "CH"},
        {"amount_out": 3.0, "country_out": "é"},
    ]


async def test_an_input_of_many_features_by_the_names_the_file_brings(load: Load) -> None:
    loaded = load(classifier, features=FEATURES)
    inputs, rows = loaded[1].decoder.decode(
        body_of({"width": 1, "grown": True, "rings": 7}, {"width": 2, "grown": False, "rings": 0})
    )
    assert rows == 2
    assert inputs["x"].tolist() == [[1, 1, 7], [2, 0, 0]]
    assert problems_of(loaded, {"width": 1, "grown": 2, "rings": 1.5}) == [
        (0, "grown", "takes true or false, not 2"),
        (0, "rings", "takes a whole number, not 1.5"),
    ]


@pytest.mark.parametrize("features", ['["a", "b"]', "nonsense", '["a", "a", "b"]', '[{"name": "a", "type": "colour"}]', "{}"])
async def test_features_that_do_not_fit_are_passed_over(load: Load, features: str) -> None:
    loaded = load(classifier, features=features)
    assert [it.name for it in loaded[1].features.columns] == ["x"]
    assert (await predict(loaded, {"x": [0, 0, 0]}))[0]["label"] == 0


async def test_an_input_without_feature_names_is_one_list(load: Load) -> None:
    assert await predict(load(sum_model), {"x": [1, 2, 3, 4]}, {"x": [0.5] * 4}) == [{"y": 10}, {"y": 2}]


async def test_pictures_are_nested_lists(load: Load) -> None:
    loaded = load(echo, {"picture": (TensorProto.UINT8, ["N", 2, 2, 3])})
    picture = np.arange(12).reshape(2, 2, 3).tolist()
    assert await predict(loaded, {"picture": picture}, {"picture": picture}) == [{"picture_out": picture}] * 2


async def test_free_lengths_are_those_of_the_lists(load: Load) -> None:
    loaded = load(echo, {"words": (TensorProto.INT64, ["N", None])})
    assert await predict(loaded, {"words": [1, 2, 3]}, {"words": [4, 5, 6]}) == [
        {"words_out": [1, 2, 3]},
        {"words_out": [4, 5, 6]},
    ]
    assert problems_of(loaded, {"words": [1, 2]}, {"words": [1]}) == [
        (1, "words", "has the shape [1], the rows before it [2]; call once for each shape")
    ]
    assert problems_of(loaded, {"words": 1}) == [(0, "words", "takes lists nested 1 deep, of the lengths any")]
    assert "row 0, column 'words': cannot be read: Number out of range" in str(
        refusal(loaded, b'{"rows": [{"words": [1, 1e400]}]}')
    )


async def test_null_is_a_missing_number_and_nothing_else(load: Load) -> None:
    loaded = load(echo, {name.lower(): (kind, ["N", 1]) for name, kind in KINDS.items()})
    good = {"bool": True, "bytes": "a"} | {name.lower(): 1 for name in KINDS if name not in ("BOOL", "BYTES")}
    missing = good | {"fp16": None, "fp32": None, "fp64": None}
    inputs, _ = loaded[1].decoder.decode(body_of(missing))
    assert [name for name, array in inputs.items() if array.dtype.kind == "f" and np.isnan(array).all()] == [
        "fp16",
        "fp32",
        "fp64",
    ]
    found = problems_of(loaded, dict.fromkeys(good))
    assert {column for _, column, _ in found} == good.keys() - {"fp16", "fp32", "fp64"}
    assert all(message.endswith("not null") for _, _, message in found)


@pytest.mark.parametrize("name", [it for it in KINDS if it not in ("BOOL", "BYTES")])
async def test_numbers_are_held_against_the_range_of_their_type(load: Load, name: str) -> None:
    loaded = load(echo, {"x": (KINDS[name], ["N", 1])})
    dtype = DTYPES[name]
    if dtype.kind == "f":
        low, high = float(np.finfo(dtype).min), float(np.finfo(dtype).max)
        beyond = [float(it) * 1.1 for it in (low, high)] if name != "FP64" else []
    else:
        low, high = INTEGER_RANGES[name]
        beyond = [low - 1, high + 1]
    inputs, _ = loaded[1].decoder.decode(body_of({"x": low}, {"x": high}))
    assert inputs["x"].ravel().tolist() == [low, high]
    assert inputs["x"].dtype == dtype
    for value in beyond:
        ((row, column, message),) = problems_of(loaded, {"x": 0}, {"x": value})
        assert (row, column) == (1, "x")
        assert name in message


def test_the_largest_numbers_as_they_are_written_short(load: Load) -> None:
    loaded = load(echo, {"x": (FLOAT, ["N", 1])})
    inputs, _ = loaded[1].decoder.decode(b'{"rows":[{"x":3.4028235e38},{"x":-3.4028235e38}]}')
    assert np.isfinite(inputs["x"]).all()


def test_every_problem_is_told_with_row_and_column(load: Load) -> None:
    loaded = load(columns_model)
    rows: list[Any] = [
        {"amount": "12", "country": "CH"},
        {"amount": 1, "country": "CH"},
        {"amont": 1, "country": 7},
        [],
    ]
    assert sorted(problems_of(loaded, *rows), key=str) == [
        (0, "amount", 'takes a number, not "12"'),
        (2, "amont", "is no column of this model; did you mean 'amount'?"),
        (2, "amount", "is missing"),
        (2, "country", "takes a string, not 7"),
        (3, None, "is no object of columns and their values"),
    ]
    error = refusal(loaded, body_of(*rows))
    assert (error.status, str(error)) == (422, "row 0, column 'amount': takes a number, not \"12\" (5 problems in all)")


def test_no_more_problems_are_told_than_anybody_reads(load: Load) -> None:
    loaded = load(columns_model)
    assert len(problems_of(loaded, *[{}] * 100)) == MAX_PROBLEMS
    assert f"more than {MAX_PROBLEMS} problems" in str(refusal(loaded, body_of(*[{}] * 100)))


def test_what_is_wrong_inside_lists(load: Load) -> None:
    loaded = load(echo, {"picture": (TensorProto.UINT8, ["N", 2, 2])})
    for cell, words in (
        ([[1, 2], [3, 300]], "UINT8 goes from 0 to 255"),
        ([[1, 2], [3]], "takes 4 values, 3 were given"),
        ([[1, 2], [3, "x"]], "UINT8 takes whole numbers"),
        ([1, 2, 3], "takes 4 values, 3 were given"),
    ):
        ((row, column, message),) = problems_of(loaded, {"picture": [[0, 0], [0, 0]]}, {"picture": cell})
        assert (row, column) == (1, "picture")
        assert words in message or "nested" in message, message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"row": []}',
        b'{"rows": {}}',
        b'{"rows": [], "more": 1}',
        b'{"rows": [{"amount": 1, "country": "CH"}]} trailing',
        b'{"rows": [{"amount": 1, "country": "\xff"}]}',
        b'{"rows": ' + b"[" * 100_000,
        b'{"rows": ' + b'[{"amount":' * 50_000,
    ],
)
def test_bodies_that_are_not_of_the_form(load: Load, body: bytes) -> None:
    error = refusal(load(columns_model), body)
    assert isinstance(error, RequestMalformed)
    assert error.status == 400


def test_as_many_rows_as_one_call_takes(load: Load) -> None:
    loaded = load(columns_model)
    row = {"amount": 1.0, "country": "CH"}
    inputs, rows = loaded[1].decoder.decode(body_of(*[row] * MAX_ROWS))
    assert (rows, inputs["amount"].shape) == (MAX_ROWS, (MAX_ROWS, 1))
    assert f"one call takes {MAX_ROWS}" in str(refusal(loaded, body_of(*[row] * (MAX_ROWS + 1))))
    assert "there are no rows" in str(refusal(loaded, body_of()))


@pytest.mark.parametrize("item", [b"0,", b"{},", b"[],", b'{"amount":1},'])
def test_millions_of_rows_are_refused_before_they_take_memory(load: Load, item: bytes) -> None:
    error = refusal(load(columns_model), b'{"rows":[' + item * 1_000_000 + b"0]}")
    assert (error.status, "1000001 rows" in str(error)) == (422, True)


def test_a_row_of_millions_of_columns_is_refused_before_it_takes_memory(load: Load) -> None:
    columns = ",".join(f'"{it}":1' for it in range(300_000))
    error = refusal(load(columns_model), f'{{"rows":[{{{columns}}}]}}'.encode())
    assert (error.status, "has 300000 columns" in str(error)) == (422, True)


async def test_a_model_whose_rows_depend_on_each_other_takes_one(load: Load) -> None:
    loaded = load(mixing_model)
    assert await predict(loaded, {"x": [1, 2]}) == [{"y": [[0, 0]]}]
    assert problems_of(loaded, {"x": [1, 2]}, {"x": [3, 4]}) == [(None, None, "there are 2 rows; this model takes one at a time")]


async def test_a_model_without_rows_takes_whole_inputs(load: Load) -> None:
    assert await predict(load(scalar_model), {"x": 4}) == [{"y": 5}]
    loaded = load(echo, {"state": (FLOAT, [2, 1, 3]), "rate": (TensorProto.INT64, [])})
    state = [[[1, 2, 3]], [[4, 5, 6]]]
    assert await predict(loaded, {"state": state, "rate": 16000}) == [{"state_out": state, "rate_out": 16000}]


async def test_an_input_of_exactly_one_row_has_no_list_around_it(load: Load) -> None:
    loaded = load(echo, {"x": (FLOAT, [1, 3])})
    assert await predict(loaded, {"x": [1, 2, 3]}) == [{"x_out": [1, 2, 3]}]


async def test_names_that_no_struct_can_have(load: Load) -> None:
    loaded = load(classifier, features=json.dumps(['a "quoted" name', "back\\slash", "line\nbreak"]))
    row = {'a "quoted" name': 3, "back\\slash": 1, "line\nbreak": 0}
    assert (await predict(loaded, row))[0]["label"] == 0


async def test_more_columns_than_a_struct_is_made_for(load: Load) -> None:
    names = [f"c{it}" for it in range(MAX_QUICK_COLUMNS + 1)]
    loaded = load(echo, {"x": (FLOAT, ["N", len(names)])}, {"headrace.features": json.dumps(names)})
    row = {name: index / 2 for index, name in enumerate(reversed(names))}
    assert await predict(loaded, row, row) == [{"x_out": [*reversed(row.values())]}] * 2
    (first, *rest), found = names, problems_of(loaded, row, row | {names[-1]: "1"}, {names[0]: 1}, row | {"more": 1})
    assert found[0] == (1, names[-1], 'takes a number, not "1"')
    assert found[1:] == [(2, it, "is missing") for it in rest[: MAX_PROBLEMS - 1]]
    assert problems_of(loaded, row | {first: None, "more": 1}) == [(0, "more", "is no column of this model")]


def test_only_odd_rows_are_looked_at_cell_by_cell(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes ten times as long, and other requests wait meanwhile."""
    looked_at: list[str] = []

    def counted(column: Column, data: Raw) -> Cell:
        looked_at.append(column.name)
        return read_cell(column, data)

    monkeypatch.setattr("gateway.predict.checking.read_cell", counted)
    good = {"amount": 1.0, "country": "CH"}
    assert len(problems_of(load(columns_model), *[good] * 1000, good | {"amount": ""}, *[good] * 1000)) == 1
    assert looked_at == ["amount", "country"]


CELLS: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
    "BOOL": st.booleans,
    "INT8": lambda: st.integers(-140, 140),
    "UINT64": lambda: st.integers(-1, 2**64),
    "INT64": lambda: st.integers(-(2**63) - 1, 2**63),
    "FP16": lambda: st.floats(-70000, 70000) | st.none() | st.integers(),
    "FP32": lambda: st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.integers(-(10**20), 10**20),
    "FP64": lambda: st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.integers(-(10**20), 10**20),
    "BYTES": st.text,
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_quick_way_and_the_careful_way_agree(every_type: RowsDecoder, data: st.DataObject) -> None:
    row = st.fixed_dictionaries({name.lower(): make() | st.sampled_from([0, "x", None, True]) for name, make in CELLS.items()})
    body = body_of(*data.draw(st.lists(row, min_size=1, max_size=4)))
    features = every_type._features  # pyright: ignore[reportPrivateUsage]
    careful = _outcome(lambda: every_type._fill(check_rows(body, features, None)))  # pyright: ignore[reportPrivateUsage]
    assert _outcome(lambda: every_type.decode(body)[0]) == careful


@pytest.fixture
def every_type(load: Load) -> RowsDecoder:
    """Of a model with a column of each kind."""
    return load(echo, {name.lower(): (KINDS[name], ["N", 1]) for name in CELLS})[1].decoder


def _outcome(decode: Callable[[], dict[str, Any]]) -> object:
    """The arrays as JSON writes them, or the refusal's words."""
    try:
        return {name: [_comparable(it) for it in array.ravel().tolist()] for name, array in decode().items()}
    except (RequestMalformed, RowsInvalid) as error:
        return str(error)


def _comparable(value: Any) -> Any:
    return "nan" if isinstance(value, float) and math.isnan(value) else value
