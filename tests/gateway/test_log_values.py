"""Values of records that share the arrays of their runs, against those same values taken record by record."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.log_values import MAX_LOGGED_TEXT, values_of
from serving.outcomes import Outcome, outcome_of

NUMBERS = st.sampled_from([np.float32, np.float16, np.int64, np.uint8, np.bool_])
TAILS = st.sampled_from([(), (1,), (3,), (2, 2), (0,)])


@st.composite
def arrays(draw: st.DrawFn, rows: int) -> np.ndarray[Any, Any]:
    """One with so many rows, of numbers or text."""
    shape = (rows, *draw(TAILS))
    numbers = np.arange(np.prod(shape), dtype=np.int64).reshape(shape) + draw(st.integers(0, 100))
    return numbers.astype(str).astype(object) if draw(st.integers(0, 3)) == 0 else numbers.astype(draw(NUMBERS))


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[Outcome | None, int, int]]:
    """Outcome, first row and rows of some records: runs of several requests, of which some are not logged, and odd ones."""
    records: list[tuple[Outcome | None, int, int]] = []
    for _ in range(draw(st.integers(1, 4))):
        counts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
        rows = sum(counts)
        sides = [[draw(arrays(rows)) for _ in range(draw(st.integers(0, 3)))] for _ in range(2)]
        outcome, begin = outcome_of(sides[0], sides[1], rows), 0
        for count in counts:
            kind = draw(st.sampled_from(["logged", "logged", "logged", "without values", "left out"]))
            if kind != "left out":
                records.append((outcome, begin, count) if kind == "logged" else (None, 0, count))
            begin += count
    return records


def taken_apart(arrays: list[np.ndarray[Any, Any]]) -> tuple[list[float], list[str]]:
    numbers = [float(value) for it in arrays if it.dtype.kind != "O" for value in it.ravel()]
    return numbers, [value for it in arrays if it.dtype.kind == "O" for value in it.ravel()]


@given(logs())
def test_each_record_has_the_values_of_its_rows(records: list[tuple[Outcome | None, int, int]]) -> None:
    columns = zip(*records, strict=True) if records else ((), (), ())
    sides = values_of(*map(list, columns))  # pyright: ignore[reportArgumentType]
    for side, values in enumerate(sides):
        numbers = np.frombuffer(b"".join(values.numbers), "<f8").tolist()
        texts = list(values.texts)
        for (outcome, begin, count), number_count, text_count in zip(
            records, values.number_counts, values.text_counts, strict=True
        ):
            arrays = [] if outcome is None else (outcome.inputs, outcome.outputs)[side]
            wanted = taken_apart([it[begin : begin + count] for it in arrays])
            assert (numbers[:number_count], texts[:text_count]) == wanted
            del numbers[:number_count], texts[:text_count]
        assert (numbers, texts) == ([], [])


def test_a_model_without_rows_is_logged_whole() -> None:
    outcome = outcome_of([np.array(3.0), np.ones((2, 2))], [np.arange(3)], 1)
    inputs, outputs = values_of([outcome], [0], [1])
    assert (inputs.number_counts, outputs.number_counts) == ([5], [3])


def test_too_much_text_costs_its_record_the_values_of_that_side_alone() -> None:
    texts = np.array([["a"], ["x" * (MAX_LOGGED_TEXT + 1)], ["b"]], dtype=object)
    outcome = outcome_of([texts], [np.arange(3.0)[:, None]], 3)
    inputs, outputs = values_of([outcome] * 3, [0, 1, 2], [1, 1, 1])
    assert (inputs.text_counts, inputs.texts) == ([1, 0, 1], ["a", "b"])
    assert outputs.number_counts == [1, 1, 1]
