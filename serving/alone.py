"""One model behind the protocol, without keys, tenants or a database: `headrace serve`, and a serving pod."""

import asyncio
import logging
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

from contracts.errors import HeadraceError
from contracts.settings import ServeSettings
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
from serving.buffers import as_text
from serving.calls import Call
from serving.errors import ModelUnknown, VersionNotFound
from serving.grpc.server import Limits as GrpcLimits
from serving.grpc.server import listen_grpc
from serving.grpc.single import SingleModel
from serving.http import Application, Exchange, Limits, listen
from serving.metrics import PROMETHEUS, Metrics
from serving.models import Model, load_model
from serving.repository import INDEX, ModelState, read_index, render_index
from serving.tls import Tls
from serving.verbs import CALLS

logger = logging.getLogger(__name__)

DRAIN_S: Final = 6.0


async def serve_alone(settings: ServeSettings, path: Path, name: str, stop: asyncio.Event) -> None:
    """Serve `path` as `name` until `stop`.

    Raises ModelNotLoadable, SettingInvalid, GrpcPortTaken, or OSError if the port for HTTP is taken.
    """
    tls = Tls.from_settings(settings.tls_certificate, settings.tls_key)
    model = await asyncio.to_thread(
        load_model,
        path,
        name=name,
        version="1",
        intra_op_threads=settings.intra_op_threads,
        queue_rows=settings.queue_rows,
        timeout_s=settings.request_timeout_s,
        tuning_budget_s=settings.tuning_budget_s,
    )
    limits = Limits(
        max_body_bytes=settings.max_body_bytes, max_connections=settings.max_connections, idle_timeout_s=settings.idle_timeout_s
    )
    metrics = Metrics(model)
    server = await listen(
        application(model, settings.max_body_bytes, metrics),
        limits,
        host=settings.host,
        port=settings.inference_port,
        tls=None if tls is None else tls.context,
    )
    grpc_server = await listen_grpc(
        SingleModel(model, metrics.count),
        GrpcLimits(max_message_bytes=settings.max_body_bytes, max_connections=settings.max_connections),
        address=settings.host,
        port=settings.grpc_port,
        tls=tls,
    )
    logger.info("serving %s on port %d, by gRPC on port %d", name, server.port, grpc_server.port)
    following = None if tls is None else asyncio.create_task(tls.follow(), name="certificate")
    await stop.wait()
    if following is not None:
        following.cancel()
    await asyncio.gather(server.drain(DRAIN_S), grpc_server.drain(DRAIN_S))
    await asyncio.to_thread(model.close)


def application(model: Model, limit: int, metrics: Metrics | None = None) -> Application:
    """The paths of the protocol over one model, and its metrics: `metrics`, if they count what comes by other ways too."""
    counting = metrics or Metrics(model)

    def answer(exchange: Exchange) -> None:
        try:
            _answer(exchange, exchange.path, model, limit, counting)
        except HeadraceError as error:
            refuse(exchange, error)

    return answer


def _answer(exchange: Exchange, path: str, model: Model, limit: int, metrics: Metrics) -> None:
    if path == ALL_STATISTICS != MODELS + model.name:
        if allow(exchange, b"GET"):
            exchange.respond(200, statistics_of((model,)))
    elif path.startswith(MODELS):
        _answer_model(exchange, path, model, limit, metrics.count)
    elif path == INDEX:
        if allow(exchange, b"POST"):
            index = [ModelState(model.name, model.version, "READY")]
            exchange.respond(200, render_index(index, read_index(as_text(exchange.body))))
    elif path == "/metrics":
        if allow(exchange, b"GET"):
            exchange.respond(200, metrics.render(), PROMETHEUS)
    else:
        body = _FIXED.get(path)
        if body is None:
            raise nothing_at(path)
        if allow(exchange, b"GET"):
            exchange.respond(200, body)


def _answer_model(exchange: Exchange, path: str, model: Model, limit: int, count: Callable[[Call], None]) -> None:
    name, version, verb = split_path(path)
    if name != model.name:
        raise ModelUnknown(name)
    if version not in (None, model.version):
        raise VersionNotFound(name, version)
    make_call = CALLS.get(verb)
    if make_call is None:
        answer_about(exchange, model, verb)
    elif allow(exchange, b"POST"):
        make_call(exchange, limit).begin(model, model.submit, count)


_FIXED: Final = {
    "/v2": describe_server("headrace", version("headrace")),
    "/v2/health/live": b'{"live":true}',
    "/v2/health/ready": b'{"ready":true}',
    "/health/live": b'{"status":"live"}',
    "/health/ready": b'{"status":"ready","dependencies":{}}',
}
