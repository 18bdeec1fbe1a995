"""Rows to answers through the gateway: small requests of the lowest priority, patient with a busy gateway, exact about bad rows.

A request that is refused is divided until the rows at fault are alone. The number of rows in a request follows what a run takes,
so that the requests of people, which wait for at most one run, hardly notice.
"""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec
import numpy as np
from msgspec import Struct

from control.batch_jobs.errors import JobStopped
from control.batch_jobs.layout import Layout
from control.batch_jobs.protocol import HEADER_LENGTH, decode_answer, encode_request
from control.batch_jobs.tensors import Array, Values
from control.batch_jobs.writing import Answers

logger = logging.getLogger(__name__)

AT_ONCE: Final = 2
"""Requests of one job under way: while one runs the next is on its way."""
FIRST_ROWS: Final = 16
MAX_ROWS: Final = 4096
MAX_BODY_BYTES: Final = 4 << 20
QUEUE_SHARE: Final = 8
"""A request is at most such a part of the rows that may wait, so that those of a few jobs leave room for those of people."""
RUN_MS: Final = 20.0
"""What one run should take at most."""
TIMEOUT: Final = httpx.Timeout(3660.0, connect=5.0)
"""The gateway answers in its own time, which a deployment may set to an hour."""
PATIENCE_S: Final = 900.0
"""How long the gateway may answer nothing but that it cannot, before the job fails (and can be resumed)."""
BACK_OFF_S: Final = (0.5, 30.0)
SINGLE_TIMEOUTS: Final = 3
"""How often one row alone may time out before it counts as failed."""
BUSY: Final = frozenset({401, 403, 404, 408, 429, 502, 503})
"""Not the rows' fault, and may pass: the gateway is down, full, or does not know the deployment or its key (yet)."""
INFER_TIME: Final = re.compile(r"\binfer;dur=([0-9.]+)")

Retry = Callable[[], Awaitable[object]]


class _QueuePolicy(Struct, frozen=True):
    max_queue_size: int = 0
    """Rows that may wait; 0 without a bound."""


class _Batching(Struct, frozen=True):
    default_queue_policy: _QueuePolicy = _QueuePolicy()


class _Config(Struct, frozen=True):
    """Of Triton's model configuration what matters here."""

    max_batch_size: int
    """0: requests never share a run."""
    dynamic_batching: _Batching = _Batching()

    @property
    def most_rows(self) -> int:
        """Rows of one request."""
        if self.max_batch_size == 0:
            return 1
        queue = self.dynamic_batching.default_queue_policy.max_queue_size
        return max(1, queue // QUEUE_SHARE) if queue else MAX_ROWS


class Predicted(Struct):
    """What became of some rows: answers for ranges of indices, and reasons for the rows that got none."""

    answers: dict[int, tuple[int, dict[str, Array]]]
    """By the first index of a range the index behind it, and the outputs."""
    reasons: dict[int, str]

    def in_order(self) -> tuple[list[int], Answers]:
        """The indices of the rows with answers, and the arrays of each output, both in the order of the rows."""
        ranges = sorted(self.answers.items())
        indices = [index for start, (end, _) in ranges for index in range(start, end)]
        names = ranges[0][1][1] if ranges else ()
        return indices, {name: [outputs[name] for _, (_, outputs) in ranges] for name in names}


class Pace:
    """How many rows go into one request."""

    def __init__(self, most: int) -> None:
        self.most, self.rows = most, min(most, FIRST_ROWS)

    def learn(self, rows: int, run_ms: float) -> None:
        """Rows took so long: go towards `RUN_MS`."""
        if run_ms > RUN_MS:
            self.rows = max(1, min(self.rows, int(rows * RUN_MS / run_ms)))
        elif run_ms < RUN_MS / 2 and rows >= self.rows:
            self.rows = min(self.most, rows * 2)


class Predictor:
    """Calls one deployment's version."""

    def __init__(self, gateway: httpx.AsyncClient, key: str, deployment: str, version: int, layout: Layout) -> None:
        self._gateway, self._layout = gateway, layout
        self._path = f"/v2/models/{quote(deployment)}/versions/{version}"
        gateway.headers["Authorization"] = f"Bearer {key}"
        self._answered_at = time.monotonic()
        self.pace = Pace(MAX_ROWS if layout.is_batched else 1)

    async def prepare(self, before_retry: Retry) -> None:
        """Find out how many rows may go together: one where the gateway would not join requests, few where few may wait."""
        response = await self._call("GET", "config", before_retry)
        if response.status_code == 200:
            config = msgspec.json.decode(response.content, type=_Config)
            self.pace = Pace(min(self.pace.most, config.most_rows))

    async def predict(self, inputs: dict[str, Values], count: int, before_retry: Retry) -> Predicted:
        """Answers for `count` rows. `before_retry` may raise, to end the waiting. Raises JobStopped."""
        self._answered_at = time.monotonic()
        work, predicted = deque([(0, count)] if count else []), Predicted({}, {})
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._work(work, inputs, predicted, before_retry))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        return predicted

    async def _work(
        self,
        work: deque[tuple[int, int]],
        inputs: dict[str, Values],
        predicted: Predicted,
        before_retry: Retry,
    ) -> None:
        while work:
            start, stop = work.popleft()
            end = start + self._rows_that_fit(inputs, start, stop)
            if end < stop:
                work.appendleft((end, stop))
            outcome = await self._ask(_cut(inputs, start, end), end - start, before_retry)
            if isinstance(outcome, dict):
                predicted.answers[start] = end, outcome
            elif end - start == 1:
                predicted.reasons[start] = outcome
            else:
                middle = (start + end) // 2
                work.extendleft([(middle, end), (start, middle)])

    def _rows_that_fit(self, inputs: dict[str, Values], start: int, stop: int) -> int:
        """How many rows from `start` on can share a request."""
        most = min(stop - start, self.pace.rows, max(1, MAX_BODY_BYTES // max(1, _row_bytes(inputs, start))))
        return next((it for it in range(1, most) if not _are_alike(inputs, start, start + it)), most)

    async def _ask(self, inputs: dict[str, Array], rows: int, before_retry: Retry) -> dict[str, Array] | str:
        """The outputs, or why there are none."""
        arrays = inputs if self._layout.has_row_axis else {name: it[0] for name, it in inputs.items()}
        body, header_length = encode_request(arrays)
        headers = {"X-Headrace-Timing": "1", HEADER_LENGTH: str(header_length)}
        reason = ""
        for _ in range(SINGLE_TIMEOUTS):
            response = await self._call("POST", "infer", before_retry, content=body, headers=headers)
            if response.status_code == 200:
                return self._read(response, rows)
            reason = _reason(response)
            if response.status_code != 504:
                return reason
            self.pace.rows = max(1, rows // 2)
            if rows > 1:
                return reason
        return reason

    async def _call(self, method: str, verb: str, before_retry: Retry, **options: Any) -> httpx.Response:
        """What the gateway says once it can say something. Raises JobStopped, or what `before_retry` raises."""
        pause_s = BACK_OFF_S[0]
        while True:
            response = await self._send(method, verb, options)
            if response is not None and response.status_code not in BUSY:
                self._answered_at = time.monotonic()
                return response
            if time.monotonic() - self._answered_at > PATIENCE_S:
                said = "nothing" if response is None else _reason(response)
                raise JobStopped(f"for {PATIENCE_S / 60:.0f} minutes the gateway could not answer; it last said: {said}")
            await before_retry()
            await asyncio.sleep(_retry_after(response) or pause_s)
            pause_s = min(pause_s * 2, BACK_OFF_S[1])

    async def _send(self, method: str, verb: str, options: dict[str, Any]) -> httpx.Response | None:
        """None if no answer comes."""
        try:
            return await self._gateway.request(method, f"{self._path}/{verb}", **options)
        except httpx.TransportError as error:
            logger.info("the gateway does not answer: %s", error)
            return None

    def _read(self, response: httpx.Response, rows: int) -> dict[str, Array] | str:
        timing = INFER_TIME.search(response.headers.get("Server-Timing", ""))
        self.pace.learn(rows, float(timing[1]) if timing else response.elapsed.total_seconds() * 1000)
        outputs = decode_answer(response.content, response.headers.get(HEADER_LENGTH))
        if rows == 1:
            return {name: self._as_one_row(it) for name, it in outputs.items()}
        if any(it.shape[:1] != (rows,) for it in outputs.values()):
            self.pace = Pace(1)
            return "the model does not give one answer for each row"
        return outputs

    def _as_one_row(self, array: Array) -> Array:
        return array if self._layout.has_row_axis and array.shape[:1] == (1,) else array[None]


def _cut(inputs: dict[str, Values], start: int, stop: int) -> dict[str, Array]:
    return {name: it[start:stop] if isinstance(it, np.ndarray) else np.stack(it[start:stop]) for name, it in inputs.items()}


def _are_alike(inputs: dict[str, Values], one: int, other: int) -> bool:
    return all(it[one].shape == it[other].shape for it in inputs.values() if not isinstance(it, np.ndarray))


def _row_bytes(inputs: dict[str, Values], index: int) -> int:
    rows = [np.asarray(it[index]) for it in inputs.values()]
    return sum(sum(map(len, it.ravel())) if it.dtype.kind == "O" else it.nbytes for it in rows)


def _reason(response: httpx.Response) -> str:
    try:
        return msgspec.json.decode(response.content, type=dict[str, str])["error"]
    except (msgspec.DecodeError, KeyError):
        return f"the gateway answered {response.status_code}"


def _retry_after(response: httpx.Response | None) -> float:
    """Seconds; 0 if the answer does not say."""
    text = "" if response is None else response.headers.get("Retry-After", "")
    return min(float(text), BACK_OFF_S[1]) if text.isdecimal() else 0.0
