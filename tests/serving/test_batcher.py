"""The batcher in front of a run that the test controls, and rows that must come back to their owners."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from serving.batcher import Batcher, BatchPlan, Ticket
from serving.batches import Batch
from serving.errors import CallerLeft, InputRefusedByModel, ModelClosed, ModelFailed, QueueFull, RequestTimedOut
from serving.requests import InferRequest
from serving.tensors import Array
from tests.serving.wire import PATIENCE_S

Inputs = dict[str, Array]


class Caller:
    """Waits for its ticket; may leave."""

    def __init__(self) -> None:
        self.is_gone = False
        self.settled: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()

    async def ticket(self) -> Ticket:
        return await asyncio.wait_for(asyncio.shield(self.settled), PATIENCE_S)


class Press:
    """A run that doubles `x`; holds until let go, and remembers what it was given."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.gate = threading.Event()
        self.started = threading.Semaphore(0)
        self.batches: list[list[float]] = []
        if is_open:
            self.gate.set()

    def __call__(self, inputs: Inputs, names: tuple[str, ...]) -> list[Array]:
        self.batches.append(inputs["x"].ravel().tolist())
        self.started.release()
        assert self.gate.wait(PATIENCE_S)
        return [inputs["x"] * 2 for _ in names]

    async def has_started(self) -> None:
        assert await asyncio.to_thread(self.started.acquire, timeout=PATIENCE_S)


def request(
    *values: float, width: int = 1, names: tuple[str, ...] = ("y",), priority: int = 0, timeout_us: int | None = None
) -> InferRequest:
    """A request whose rows each repeat one value."""
    array = np.repeat(np.array(values, np.float64)[:, None], width, axis=1)
    return InferRequest({"x": array}, len(values), names, (False,) * len(names), None, priority, timeout_us)


def make(
    run: Callable[[Inputs, tuple[str, ...]], list[Array]],
    *,
    joins: bool = True,
    inline_rows: int = 0,
    queue_rows: int = 1000,
    timeout_s: float = PATIENCE_S,
    **plan: Any,
) -> Batcher:
    """A batcher in front of `run`."""
    return Batcher(
        "m",
        run,
        BatchPlan(joins=joins, inline_rows=inline_rows, max_queue_rows=queue_rows, timeout_s=timeout_s, **plan),
    )


def submit(batcher: Batcher, sent: InferRequest) -> Caller:
    """Submit for a new caller."""
    caller = Caller()
    batcher.submit(sent, caller, caller.settled.set_result)
    return caller


async def test_what_queues_during_a_run_shares_the_next() -> None:
    press = Press()
    batcher = make(press)
    first = submit(batcher, request(1))
    await press.has_started()
    others = [submit(batcher, request(it)) for it in (2, 3, 4)]
    press.gate.set()
    outputs = [(await it.ticket()).outputs[0].ravel().tolist() for it in (first, *others)]
    assert outputs == [[2], [4], [6], [8]]
    assert press.batches == [[1], [2, 3, 4]]
    assert [(await it.ticket()).batch_rows for it in (first, *others)] == [1, 3, 3, 3]


async def test_arrivals_of_one_tick_share_a_run_inline() -> None:
    press = Press(is_open=True)
    batcher = make(press, inline_rows=10)
    callers = [submit(batcher, request(it, it)) for it in (1, 2)]
    assert [(await it.ticket()).outputs[0].ravel().tolist() for it in callers] == [[2, 2], [4, 4]]
    assert press.batches == [[1, 1, 2, 2]]


async def test_batches_keep_to_their_size_and_a_larger_request_runs_whole() -> None:
    press = Press(is_open=True)
    batcher = make(press, max_batch_size=3)
    callers = [submit(batcher, it) for it in (request(1, 1), request(2), request(3), request(4, 4, 4, 4, 4), request(5))]
    for caller in callers:
        await caller.ticket()
    assert press.batches == [[1, 1, 2], [3], [4] * 5, [5]]


async def test_only_equal_shapes_and_outputs_share_a_run_and_groups_take_turns() -> None:
    press = Press()
    batcher = make(press, max_batch_size=2)
    plug = submit(batcher, request(0))
    await press.has_started()
    wide = [submit(batcher, request(it, width=2)) for it in (1, 2, 3)]
    narrow = [submit(batcher, request(it)) for it in (4, 5)]
    other = submit(batcher, request(6, names=("y", "z")))
    press.gate.set()
    for caller in (plug, *wide, *narrow, other):
        await caller.ticket()
    assert press.batches == [[0], [1, 1, 2, 2], [4, 5], [6], [3, 3]]
    assert len((await other.ticket()).outputs) == 2


async def test_as_many_requests_as_rows_are_not_one_row_each() -> None:
    batcher = make(Press(is_open=True), inline_rows=10)
    none, two = submit(batcher, request()), submit(batcher, request(1, 2))
    assert [(await it.ticket()).outputs[0].ravel().tolist() for it in (none, two)] == [[], [2, 4]]


async def test_a_model_that_does_not_join_runs_each_request_alone() -> None:
    press = Press(is_open=True)
    batcher = make(press, joins=False)
    callers = [submit(batcher, request(it)) for it in (1, 2, 3)]
    assert [(await it.ticket()).outputs[0].item() for it in callers] == [2, 4, 6]
    assert press.batches == [[1], [2], [3]]


async def test_the_first_row_waits_for_company_if_told_to() -> None:
    press = Press(is_open=True)
    batcher = make(press, max_batch_size=3, max_delay_us=1_000_000)
    first = submit(batcher, request(1))
    await asyncio.sleep(0)
    assert not press.batches
    others = [submit(batcher, request(it)) for it in (2, 3)]
    for caller in (first, *others):
        await caller.ticket()
    assert press.batches == [[1, 2, 3]]


async def test_company_is_not_waited_for_beyond_the_delay() -> None:
    press = Press(is_open=True)
    batcher = make(press, max_batch_size=3, max_delay_us=20_000)
    ticket = await submit(batcher, request(1)).ticket()
    assert ticket.queue_ns >= 15_000_000


async def test_a_request_that_fails_fails_alone() -> None:
    def fussy(inputs: Inputs, _names: tuple[str, ...]) -> list[Array]:
        if (inputs["x"] < 0).any():
            raise InputRefusedByModel("negative")
        return [inputs["x"]]

    batcher = make(fussy, inline_rows=10)
    good, bad, fine = (submit(batcher, request(it)) for it in (1, -1, 2))
    assert [(await it.ticket()).outputs[0].item() for it in (good, fine)] == [1, 2]
    assert isinstance((await bad.ticket()).error, InputRefusedByModel)
    assert (await good.ticket()).batch_rows == 1


@pytest.mark.parametrize("inline_rows", [0, 10])
async def test_a_run_that_breaks_in_a_way_nobody_foresaw_fails_its_request_and_no_other(inline_rows: int) -> None:
    def broken(inputs: Inputs, _names: tuple[str, ...]) -> list[Array]:
        if inputs["x"][0, 0] < 0:
            raise ZeroDivisionError("a defect")
        return [inputs["x"]]

    batcher = make(broken, inline_rows=inline_rows)
    assert isinstance((await submit(batcher, request(-1)).ticket()).error, ModelFailed)
    assert (await submit(batcher, request(3)).ticket()).outputs[0].item() == 3


async def test_outputs_that_cannot_be_told_apart_are_run_again_one_by_one() -> None:
    def unique(inputs: Inputs, _names: tuple[str, ...]) -> list[Array]:
        return [np.unique(inputs["x"])]

    batcher = make(unique, inline_rows=10)
    callers = [submit(batcher, request(1, 1)), submit(batcher, request(2, 2))]
    assert [(await it.ticket()).outputs[0].tolist() for it in callers] == [[1], [2]]


async def test_who_left_is_dropped_from_the_queue() -> None:
    press = Press()
    batcher = make(press)
    plug = submit(batcher, request(0))
    await press.has_started()
    gone, stays = submit(batcher, request(1)), submit(batcher, request(2))
    gone.is_gone = True
    press.gate.set()
    assert (await stays.ticket()).outputs[0].item() == 4
    assert isinstance((await gone.ticket()).error, CallerLeft)
    await plug.ticket()
    assert press.batches == [[0], [2]]
    assert (batcher.queued_rows, batcher.in_flight) == (0, 0)


async def test_a_full_queue_refuses_but_an_empty_one_takes_any_request() -> None:
    press = Press()
    batcher = make(press, queue_rows=3)
    plug = submit(batcher, request(0, 0, 0, 0, 0))
    await press.has_started()
    waiting = submit(batcher, request(1, 1, 1))
    with pytest.raises(QueueFull) as full:
        submit(batcher, request(2))
    assert (full.value.status, full.value.retry_after_s) == (503, 1)
    press.gate.set()
    await plug.ticket()
    await waiting.ticket()
    await submit(batcher, request(3)).ticket()


async def test_whoever_waits_too_long_is_told_whether_queued_or_running() -> None:
    press = Press()
    batcher = make(press, timeout_s=0.05)
    running = submit(batcher, request(1))
    await press.has_started()
    queued = submit(batcher, request(2))
    assert isinstance((await running.ticket()).error, RequestTimedOut)
    assert isinstance((await queued.ticket()).error, RequestTimedOut)
    assert batcher.queued_rows == 0
    press.gate.set()
    await asyncio.to_thread(batcher.close, PATIENCE_S)
    assert press.batches == [[1]]
    assert batcher.in_flight == 0
    assert (batcher.statistics.success.count, batcher.statistics.fail.count) == (0, 2)


async def test_who_finds_the_queue_full_is_told_how_long_it_takes_to_empty() -> None:
    press = Press()
    batcher = make(press, queue_rows=3000)
    batcher.statistics.add_batch(Batch([], 1, run_ns=10_000_000), 1, 0)
    submit(batcher, request(0))
    await press.has_started()
    submit(batcher, request(*[1] * 3000))
    with pytest.raises(QueueFull) as full:
        submit(batcher, request(2))
    assert full.value.retry_after_s == 30
    press.gate.set()


async def test_a_request_may_ask_for_its_answer_sooner_but_not_later_than_the_model_allows() -> None:
    press = Press()
    batcher = make(press, timeout_s=0.2)
    running = submit(batcher, request(1))
    await press.has_started()
    hurried, patient = submit(batcher, request(2, timeout_us=1000)), submit(batcher, request(3, timeout_us=10**12))
    told = [(await it.ticket()).error for it in (hurried, patient, running)]
    assert [str(it) for it in told] == [
        "model 'm' did not answer within 0.001 s",
        "model 'm' did not answer within 0.2 s",
        "model 'm' did not answer within 0.2 s",
    ]
    assert all(isinstance(it, RequestTimedOut) for it in told)
    assert (await hurried.ticket()).is_over
    press.gate.set()


async def test_what_is_too_late_when_its_turn_comes_does_not_run() -> None:
    press = Press(is_open=True)
    batcher = make(press)
    late, well = submit(batcher, request(1, timeout_us=1)), submit(batcher, request(2))
    assert isinstance((await late.ticket()).error, RequestTimedOut)
    assert (await well.ticket()).outputs[0].item() == 4
    assert press.batches == [[2]]


async def test_a_higher_priority_goes_first_and_fills_up_with_what_else_fits() -> None:
    press = Press()
    batcher = make(press, max_batch_size=2)
    plug = submit(batcher, request(0))
    await press.has_started()
    low = [submit(batcher, request(it, priority=9)) for it in (1, 2)]
    normal = [submit(batcher, request(it)) for it in (3, 4)]
    high = submit(batcher, request(5, priority=1))
    other = submit(batcher, request(6, width=2, priority=1))
    press.gate.set()
    for caller in (plug, *low, *normal, high, other):
        await caller.ticket()
    assert press.batches == [[0], [5, 3], [6, 6], [4, 1], [2]]


async def test_a_low_priority_does_not_wait_for_ever() -> None:
    press = Press()
    batcher = make(press, max_batch_size=1)
    callers = [submit(batcher, request(0))]
    await press.has_started()
    low = Caller()
    ticket = batcher.submit(request(1, priority=9), low, low.settled.set_result)
    callers += [low, *[submit(batcher, request(it, priority=1)) for it in (2, 3)]]
    ticket.enqueued_ns -= 9_000_000_000
    press.gate.set()
    for caller in callers:
        await caller.ticket()
    assert press.batches == [[0], [1], [2], [3]]


async def test_it_is_counted_why_batches_took_no_more_and_how_large_they_were() -> None:
    press = Press()
    batcher = make(press, max_batch_size=2)
    callers = [submit(batcher, request(0))]
    await press.has_started()
    callers += [submit(batcher, request(it)) for it in (1, 2, 3)]
    press.gate.set()
    for caller in callers:
        await caller.ticket()
    statistics = batcher.statistics
    assert statistics.closed == {"full": 1, "idle": 2, "delay": 0, "alone": 0}
    assert {rows: it.count for rows, it in statistics.batches.items()} == {1: 2, 2: 1}
    assert (statistics.inference_count, statistics.execution_count, statistics.success.count) == (4, 3, 4)
    assert statistics.success.ns == sum(
        it.ns for it in (statistics.queue, statistics.compute_input, statistics.compute_infer, statistics.compute_output)
    )
    assert statistics.last_inference_ms == pytest.approx(time.time() * 1000, abs=60_000)


async def test_failures_and_departures_are_counted_apart_from_answers() -> None:
    def broken(_inputs: Inputs, _names: tuple[str, ...]) -> list[Array]:
        raise InputRefusedByModel("never")

    batcher = make(broken, inline_rows=10, joins=False)
    callers = [submit(batcher, request(1)), submit(batcher, request(2))]
    callers[1].is_gone = True
    for caller in callers:
        await caller.ticket()
    assert (batcher.statistics.fail.count, batcher.statistics.success.count, batcher.statistics.execution_count) == (2, 0, 0)


async def test_callers_do_not_choose_how_many_counters_there_are() -> None:
    batcher = make(Press(is_open=True), inline_rows=10**6)
    for rows in (127, 128, 129, 1000, 1024):
        await submit(batcher, request(*range(rows))).ticket()
    assert list(batcher.statistics.batches) == [127, 128, 256, 1024]


async def test_a_settled_ticket_holds_neither_its_caller_nor_what_settles_it() -> None:
    caller = Caller()
    ticket = make(Press(is_open=True), inline_rows=10).submit(request(1), caller, caller.settled.set_result)
    await caller.ticket()
    assert not hasattr(ticket, "caller")
    assert not hasattr(ticket, "settle")


async def test_a_defect_of_one_caller_costs_no_other_its_answer() -> None:
    def broken(_ticket: Ticket) -> None:
        raise ZeroDivisionError("a defect")

    batcher = make(Press(is_open=True), inline_rows=10)
    batcher.submit(request(1), Caller(), broken)
    assert (await submit(batcher, request(2)).ticket()).outputs[0].item() == 4


async def test_closing_answers_what_is_queued_and_takes_no_more() -> None:
    press = Press()
    batcher = make(press)
    callers = [submit(batcher, request(1))]
    await press.has_started()
    callers.append(submit(batcher, request(2)))
    closing = asyncio.ensure_future(asyncio.to_thread(batcher.close, PATIENCE_S))
    while True:
        try:
            callers.append(submit(batcher, request(3)))
        except ModelClosed:
            break
        await asyncio.sleep(0)
    press.gate.set()
    await closing
    assert [(await it.ticket()).outputs[0].item() for it in callers[:2]] == [2, 4]


# -- rows never change owners ------------------------------------------------------------------------------------------------

FAILS, LEAVES = -1.0, -2.0
plans = st.lists(
    st.tuples(
        st.integers(1, 5),  # rows
        st.integers(1, 3),  # width: only equal ones may share a run
        st.sampled_from([0.0, 0.0, 0.0, 0.0, FAILS, LEAVES]),
        st.sampled_from([("y",), ("y", "z")]),
        st.integers(0, 3),  # turns of the loop before the next arrives
    ),
    max_size=40,
)


@given(plans, st.integers(1, 12), st.sampled_from([0, 3, 100]), st.sampled_from([(0, 0), (2000, 0), (0, 500)]))
def test_every_caller_gets_its_own_rows_whatever_happens_around_it(
    plan: list[tuple[int, int, float, tuple[str, ...], int]], max_batch_size: int, inline_rows: int, waits_us: tuple[int, int]
) -> None:
    def scramble(inputs: Inputs, names: tuple[str, ...]) -> list[Array]:
        x = inputs["x"]
        if (x == FAILS).any():
            raise InputRefusedByModel("one of these rows is bad")
        return [x * 3 + index for index, _ in enumerate(names)]

    max_delay_us, rejoin_us = waits_us
    sizes: dict[str, Any] = {"max_batch_size": max_batch_size, "inline_rows": inline_rows, "queue_rows": 10_000}

    async def drive() -> None:
        batcher = make(scramble, max_delay_us=max_delay_us, rejoin_us=rejoin_us, **sizes)
        sent: list[tuple[Caller, InferRequest, float]] = []
        for number, (rows, width, fate, names, turns) in enumerate(plan):
            values = [FAILS if fate == FAILS and row == 0 else number * 10.0 + row for row in range(rows)]
            asked = request(*values, width=width, names=names)
            caller = submit(batcher, asked)
            caller.is_gone = fate == LEAVES
            sent.append((caller, asked, fate))
            for _ in range(turns):
                await asyncio.sleep(0)
        for caller, asked, fate in sent:
            _check(await caller.ticket(), asked, fate)
        assert (batcher.queued_rows, batcher.in_flight) == (0, 0)
        await asyncio.to_thread(batcher.close, PATIENCE_S)

    uvloop.run(drive())


def _check(ticket: Ticket, asked: InferRequest, fate: float) -> None:
    if fate == FAILS:
        assert isinstance(ticket.error, InputRefusedByModel)
    elif fate == LEAVES:
        assert isinstance(ticket.error, CallerLeft)
    else:
        assert ticket.error is None
        expected: list[Any] = [asked.inputs["x"] * 3 + index for index, _ in enumerate(asked.outputs)]
        for output, wanted in zip(ticket.outputs, expected, strict=True):
            np.testing.assert_array_equal(output, wanted)
