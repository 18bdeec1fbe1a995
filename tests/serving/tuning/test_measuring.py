"""Measuring runs, which here take the time the test says."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import ModelFailed
from serving.tensors import Array
from serving.tuning import measuring
from serving.tuning.measuring import doublings, measure_rows, thread_counts

ROW = {"x": np.zeros((1, 4), np.float32)}


class Clock:
    """Stands still but for runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(measuring.time, "perf_counter", lambda: self.now)


class Press:
    """A run whose cost the test knows: `fixed_s` and `row_s` for every row; takes no more rows than `most`."""

    def __init__(self, clock: Clock, fixed_s: float, row_s: float, most: int = 1000) -> None:
        self.clock, self.fixed_s, self.row_s, self.most = clock, fixed_s, row_s, most

    def __call__(self, inputs: dict[str, Array], _names: tuple[str, ...]) -> list[Array]:
        rows = len(inputs["x"])
        if rows > self.most:
            raise ModelFailed("too many")
        self.clock.now += self.fixed_s + self.row_s * rows
        return [inputs["x"]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_point_is_what_a_run_of_that_size_costs(clock: Clock) -> None:
    points = measure_rows(Press(clock, 1e-4, 1e-5), ("y",), ROW, doublings(8), 3, ends=10.0)
    assert [(it.rows, it.threads, it.run_us) for it in points] == [(1, 3, 110), (2, 3, 120), (4, 3, 140), (8, 3, 180)]


def test_what_does_not_fit_into_the_time_is_not_begun_but_the_first_always_is(clock: Clock) -> None:
    points = measure_rows(Press(clock, 0, 1.0), ("y",), ROW, doublings(128), 1, ends=10.0)
    assert [it.rows for it in points] == [1, 2]
    assert clock.now <= 10.0
    assert len(measure_rows(Press(clock, 0, 1.0), ("y",), ROW, doublings(128), 1, ends=0.0)) == 1


def test_sizes_that_only_get_slower_are_not_followed_further(clock: Clock) -> None:
    def slower(inputs: dict[str, Array], _names: tuple[str, ...]) -> list[Array]:
        clock.now += 1e-4 * len(inputs["x"]) ** 2
        return []

    assert [it.rows for it in measure_rows(slower, ("y",), ROW, doublings(128), 1, ends=10.0)] == [1, 2, 4]


def test_a_size_the_model_refuses_is_the_end(clock: Clock) -> None:
    assert [it.rows for it in measure_rows(Press(clock, 1e-4, 0, most=4), ("y",), ROW, doublings(128), 1, 10.0)] == [1, 2, 4]


def test_no_run_takes_more_memory_than_it_may(clock: Clock) -> None:
    row = {"x": np.zeros((1, 1 << 20), np.float32)}
    points = measure_rows(Press(clock, 1e-4, 0), ("y",), row, doublings(128), 1, 10.0)
    assert [it.rows for it in points] == [1, 2, 4, 8]  # 8 rows of 4 MB in and out are 64 MB


def test_a_model_that_takes_no_inputs_has_one_point() -> None:
    def constant(_inputs: dict[str, Array], _names: tuple[str, ...]) -> list[Array]:
        return [np.zeros(1)]

    assert [it.rows for it in measure_rows(constant, ("y",), {}, (1,), 1, time.perf_counter() + 1)] == [1]


@given(st.integers(1, 5000))
def test_doublings_ascend_from_one_to_the_most(most: int) -> None:
    sizes = list(doublings(most))
    assert (sizes[0], sizes[-1]) == (1, most)
    assert sizes == sorted(set(sizes))


def test_all_cores_are_compared_with_fewer() -> None:
    assert [thread_counts(it) for it in (1, 2, 6)] == [[1], [2, 1], [6, 1, 2, 4]]
