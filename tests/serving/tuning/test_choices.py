"""What follows from a curve."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.routes import Batching, Execution, RevisionSettings
from contracts.workers import CurvePoint
from serving.tuning.choices import Circumstances, Decision, decide

CHEAP = tuple(CurvePoint(1 << it, 1, 4 + 0.05 * (1 << it)) for it in range(8))
"""A tiny model: rows cost next to nothing beside the run itself."""
HEAVY = (
    *(CurvePoint(rows, 1, 10_000.0 * rows) for rows in (1, 2, 4)),
    *(CurvePoint(rows, 4, us) for rows, us in ((1, 3_000.0), (2, 5_000.0), (4, 9_000.0), (8, 17_000.0), (16, 40_000.0))),
)
"""A large one: four threads pay, and eight rows are the best it has."""
KNOWN = Circumstances(joins=True, cost_follows_rows=True, cores=4, hop_us=15.0, queue_rows=500, timeout_ms=30_000)


def chosen(points: tuple[CurvePoint, ...], settings: RevisionSettings = RevisionSettings(), **known: Any) -> Decision:  # noqa: B008
    return decide(points, settings, msgspec.structs.replace(KNOWN, **known))


def test_a_cheap_model_runs_inline_in_large_batches_on_one_thread() -> None:
    decision = chosen(CHEAP)
    assert (decision.threads, decision.max_batch_size, decision.inline_rows, decision.max_delay_us) == (1, 128, 128, 0)


def test_a_heavy_model_runs_in_its_thread_with_the_threads_and_the_batch_that_pay() -> None:
    decision = chosen(HEAVY)
    assert (decision.threads, decision.max_batch_size, decision.inline_rows) == (4, 8, 0)


def test_rows_are_run_inline_up_to_where_a_hop_would_not_be_noticed() -> None:
    points = tuple(CurvePoint(rows, 1, 40.0 * rows) for rows in (1, 2, 4, 8))
    assert chosen(points).inline_rows == 2  # 80 us; 160 us is more than ten hops
    assert chosen(points, hop_us=1000.0).inline_rows == 8  # 320 us: nobody waits longer than half a millisecond


def test_what_rows_do_not_tell_the_cost_of_is_never_run_inline() -> None:
    assert chosen(CHEAP, cost_follows_rows=False).inline_rows == 0


def test_the_latency_goal_has_to_hold_two_runs() -> None:
    decision = chosen(HEAVY, RevisionSettings(latency_goal_ms=20.0))
    assert decision.max_batch_size == 4
    [reason] = [it.reason for it in decision.choices if it.name == "max_batch_size"]
    assert "two of 9 ms fit into 20 ms" in reason


def test_a_goal_that_cannot_be_kept_is_said_to_be_so() -> None:
    decision = chosen(HEAVY, RevisionSettings(latency_goal_ms=1.0))
    assert decision.max_batch_size == 1
    [reason] = [it.reason for it in decision.choices if it.name == "max_batch_size"]
    assert "no room" in reason


def test_threads_that_give_less_than_a_tenth_more_are_left_to_others() -> None:
    points = (CurvePoint(1, 1, 100.0), CurvePoint(1, 2, 95.0), CurvePoint(1, 4, 92.0))
    assert chosen(points).threads == 1
    assert chosen((*points, CurvePoint(1, 8, 50.0))).threads == 8


def reason_of(decision: Decision, name: str) -> str:
    [reason] = [it.reason for it in decision.choices if it.name == name]
    return reason


TEXT = tuple(CurvePoint(rows, 1, 2000.0 + 1750.0 * rows) for rows in (1, 2, 4, 8))
"""A model of text: each run costs 2 ms beside its rows."""


def test_those_that_a_run_has_answered_are_waited_for_if_a_larger_run_saves_enough() -> None:
    decision = chosen(TEXT)
    assert (decision.max_batch_size, decision.max_delay_us, decision.rejoin_us) == (8, 0, 800)  # a twentieth of 16 ms
    assert "saves 2000 us" in reason_of(decision, "max_delay_us")
    assert "An idle model starts at once" in reason_of(decision, "max_delay_us")
    assert next(it.value for it in decision.choices if it.name == "max_delay_us") == "800"


@pytest.mark.parametrize(("goal_ms", "expected"), [(100.0, 900), (33.0, 500), (32.0, 0), (None, 800)])
def test_a_latency_goal_bounds_that_wait_by_what_it_leaves(goal_ms: float | None, expected: int) -> None:
    decision = chosen(TEXT, RevisionSettings(Batching(max_batch_size=8), latency_goal_ms=goal_ms))
    assert (decision.rejoin_us, decision.max_delay_us) == (expected, 0)


@pytest.mark.parametrize(
    "points",
    [
        CHEAP,  # its runs happen on the loop
        HEAVY,  # a run that is spared saves 1 ms of 17, but batches are bounded by one row below
        tuple(CurvePoint(rows, 1, 10_000.0 * rows) for rows in (1, 2, 4)),  # nothing is saved
    ],
)
def test_nobody_is_waited_for_where_that_saves_nothing(points: tuple[CurvePoint, ...]) -> None:
    decision = chosen(points, RevisionSettings(Batching(max_batch_size=1)) if points is HEAVY else RevisionSettings())
    assert (decision.rejoin_us, decision.max_delay_us) == (0, 0)


def test_a_pinned_delay_is_the_only_one() -> None:
    for pinned_us in (0, 700):
        decision = chosen(TEXT, RevisionSettings(Batching(max_delay_us=pinned_us)))
        assert (decision.max_delay_us, decision.rejoin_us) == (pinned_us, 0)


def test_what_is_pinned_holds_and_is_shown_as_pinned() -> None:
    settings = RevisionSettings(
        Batching(max_batch_size=3, max_delay_us=700, max_queue_rows=9, timeout_ms=50),
        Execution(mode="thread", intra_op_threads=2),
    )
    decision = chosen(CHEAP, settings)
    assert (decision.max_batch_size, decision.max_delay_us, decision.max_queue_rows, decision.timeout_s) == (3, 700, 9, 0.05)
    assert (decision.threads, decision.inline_rows) == (2, 0)
    assert all(it.is_pinned for it in decision.choices)


def test_pinned_inline_holds_for_any_number_of_rows() -> None:
    assert chosen(HEAVY, RevisionSettings(execution=Execution(mode="inline"))).inline_rows > 1_000_000


def test_the_servers_own_settings_hold_where_the_deployment_says_nothing() -> None:
    decision = chosen(HEAVY, threads=3)
    assert (decision.threads, decision.max_queue_rows, decision.timeout_s) == (3, 500, 30.0)
    assert not any(it.is_pinned for it in decision.choices)


def test_a_model_whose_rows_depend_on_each_other_has_batches_of_one() -> None:
    assert chosen(CHEAP[:1], RevisionSettings(Batching(max_batch_size=8)), joins=False).max_batch_size == 1


def test_what_cannot_be_tried_runs_in_its_thread_with_all_cores() -> None:
    decision = chosen((), joins=False)
    assert (decision.threads, decision.inline_rows) == (4, 0)


points = st.lists(st.builds(CurvePoint, st.integers(1, 128), st.sampled_from([1, 2, 4]), st.floats(0.1, 1e7)), max_size=20).map(
    tuple
)


@pytest.mark.parametrize("joins", [True, False])
@given(points=points, goal_ms=st.none() | st.floats(0.001, 1e5), hop_us=st.floats(0.1, 1e4))
def test_every_curve_leads_to_values_that_can_be_served_with_a_reason_each(
    joins: bool, points: tuple[CurvePoint, ...], goal_ms: float | None, hop_us: float
) -> None:
    decision = chosen(points, RevisionSettings(latency_goal_ms=goal_ms), joins=joins, hop_us=hop_us)
    assert decision.threads in ({it.threads for it in points} or {4})
    assert 1 <= decision.max_batch_size <= 128
    assert decision.max_delay_us == 0
    assert 0 <= decision.rejoin_us < 1000
    assert all(it.reason.endswith(".") for it in decision.choices)
    curve = [it for it in points if it.threads == decision.threads]
    if joins and curve:
        assert decision.max_batch_size in {it.rows for it in curve}
