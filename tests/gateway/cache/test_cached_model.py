"""Whatever comes together at a cached model: everybody gets the answer to exactly what they asked, and no run is made twice."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.routes import Cache
from gateway.cache import cached_model
from gateway.cache.cached_model import CachedModel
from gateway.cache.keys import MAX_KEYED_BYTES
from gateway.cache.shared import SharedStore
from gateway.traffic import CacheCounts
from serving.errors import CallerLeft, InputRefusedByModel, ModelClosed, QueueFull, RequestTimedOut
from serving.requests import InferRequest
from tests.gateway.cache.gated import REFUSED, GatedModel
from tests.gateway.cache.requests import Waiting, asking, row
from tests.gateway.waiting import until

REVISION = UUID(int=7)


class Cached:
    """A cached model, and callers to it."""

    def __init__(
        self,
        model: GatedModel,
        revision: UUID = REVISION,
        shared: SharedStore | None = None,
        ttl_s: float = 60.0,
        max_bytes: int = 1 << 20,
    ) -> None:
        self.model, self.counts = model, CacheCounts()
        self.cached = CachedModel(model, Cache(ttl_s, max_bytes), revision, shared, self.counts)

    def ask(self, request: InferRequest) -> Waiting:
        """Submit `request` for somebody new."""
        waiting = Waiting()
        self.cached.submit(request, waiting, waiting.settle)
        return waiting

    async def answer(self, request: InferRequest) -> Waiting:
        """As `ask`, when the answer is there."""
        waiting = self.ask(request)
        await over(waiting)
        return waiting


async def over(*waiting: Waiting) -> None:
    """Return when all have their answers."""
    await until(lambda: all(it.over for it in waiting), "the answers")


@pytest.fixture
async def model() -> AsyncGenerator[GatedModel]:
    """Not let go yet."""
    made = GatedModel(plus=1)
    yield made
    await asyncio.to_thread(made.close)


@pytest.fixture
async def hasty() -> AsyncGenerator[GatedModel]:
    """As `model`; requests have a fifth of a second."""
    made = GatedModel(plus=1, timeout_s=0.2)
    yield made
    await asyncio.to_thread(made.close)


async def test_the_second_of_two_equal_requests_is_a_hit(model: GatedModel) -> None:
    it = Cached(model)
    model.gate.set()
    first, second = await it.answer(row(1)), it.ask(row(1))
    assert (first.answer, second.answer) == ([[2]], [[2]])
    assert (first.ticket.cache, second.ticket.cache) == ("miss", "hit")
    assert model.rows == [1]
    assert (it.counts.misses, it.counts.local, it.counts.joined) == (1, 1, 0)
    assert (model.statistics.cache_miss.count, model.statistics.cache_hit.count) == (1, 1)


async def test_requests_that_differ_run_both(model: GatedModel) -> None:
    it = Cached(model)
    model.gate.set()
    assert [(await it.answer(row(value))).answer for value in (1, 2, 1)] == [[[2]], [[3]], [[2]]]
    assert model.rows == [1, 2]


async def test_identical_requests_under_way_share_one_run(model: GatedModel) -> None:
    it = Cached(model)
    waiting = [it.ask(row(1)) for _ in range(5)]
    model.gate.set()
    await over(*waiting)
    assert [them.answer for them in waiting] == [[[2]]] * 5
    assert [them.ticket.cache for them in waiting] == ["miss", *["hit"] * 4]
    assert (model.rows, it.counts.misses, it.counts.joined) == ([1], 1, 4)


async def test_an_error_goes_to_all_who_wait_and_is_not_kept(model: GatedModel) -> None:
    it = Cached(model)
    waiting = [it.ask(row(REFUSED)) for _ in range(3)]
    model.gate.set()
    await over(*waiting)
    assert {type(them.ticket.error) for them in waiting} == {InputRefusedByModel}
    assert {them.ticket.cache for them in waiting} == {""}
    await it.answer(row(REFUSED))
    assert model.rows == [REFUSED] * 2


async def test_whoever_leaves_takes_nobody_along(model: GatedModel) -> None:
    it = Cached(model)
    busy = it.ask(row(0))
    await until(lambda: model.in_flight == 1, "the run that holds the others up")
    leader, follower, last = (it.ask(row(1)) for _ in range(3))
    leader.is_gone = last.is_gone = True
    model.gate.set()
    await over(busy, leader, follower, last)
    assert follower.answer == [[2]]


async def test_what_nobody_waits_for_any_more_does_not_run(model: GatedModel) -> None:
    it = Cached(model)
    busy = it.ask(row(0))
    await asyncio.sleep(0)  # the batch is closed at the end of the tick
    waiting = [it.ask(row(1)) for _ in range(2)]
    for them in waiting:
        them.is_gone = True
    model.gate.set()
    await over(busy, *waiting)
    assert {type(them.ticket.error) for them in waiting} == {CallerLeft}
    assert model.rows == [0]


async def test_who_joined_late_is_not_timed_out_with_the_first(hasty: GatedModel) -> None:
    it = Cached(hasty)
    early = it.ask(row(1))
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > began + 0.1, "half of the time")
    late = it.ask(row(1))
    await over(early)
    assert isinstance(early.ticket.error, RequestTimedOut)
    assert not late.over
    hasty.gate.set()
    await over(late)
    assert (late.answer, late.ticket.cache) == ([[2]], "miss")
    assert (it.counts.misses, it.counts.joined, hasty.statistics.cache_miss.count) == (1, 0, 1)


async def test_who_joined_late_is_timed_out_in_their_own_time(hasty: GatedModel) -> None:
    it = Cached(hasty)
    it.ask(row(1))
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > began + 0.1, "half of the time")
    late = it.ask(row(1))
    await over(late)
    assert isinstance(late.ticket.error, RequestTimedOut)
    assert 0.28 < asyncio.get_running_loop().time() - began < 1.0


async def test_who_has_less_time_does_not_end_the_others_wait(model: GatedModel) -> None:
    it = Cached(model)
    patient, hurried = it.ask(row(1)), it.ask(row(1, timeout_us=30_000))
    await over(hurried)
    assert isinstance(hurried.ticket.error, RequestTimedOut)
    model.gate.set()
    await over(patient)
    assert patient.answer == [[2]]


async def test_an_answer_ends_with_its_time(model: GatedModel) -> None:
    it = Cached(model, ttl_s=0.1)
    model.gate.set()
    await it.answer(row(1))
    assert it.ask(row(1)).ticket.cache == "hit"
    began = asyncio.get_running_loop().time()
    await until(lambda: asyncio.get_running_loop().time() > began + 0.1, "the end of its time")
    assert (await it.answer(row(1))).ticket.cache == "miss"


async def test_what_is_kept_is_not_part_of_a_batch(model: GatedModel) -> None:
    it = Cached(model)
    model.gate.set()
    waiting = [it.ask(row(value)) for value in range(8)]
    await over(*waiting)
    (kept,) = it.ask(row(3)).ticket.outputs
    assert kept.base is None
    assert not kept.flags.writeable


async def test_large_inputs_pass_by(model: GatedModel) -> None:
    it = Cached(model)
    model.gate.set()
    large = asking({"x": np.zeros((1, MAX_KEYED_BYTES // 4 + 1), np.float32)})
    assert (await it.answer(large)).ticket.cache == ""
    assert (await it.answer(large)).ticket.cache == ""
    assert len(model.rows) == 2


async def test_memory_is_bounded(model: GatedModel) -> None:
    it = Cached(model, max_bytes=10_000)
    model.gate.set()
    for value in range(100):
        await it.answer(row(value))
    assert 0 < it.cached.local.size_bytes <= 10_000
    assert it.ask(row(99)).ticket.cache == "hit"


async def test_a_full_queue_is_told_to_who_asks_and_nobody_hangs() -> None:
    model = GatedModel(max_queue_rows=1)
    it = Cached(model)
    running = it.ask(row(0))
    await asyncio.sleep(0)
    queued = it.ask(row(1))
    with pytest.raises(QueueFull):
        it.ask(row(2))
    joined = it.ask(row(1))
    await asyncio.to_thread(model.close)
    await over(running, queued, joined)
    with pytest.raises(ModelClosed):
        it.ask(row(3))


async def test_so_many_may_follow_and_no_more(model: GatedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_model, "MAX_FOLLOWERS", 2)
    it = Cached(model)
    waiting = [it.ask(row(1)) for _ in range(3)]
    with pytest.raises(QueueFull):
        it.ask(row(1))
    model.gate.set()
    await over(*waiting)
    model.gate.clear()
    waiting = [it.ask(row(2)) for _ in range(3)]
    model.gate.set()
    await over(*waiting)


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "ask", "ask", "leave", "turn", "hold", "go"]), st.integers(0, 3), st.integers(0, 2)),
    max_size=40,
)


@given(STEPS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_nobody_gets_the_answer_of_another_request_or_revision(redis_url: str, steps: list[tuple[str, int, int]]) -> None:
    asyncio.run(play(redis_url, steps))


async def play(redis_url: str, steps: list[tuple[str, int, int]]) -> None:
    """Two workers with one revision and one with another, on one Redis, and callers who come and go."""
    models = [GatedModel(plus=plus, is_open=True) for plus in (1, 1, 2)]
    shared = [SharedStore(redis_url) for _ in models]
    keeping = [asyncio.create_task(it.run()) for it in shared]
    await until(lambda: all(it.lookups.is_up for it in shared), "Redis")
    cached = [Cached(it, UUID(int=int(it.plus)), store) for it, store in zip(models, shared, strict=True)]
    asked: list[tuple[Waiting, list[list[float]] | None]] = []
    for step, value, where in steps:
        match step:
            case "ask":
                number = REFUSED if value == 3 else float(value)
                expected = None if number == REFUSED else [[number + models[where].plus]]
                asked.append((cached[where].ask(row(number)), expected))
            case "leave" if asked:
                asked[(value * 7 + where) % len(asked)][0].is_gone = True
            case "hold":
                models[where].gate.clear()
            case "go":
                models[where].gate.set()
            case _:
                await asyncio.sleep(0)
    for model in models:
        model.gate.set()
    await over(*[them for them, _ in asked])
    for them, expected in asked:
        if them.is_gone and isinstance(them.ticket.error, CallerLeft):
            continue
        if expected is None:
            assert isinstance(them.ticket.error, InputRefusedByModel)
        else:
            assert them.answer == expected
    for task, model in zip(keeping, models, strict=True):
        task.cancel()
        await asyncio.to_thread(model.close)
    await asyncio.gather(*keeping, return_exceptions=True)
