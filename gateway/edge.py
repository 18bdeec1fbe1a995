"""The gateway's HTTP application: key, route, model, and a line in the request log.

Called on the event loop with each complete request. A connection remembers the last key it presented, so that a kept-alive one is
hashed once; what it remembers is void with the next route table.
"""

import hmac
import logging
import time
from collections.abc import Callable, Collection, Sequence
from importlib.metadata import version
from typing import Final, NamedTuple

from contracts.errors import HeadraceError, Overloaded, Unauthenticated
from contracts.records import MAX_LOGGED_VALUES
from contracts.signature import Tensor
from gateway.endpoints import Endpoint, Placement
from gateway.log_records import Array, Entry, element_count
from gateway.request_ids import RequestIds
from gateway.routing import Caller, Routes
from gateway.traffic import Traffic
from serving.application import Call, allow, answer_model, describe_server, refuse
from serving.errors import PathNotFound, VersionNotFound
from serving.http import JSON, Exchange

logger = logging.getLogger(__name__)

MODELS: Final = "/v2/models/"
MAX_LOGGED_BODY: Final = 64 * 1024
"""Arrays may be views of the body, so a record with values keeps all of it in memory until it is flushed."""
CHALLENGE: Final = b'www-authenticate: Bearer realm="headrace"\r\n'
PROMETHEUS: Final = b"text/plain; version=0.0.4; charset=utf-8"
SERVER: Final = describe_server("headrace", version("headrace"))


class NotServing(Overloaded):
    """The deployment is known here, and none of its revisions answers yet, or any more."""

    title = "Not serving"


class Verified(NamedTuple):
    """What a connection's last key was found to be."""

    routes: Routes
    authorization: bytes
    caller: Caller


class Edge:
    """Answers every path of the gateway."""

    def __init__(
        self,
        traffic: Traffic,
        log: Callable[[Entry], None],
        max_body_bytes: int,
        readiness: Callable[[], tuple[bool, bytes]],
        metrics: Callable[[], bytes],
    ) -> None:
        """`readiness` gives whether this worker is ready and the body that says why; `metrics` the text of a scrape."""
        self.routes: Routes | None = None
        self._traffic, self._log, self._max_body_bytes = traffic, log, max_body_bytes
        self._ids = RequestIds()
        self._pages = {
            "/v2": lambda: (200, SERVER, JSON),
            "/v2/health/live": lambda: (200, b'{"live":true}', JSON),
            "/v2/health/ready": lambda: (200, b'{"ready":true}', JSON) if readiness()[0] else (503, b'{"ready":false}', JSON),
            "/health/live": lambda: (200, b'{"status":"live"}', JSON),
            "/health/ready": lambda: (200 if (found := readiness())[0] else 503, found[1], JSON),
            "/metrics": lambda: (200, metrics(), PROMETHEUS),
        }

    def answer(self, exchange: Exchange) -> None:
        """The application that `serving.http` calls."""
        request_id = self._ids.next(time.time_ns() // 1_000_000)
        exchange.extra_headers = b"x-request-id: %s\r\n" % request_id.encode()
        path = exchange.path
        try:
            if path.startswith(MODELS):
                self._answer_model(exchange, request_id, path)
            else:
                self._answer_page(exchange, path)
        except HeadraceError as error:
            self._refuse(exchange, error)

    def _answer_page(self, exchange: Exchange, path: str) -> None:
        page = self._pages.get(path)
        if page is None:
            raise PathNotFound(path)
        if path == "/v2":
            self._authenticate(exchange)
        if allow(exchange, b"GET"):
            exchange.respond(*page())

    def _answer_model(self, exchange: Exchange, request_id: str, path: str) -> None:
        caller = self._authenticate(exchange)
        name, slash, rest = path[len(MODELS) :].partition("/")
        endpoint = caller.endpoint(name)
        rest = slash + rest
        placement = _choose(endpoint, name, rest)

        def report(call: Call) -> None:
            self._record(call, request_id, caller, placement)

        if placement.model is None:
            error = NotServing(_why_not_serving(placement))
            refuse(exchange, error)
            if rest.endswith("/infer"):
                self._record_refusal(exchange, request_id, caller, placement, error)
            return
        try:
            answer_model(exchange, placement.model, rest, self._max_body_bytes, report)
        except HeadraceError:
            raise
        except Exception as error:  # a defect of ours: it counts against the deployment, and the traceback is for us
            logger.exception("request %s failed", request_id)
            if not exchange.is_answered:
                exchange.refuse(500, "internal error")
            self._record_refusal(exchange, request_id, caller, placement, error)

    def _authenticate(self, exchange: Exchange) -> Caller:
        routes = self.routes
        if routes is None:
            raise NotServing("this gateway has not been told yet what to serve")
        authorization = exchange.headers.get(b"authorization", b"")
        verified: Verified | None = exchange.connection.state
        now = time.time()
        if (
            verified is not None
            and verified.routes is routes
            and hmac.compare_digest(verified.authorization, authorization)
            and now < verified.caller.expires_at
        ):
            return verified.caller
        caller = routes.authenticate(authorization, now)
        exchange.connection.state = Verified(routes, authorization, caller)
        return caller

    def _refuse(self, exchange: Exchange, error: HeadraceError) -> None:
        refused = self._traffic.refused
        refused[error.status] = refused.get(error.status, 0) + 1
        refuse(exchange, error, CHALLENGE if isinstance(error, Unauthenticated) else b"")

    def _record_refusal(
        self, exchange: Exchange, request_id: str, caller: Caller, placement: Placement, error: Exception
    ) -> None:
        status = error.status if isinstance(error, HeadraceError) else 500
        placement.counts.by_class[status // 100] += 1
        arrived_us, total_us = _times(exchange)
        ids = (request_id, placement.owner, caller.key_id)
        self._log(Entry(arrived_us, *ids, status, type(error).__name__, 0, 0, 0, 0, 0, total_us, 0, (), ()))

    def _record(self, call: Call, request_id: str, caller: Caller, placement: Placement) -> None:
        counts, ticket = placement.counts, call.ticket
        rows = 0 if call.request is None else call.request.rows
        counts.by_class[call.status // 100] += 1
        if call.status == 200:
            counts.rows += rows
        arrived_us, total_us = _times(call.exchange)
        self._log(
            Entry(
                arrived_us,
                request_id,
                placement.owner,
                caller.key_id,
                call.status,
                call.error,
                rows,
                0 if ticket is None else ticket.queue_ns // 1000,
                call.decode_ns // 1000,
                0 if ticket is None else ticket.infer_ns // 1000,
                call.encode_ns // 1000,
                total_us,
                0 if ticket is None else ticket.batch_rows,
                *_logged_values(call),
            )
        )


def _choose(endpoint: Endpoint, name: str, rest: str) -> Placement:
    """The revision to answer, which may be one that is not loaded. Raises VersionNotFound or NotServing."""
    if rest.startswith("/versions/"):
        number = rest.split("/", 3)[2]
        placement = endpoint.pick_version(number)
        if placement is None:
            raise VersionNotFound(name, number)
        return placement
    placement = endpoint.pick()
    if placement is None:
        raise NotServing(f"deployment {name!r} has no revision")
    return placement


def _why_not_serving(placement: Placement) -> str:
    if placement.error:
        return f"{placement} does not serve: {placement.error}"
    return f"{placement} is being loaded; try again"


def _times(exchange: Exchange) -> tuple[int, int]:
    """When the request arrived, by the wall clock, and how long ago that is, in microseconds."""
    total_ns = time.monotonic_ns() - exchange.arrived_ns
    return (time.time_ns() - total_ns) // 1000, total_ns // 1000


def _logged_values(call: Call) -> tuple[Sequence[Array], Sequence[Array]]:
    """Inputs and outputs in the order of the signature; none if they are too many, and no outputs if not all were asked for."""
    request, model = call.request, call.model
    if request is None or len(call.exchange.body) > MAX_LOGGED_BODY:
        return (), ()
    inputs = _in_order(request.inputs.keys(), request.inputs.values(), model.inputs)
    outputs = _in_order(call.names, call.outputs, model.outputs)
    if element_count(inputs) + element_count(outputs) > MAX_LOGGED_VALUES:
        return (), ()
    return inputs, outputs


def _in_order(names: Collection[str], arrays: Collection[Array], signature: Sequence[Tensor]) -> Sequence[Array]:
    if len(arrays) != len(signature):
        return ()
    if len(signature) == 1:
        return tuple(arrays)
    by_name = dict(zip(names, arrays, strict=True))
    return [by_name[it.name] for it in signature]
