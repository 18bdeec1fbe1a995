"""Whatever callers do, in whatever order: everyone is answered once, with the own rows or the own error."""

import asyncio
from itertools import count
from typing import Any

import numpy as np
import uvloop
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from serving.batcher import Batcher, BatchPlan, Ticket
from serving.errors import CallerLeft, InputRefusedByModel, QueueFull, RequestTimedOut
from serving.padding import PaddingRule, Source
from serving.requests import InferRequest
from serving.tensors import Array
from tests.serving.wire import PATIENCE_S

BAD = -1.0
MAX_QUEUE_ROWS = 30
SERIAL = count()
NAMES = (("tripled", "total"), ("total",), ("tripled",))
RULES = (
    None,
    PaddingRule(0.0, (), {"x": (1,)}, {"tripled": {1: Source("x", 1)}}),
    PaddingRule(0.0, (8, 16), {"x": (1,)}, {"tripled": {1: Source("x", 1)}}),
)


def model(inputs: dict[str, Array], names: tuple[str, ...]) -> list[Array]:
    """`tripled` [N, length] is three times `x`, `total` [N] its sum, which zeros behind it leave as it is."""
    x = inputs["x"]
    if (x == BAD).any():
        raise InputRefusedByModel("a row of this is bad")
    outputs: dict[str, Array] = {"tripled": x * 3, "total": x.sum(axis=1)}
    return [outputs[it] for it in names]


class Asker:
    """A caller, what it asked, and every answer it got."""

    def __init__(self, request: InferRequest) -> None:
        self.request = request
        self.is_gone = False
        self.is_refused = False
        self.answers: list[Ticket] = []

    def check(self) -> None:
        """Answered once, with what the model says to this request alone, or with an error it gave cause for."""
        assert len(self.answers) == 1
        error, x = self.answers[0].error, self.request.inputs["x"]
        if isinstance(error, CallerLeft):
            assert self.is_gone
        elif isinstance(error, RequestTimedOut):
            assert self.request.timeout_us == 1
        elif error is not None:
            assert isinstance(error, InputRefusedByModel)
            assert (x == BAD).any()
        else:
            for seen, wanted in zip(self.answers[0].outputs, model({"x": x}, self.request.outputs), strict=True):
                np.testing.assert_array_equal(seen, wanted)


@st.composite
def make_request(draw: st.DrawFn) -> InferRequest:
    """Numbers that no other request has, but for those that make it bad."""
    rows, length, names = draw(st.integers(0, 5)), draw(st.integers(1, 20)), draw(st.sampled_from(NAMES))
    x = next(SERIAL) * 1000.0 + np.arange(1.0, rows * length + 1).reshape(rows, length)
    if draw(st.integers(0, 7)) == 0:
        x[:1] = BAD
    priority = draw(st.sampled_from([0, 0, 0, 1, 5, 9, 10**30]))
    timeout_us = draw(st.sampled_from([None, None, None, 0, 1, 10**30]))
    return InferRequest({"x": x}, rows, names, (False,) * len(names), None, priority, timeout_us)


requests = make_request()


class BatcherMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = uvloop.new_event_loop()
        self.askers: list[Asker] = []

    @initialize(
        padding=st.sampled_from(RULES),
        joins=st.booleans(),
        inline_rows=st.sampled_from([0, 3, 1000]),
        max_batch_size=st.integers(1, 12),
        max_delay_us=st.sampled_from([0, 300]),
        rejoin_us=st.sampled_from([0, 300]),
    )
    def start(self, padding: PaddingRule | None, joins: bool, **plan: Any) -> None:
        if joins:
            plan["padding"] = padding
        self.batcher = Batcher("m", model, BatchPlan(joins=joins, max_queue_rows=MAX_QUEUE_ROWS, **plan))

    @rule(burst=st.lists(requests, min_size=1, max_size=8))
    def submit(self, burst: list[InferRequest]) -> None:
        askers = [Asker(it) for it in burst]
        self.askers += askers
        self.loop.run_until_complete(self._submit(askers))

    async def _submit(self, askers: list[Asker]) -> None:
        for asker in askers:
            queued = self.batcher.queued_rows
            try:
                self.batcher.submit(asker.request, asker, asker.answers.append)
            except QueueFull:
                asker.is_refused = True
            assert asker.is_refused == (queued > 0 and queued + asker.request.rows > MAX_QUEUE_ROWS)

    @precondition(lambda self: self.askers)
    @rule(which=st.integers(0, 1000))
    def leave(self, which: int) -> None:
        self.askers[which % len(self.askers)].is_gone = True

    @rule(turns=st.integers(1, 4))
    def turn(self, turns: int) -> None:
        for _ in range(turns):
            self.loop.run_until_complete(asyncio.sleep(0))

    @invariant()
    def counts_are_right(self) -> None:
        if not self.askers:
            return
        waiting = [it for it in self.askers if not it.answers and not it.is_refused]
        assert self.batcher.queued_rows <= sum(it.request.rows for it in waiting)
        assert self.batcher.in_flight >= len(waiting)

    def teardown(self) -> None:
        if self.askers:
            self.loop.run_until_complete(asyncio.wait_for(self._finish(), PATIENCE_S))
        self.loop.close()

    async def _finish(self) -> None:
        await asyncio.to_thread(self.batcher.close, PATIENCE_S)
        askers = [it for it in self.askers if not it.is_refused]
        for asker in askers:
            asker.check()
        statistics = self.batcher.statistics
        answered = [it for it in askers if it.answers[0].error is None]
        assert self.batcher.queued_rows == 0
        assert all(it.answers[0].batch_rows >= it.request.rows for it in answered)
        assert statistics.success.count == len(answered)
        assert statistics.fail.count == len(askers) - len(answered)
        assert statistics.execution_count == sum(it.count for it in statistics.batches.values())


TestBatcherStates = BatcherMachine.TestCase
TestBatcherStates.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
