"""What every inference call goes through at the gateway, by any protocol: key, deployment, limits, model, log and counts."""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from contracts.errors import HeadraceError, Overloaded
from contracts.records import MAX_LOGGED_VALUES
from gateway.endpoints import Endpoint, Gate, Placement
from gateway.log_records import Entry
from gateway.routing import Caller, Limiter, Routes
from gateway.traffic import Traffic
from serving.batcher import Caller as Waiting
from serving.batcher import Ticket
from serving.calls import Call, Submit
from serving.errors import VersionNotFound
from serving.models import Model
from serving.outcomes import Outcome, outcome_of
from serving.requests import InferRequest

MAX_LOGGED_BYTES: Final = 64 * 1024
"""Arrays may be views of the body, so a record with values keeps all of it in memory until it is flushed."""
BYTES_A_VALUE: Final = 64
"""So many bytes of the body count as one value more."""


class Hold(Protocol):
    """What a call takes room in while it is under way."""

    def leave(self) -> None: ...


Context = tuple[Caller, Placement, str, int, Sequence[Hold]]
"""Who called, what answers, the request's id, when it arrived by the wall clock (ns), and what it leaves when it is over."""


class NotServing(Overloaded):
    """The deployment is known here, and none of its revisions answers yet, or any more."""

    title = "Not serving"


class Inference:
    """The way of a call through one worker. `routes` is None until the first table has come."""

    def __init__(self, traffic: Traffic, log: Callable[[Entry, int], None]) -> None:
        """`log` is told with every entry what else its values keep in memory, as so many values more."""
        self.routes: Routes | None = None
        self._traffic, self._log = traffic, log

    def authenticate(self, authorization: bytes) -> Caller:
        """Whose key it is. Raises KeyRefused or NotServing."""
        routes = self.routes
        if routes is None:
            raise NotServing("this gateway has not been told yet what to serve")
        return routes.authenticate(authorization, time.time())

    def begin(self, call: Call, caller: Caller, name: str, version: str | None, request_id: str) -> None:
        """Answer `call` in the end, and log it if it leads to a deployment. Never raises."""
        try:
            endpoint = caller.endpoint(name)
            placement = choose(endpoint, name, version)
        except HeadraceError as error:
            call.reject(error, lambda it: self.count_refusal(it.status))
            return
        self.run(call, caller, placement, request_id, time.time_ns())

    def run(self, call: Call, caller: Caller, placement: Placement, request_id: str, time_ns: int) -> None:
        """As `begin`, for a placement that has been chosen; `time_ns` is when the call arrived, by the wall clock."""
        call.context = (caller, placement, request_id, time_ns, ())
        model, submit = placement.model, placement.submit
        if model is None or submit is None:
            call.reject(NotServing(placement.why_not_serving()), self._record)
        elif caller.limiter is None and placement.gate is None:
            call.begin(model, submit, self._record)
        else:
            self._run_limited(call, caller.limiter, placement.gate, model, submit)

    def _run_limited(self, call: Call, limiter: Limiter | None, gate: Gate | None, model: Model, submit: Submit) -> None:
        refusal, held, own = None, list[Hold](), call.headers
        try:
            if gate is not None:  # first: what it refuses costs the key nothing
                gate.enter()
                held.append(gate)
            if limiter is not None:
                limiter.admit()
                held.append(limiter)
        except HeadraceError as error:
            refusal = error
        call.context = (*call.context[:4], held)
        if limiter is not None:
            call.headers = own + limiter.header_lines()
        if refusal is not None:
            call.reject(refusal, self._record)
        else:
            call.begin(model, _taking_rows(call, own, submit, limiter) if limiter and limiter.rows else submit, self._record)

    def count_refusal(self, status: int) -> None:
        """Count an answer to a request that led to no deployment."""
        refused = self._traffic.refused
        refused[status] = refused.get(status, 0) + 1

    def _record(self, call: Call) -> None:
        context: Context = call.context
        caller, placement, request_id, time_ns, held = context
        for it in held:
            it.leave()
        total_ns = time.monotonic_ns() - call.arrived_ns
        counts, ticket, request = placement.counts, call.ticket, call.request
        rows = 0 if request is None else request.rows
        counts.by_class[call.status // 100] += 1
        if call.status == 200:
            counts.rows += rows
        queue_ns, infer_ns, batch_rows, cache = (
            (0, 0, 0, "") if ticket is None else (ticket.queue_ns, ticket.infer_ns, ticket.batch_rows, ticket.cache)
        )
        outcome, begin = _logged(call)
        self._log(
            (
                time_ns,
                request_id,
                placement.owner,
                caller.key_id,
                call.status,
                call.error,
                rows,
                queue_ns,
                call.decode_ns,
                infer_ns,
                call.encode_ns,
                total_ns,
                batch_rows,
                cache == "hit",
                outcome,
                begin,
            ),
            call.size_bytes // BYTES_A_VALUE,
        )


def choose(endpoint: Endpoint, name: str, version: str | None) -> Placement:
    """The revision to answer, which may be one that is not loaded. Raises VersionNotFound or NotServing."""
    if version is None:
        placement = endpoint.pick()
        if placement is None:
            raise NotServing(f"deployment {name!r} has no revision")
        return placement
    placement = endpoint.pick_version(version)
    if placement is None:
        raise VersionNotFound(name, version)
    return placement


def _taking_rows(call: Call, headers: bytes, submit: Submit, limiter: Limiter) -> Submit:
    """`headers` are those of the call without what the limiter says."""

    def take_rows(request: InferRequest, waiting: Waiting, settle: Callable[[Ticket], None]) -> Ticket:
        try:
            limiter.take_rows(request.rows)
        finally:
            call.headers = headers + limiter.header_lines()
        return submit(request, waiting, settle)

    return take_rows


def _logged(call: Call) -> tuple[Outcome | None, int]:
    """Where the call's values are, in the order of the signature, and its first row there; None if they are too many."""
    request, ticket = call.request, call.ticket
    if request is None or call.size_bytes > MAX_LOGGED_BYTES:
        return None, 0
    outcome, begin = None if ticket is None or call.status != 200 else ticket.outcome, 0
    if outcome is None or ticket is None:
        outcome = outcome_of(tuple(request.inputs.values()), [], request.rows)
    elif request.outputs == call.model.output_names:
        begin = ticket.begin
    else:
        outcome = _in_order(ticket, call.model.output_names)
    values = outcome.size if request.rows == outcome.rows else outcome.size * request.rows // outcome.rows
    return (None, 0) if values > MAX_LOGGED_VALUES else (outcome, begin)


def _in_order(ticket: Ticket, names: Sequence[str]) -> Outcome:
    """The outcome of `ticket` alone, its outputs in the order of the signature; without them if not all were asked for."""
    request = ticket.request
    by_name = dict(zip(request.outputs, ticket.outputs, strict=True))
    outputs = [by_name[it].copy() for it in names] if len(by_name) == len(names) else []
    return outcome_of(tuple(request.inputs.values()), outputs, request.rows)
