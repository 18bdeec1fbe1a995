"""How a job's rows are asked for: busy gateways are waited for, bad rows are found, runs stay short. The gateway is a script."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.batch_jobs import predicting
from control.batch_jobs.errors import JobStopped
from control.batch_jobs.layout import Feature, Layout
from control.batch_jobs.predicting import MAX_ROWS, RUN_MS, Pace, Predicted, Predictor
from control.batch_jobs.protocol import HEADER_LENGTH, decode_answer, encode_request

LAYOUT = Layout((Feature("x", "FP32", (), ("x",)),), is_batched=True, has_row_axis=True)
Answer = Callable[["np.ndarray[Any, Any]"], httpx.Response]


@pytest.fixture(autouse=True)
def hasty() -> Iterator[None]:
    """Pauses between tries are short."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predicting, "BACK_OFF_S", (0.001, 0.002))
        yield


async def nothing() -> None:
    pass


def doubled(rows: "np.ndarray[Any, Any]", run_ms: float = 0.1) -> httpx.Response:
    """The answer of a gateway whose model doubles `x`."""
    body, length = encode_request({"y": rows * 2})
    header = orjson.dumps({"outputs": orjson.loads(body[:length])["inputs"]})
    headers = {HEADER_LENGTH: str(len(header)), "Server-Timing": f"queue;dur=0.1, infer;dur={run_ms}"}
    return httpx.Response(200, content=header + body[length:], headers=headers)


def refused(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": f"said {status}"}, headers={it.replace("_", "-"): headers[it] for it in headers})


async def predict(count: int, answer: Answer, before_retry: Callable[[], Awaitable[object]] = nothing) -> Predicted:
    """What becomes of the rows 0, 1, … below `count` if the gateway answers so."""

    def respond(request: httpx.Request) -> httpx.Response:
        length = int(request.headers[HEADER_LENGTH])
        inputs = orjson.dumps({"outputs": orjson.loads(request.content[:length])["inputs"]})
        [rows] = decode_answer(inputs + request.content[length:], str(len(inputs))).values()
        return answer(rows)

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://gateway") as gateway:
        predictor = Predictor(gateway, "key", "doubling", 1, LAYOUT)
        return await predictor.predict({"x": np.arange(count, dtype=np.float32)}, count, before_retry)


def answered(predicted: Predicted) -> dict[int, float]:
    indices, outputs = predicted.in_order()
    return dict(zip(indices, np.concatenate(outputs["y"]).tolist(), strict=True)) if indices else {}


@given(st.integers(0, 200), st.sets(st.integers(0, 199), max_size=6))
@settings(deadline=None)
async def test_the_rows_that_are_refused_are_found_and_all_others_answered(count: int, bad: set[int]):
    there = {it for it in bad if it < count}
    found = await predict(count, lambda rows: refused(400) if there.intersection(rows.tolist()) else doubled(rows))
    assert found.reasons == dict.fromkeys(there, "said 400")
    assert answered(found) == {it: it * 2 for it in range(count) if it not in there}


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 502, 503])
async def test_a_gateway_that_cannot_answer_now_is_asked_again(status: int):
    refusals = iter([refused(status), refused(status, Retry_After="0"), refused(status)])
    asked = 0

    async def before_retry() -> None:
        nonlocal asked
        asked += 1

    found = await predict(5, lambda rows: next(refusals, None) or doubled(rows), before_retry)
    assert (found.reasons, answered(found), asked) == ({}, {it: it * 2 for it in range(5)}, 3)


async def test_a_gateway_that_does_not_answer_at_all_is_asked_again():
    faults = iter([httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.ReadTimeout("late")])

    def answer(rows: "np.ndarray[Any, Any]") -> httpx.Response:
        if (fault := next(faults, None)) is not None:
            raise fault
        return doubled(rows)

    assert answered(await predict(40, answer)) == {it: it * 2 for it in range(40)}


async def test_a_job_gives_up_on_a_gateway_that_never_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(predicting, "PATIENCE_S", 0.01)
    with pytest.raises(JobStopped, match="it last said: said 503"):
        await predict(5, lambda _: refused(503))


async def test_what_ends_a_job_ends_its_waiting():
    async def stop() -> None:
        raise JobStopped("the deployment was deleted")

    with pytest.raises(JobStopped, match="was deleted"):
        await predict(5, lambda _: refused(404), stop)


async def test_requests_that_take_too_long_become_smaller():
    sizes: list[int] = []

    def answer(rows: "np.ndarray[Any, Any]") -> httpx.Response:
        sizes.append(len(rows))
        return doubled(rows, run_ms=RUN_MS) if len(rows) <= 3 else refused(504)

    assert answered(await predict(100, answer)) == {it: it * 2 for it in range(100)}
    assert max(sizes) > 3
    assert max(sizes[-20:]) <= 3


async def test_a_row_that_always_takes_too_long_fails_alone():
    asked = 0

    def answer(rows: "np.ndarray[Any, Any]") -> httpx.Response:
        nonlocal asked
        asked += 7.0 in rows and len(rows) == 1
        return refused(504) if 7.0 in rows else doubled(rows)

    found = await predict(20, answer)
    assert found.reasons == {7: "said 504"}
    assert len(answered(found)) == 19
    assert asked == predicting.SINGLE_TIMEOUTS


@pytest.mark.parametrize(
    ("config", "most"),
    [
        ({"max_batch_size": 0}, 1),
        ({"max_batch_size": 8}, MAX_ROWS),
        ({"max_batch_size": 8, "dynamic_batching": {"default_queue_policy": {"max_queue_size": 80}}}, 10),
        ({"max_batch_size": 8, "dynamic_batching": {"default_queue_policy": {"max_queue_size": 3}}}, 1),
    ],
)
async def test_a_request_leaves_room_in_the_queue_for_those_of_others(config: dict[str, Any], most: int):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=config))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as gateway:
        predictor = Predictor(gateway, "key", "doubling", 1, LAYOUT)
        await predictor.prepare(nothing)
    assert predictor.pace.most == most


@given(st.floats(1e-3, 50.0), st.integers(1, MAX_ROWS))
def test_the_rows_of_a_request_settle_where_a_run_is_short_and_full(row_ms: float, most: int):
    pace = Pace(most)
    for _ in range(20):
        pace.learn(pace.rows, pace.rows * row_ms)
    assert 1 <= pace.rows <= most
    assert pace.rows == 1 or pace.rows * row_ms <= RUN_MS * 1.001
    assert pace.rows == most or (pace.rows + 1) * row_ms >= RUN_MS / 2
