"""The gateway's HTTP application: from a path and a key to a deployment.

Called on the event loop with each complete request. Where a request of the same head (path, key and all) was led to before is
remembered with the head; what is remembered is void with the next route table.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from typing import Any, Final

from contracts.errors import HeadraceError, Unauthenticated
from gateway.aims import Aim, remember
from gateway.inference import Inference, NotServing, choose
from gateway.predict.application import PREFIX as REST
from gateway.predict.application import Predict
from gateway.request_ids import RequestIds
from gateway.routing import CHALLENGE, INFER, Caller, ProjectNotFound, split_prefix
from serving.application import (
    ALL_STATISTICS,
    MODELS,
    allow,
    answer_about,
    describe_server,
    nothing_at,
    refuse,
    split_path,
    statistics_of,
)
from serving.http import JSON, Exchange
from serving.metrics import PROMETHEUS
from serving.repository import REPOSITORY
from serving.verbs import call_for

logger = logging.getLogger(__name__)

SERVER: Final = describe_server("headrace", version("headrace"))


class Edge:
    """Answers every path of the gateway."""

    def __init__(
        self,
        inference: Inference,
        max_body_bytes: int,
        readiness: Callable[[], tuple[bool, bytes]],
        metrics: Callable[[], Coroutine[Any, Any, list[bytes]]],
        repository: Callable[[Exchange, Caller, str], None],
        note_use: Callable[[Caller, str], object],
    ) -> None:
        """`readiness` gives whether this worker is ready and the body that says why; `metrics` the text of a scrape;
        `repository` answers paths that begin with `REPOSITORY`; `note_use` is `KeyUses.note`."""
        self._inference, self._max_body_bytes, self._repository = inference, max_body_bytes, repository
        self._metrics, self._note_use = metrics, note_use
        self._scrapes: set[asyncio.Task[None]] = set()
        self._predict = Predict(inference, max_body_bytes, self._authenticate)
        self._ids = RequestIds()
        self._pages = {
            "/v2": lambda: (200, SERVER, JSON),
            "/v2/health/live": lambda: (200, b'{"live":true}', JSON),
            "/v2/health/ready": lambda: (200, b'{"ready":true}', JSON) if readiness()[0] else (503, b'{"ready":false}', JSON),
            "/health/live": lambda: (200, b'{"status":"live"}', JSON),
            "/health/ready": lambda: (200 if (found := readiness())[0] else 503, found[1], JSON),
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
                if exchange.connection.memo is not aim.caller.token:
                    self._note(exchange, aim.caller)
                call = aim.make_call(exchange, self._max_body_bytes)
                self._inference.run(call, aim.caller, placement, request_id, time_ns)
                return
        prefix, path = split_prefix(exchange.path)
        try:
            if path.startswith(MODELS):
                self._answer_model(exchange, self._authenticate(exchange, prefix), path, request_id, time_ns)
            elif path.startswith(REPOSITORY):
                self._repository(exchange, self._authenticate(exchange, prefix), path)
            elif path.startswith(REST):
                self._predict.answer(exchange, prefix, path, request_id, time_ns)
            else:
                self._answer_page(exchange, prefix, path)
        except HeadraceError as error:
            self._refuse(exchange, error)

    def _answer_page(self, exchange: Exchange, prefix: str, path: str) -> None:
        if path == "/metrics" and not prefix:
            if allow(exchange, b"GET"):
                task = asyncio.create_task(self._scrape(exchange), name="answer a scrape")
                self._scrapes.add(task)
                task.add_done_callback(self._scrapes.discard)
            return
        page = self._pages.get(path)
        if page is None:
            raise nothing_at(path)
        if prefix or path == "/v2":
            self._authenticate(exchange, prefix)
        if allow(exchange, b"GET"):
            exchange.respond(*page())

    async def _scrape(self, exchange: Exchange) -> None:
        try:
            exchange.respond(200, await self._metrics(), PROMETHEUS)
        except Exception:
            logger.exception("making the metrics failed")
            exchange.refuse(500, "internal error")

    def _answer_model(self, exchange: Exchange, caller: Caller, path: str, request_id: str, time_ns: int) -> None:
        name, version, verb = split_path(path)
        if path == ALL_STATISTICS and name not in caller.deployments:
            _answer_statistics(exchange, caller)
            return
        endpoint = caller.endpoint(name)
        placement = choose(endpoint, name, version)
        make_call = call_for(verb, exchange.headers)
        if make_call is not None:
            if allow(exchange, b"POST"):
                assert self._inference.routes is not None
                remember(exchange.head, Aim(self._inference.routes, caller, endpoint, version, make_call))
                self._inference.run(make_call(exchange, self._max_body_bytes), caller, placement, request_id, time_ns)
            return
        if placement.model is None:
            raise NotServing(placement.why_not_serving())
        answer_about(exchange, placement.model, verb)

    def _authenticate(self, exchange: Exchange, prefix: str) -> Caller:
        caller = self._inference.authenticate(exchange.headers.get(b"authorization", b""))
        if prefix not in ("", caller.prefix):
            raise ProjectNotFound(prefix)
        if caller.networks:
            caller.check_network(exchange.address)
        if exchange.connection.memo is not caller.token:
            self._note(exchange, caller)
        return caller

    def _note(self, exchange: Exchange, caller: Caller) -> None:
        exchange.connection.memo = self._note_use(caller, exchange.address)

    def _refuse(self, exchange: Exchange, error: HeadraceError) -> None:
        self._inference.count_refusal(error.status)
        refuse(exchange, error, CHALLENGE if isinstance(error, Unauthenticated) else b"")


def _answer_statistics(exchange: Exchange, caller: Caller) -> None:
    caller.demand(INFER)
    if allow(exchange, b"GET"):
        placements = [it for endpoint in caller.deployments.values() for it in endpoint.placements()]
        exchange.respond(200, statistics_of(it.model for it in placements if it.model is not None))
