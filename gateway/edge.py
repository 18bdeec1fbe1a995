"""The gateway's HTTP application: from a path and a key to a deployment.

Called on the event loop with each complete request. Where a request of the same head (path, key and all) was led to before is
remembered with the head; what is remembered is void with the next route table.
"""

import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Final, NamedTuple

from contracts.errors import HeadraceError, Unauthenticated
from gateway.endpoints import Endpoint
from gateway.inference import Inference, NotServing, choose
from gateway.request_ids import RequestIds
from gateway.routing import Caller, Routes
from serving.application import MODELS, HttpCall, allow, answer_about, describe_server, refuse, split_path
from serving.errors import PathNotFound
from serving.http import JSON, Exchange

CHALLENGE: Final = b'www-authenticate: Bearer realm="headrace"\r\n'
PROMETHEUS: Final = b"text/plain; version=0.0.4; charset=utf-8"
SERVER: Final = describe_server("headrace", version("headrace"))


class Aim(NamedTuple):
    """Where a head leads: an inference by this caller, as long as the routes are these."""

    routes: Routes
    caller: Caller
    endpoint: Endpoint
    version: str | None


class Edge:
    """Answers every path of the gateway."""

    def __init__(
        self,
        inference: Inference,
        max_body_bytes: int,
        readiness: Callable[[], tuple[bool, bytes]],
        metrics: Callable[[], bytes],
    ) -> None:
        """`readiness` gives whether this worker is ready and the body that says why; `metrics` the text of a scrape."""
        self._inference, self._max_body_bytes = inference, max_body_bytes
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
        time_ns = time.time_ns()
        request_id = self._ids.next(time_ns // 1_000_000)
        exchange.extra_headers = b"x-request-id: %s\r\n" % request_id.encode()
        aim: Aim | None = exchange.head.memo
        if aim is not None and aim.routes is self._inference.routes and time_ns < aim.caller.expires_ns:
            placement = aim.endpoint.pick() if aim.version is None else aim.endpoint.pick_version(aim.version)
            if placement is not None:
                call = HttpCall(exchange, self._max_body_bytes)
                self._inference.run(call, aim.caller, placement, request_id, time_ns)
                return
        path = exchange.path
        try:
            if path.startswith(MODELS):
                self._answer_model(exchange, path, request_id, time_ns)
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

    def _answer_model(self, exchange: Exchange, path: str, request_id: str, time_ns: int) -> None:
        caller = self._authenticate(exchange)
        name, version, verb = split_path(path)
        endpoint = caller.endpoint(name)
        placement = choose(endpoint, name, version)
        if verb == "infer":
            if allow(exchange, b"POST"):
                assert self._inference.routes is not None
                exchange.head.memo = Aim(self._inference.routes, caller, endpoint, version)
                self._inference.run(HttpCall(exchange, self._max_body_bytes), caller, placement, request_id, time_ns)
            return
        if placement.model is None:
            raise NotServing(placement.why_not_serving())
        answer_about(exchange, placement.model, verb)

    def _authenticate(self, exchange: Exchange) -> Caller:
        return self._inference.authenticate(exchange.headers.get(b"authorization", b""))

    def _refuse(self, exchange: Exchange, error: HeadraceError) -> None:
        self._inference.count_refusal(error.status)
        refuse(exchange, error, CHALLENGE if isinstance(error, Unauthenticated) else b"")
