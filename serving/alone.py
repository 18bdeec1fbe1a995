"""One model behind the protocol, without keys, tenants or a database: `headrace serve`, and a serving pod."""

import asyncio
import logging
from importlib.metadata import version
from pathlib import Path
from typing import Final

from contracts.errors import HeadraceError, NotFound
from contracts.settings import ServeSettings
from serving.application import Call, allow, answer_model, describe_server, refuse
from serving.errors import PathNotFound
from serving.http import Application, Exchange, Limits, listen
from serving.models import Model, load_model

logger = logging.getLogger(__name__)

DRAIN_S: Final = 6.0


class ModelUnknown(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"no model is called {name!r} here")


async def serve_alone(settings: ServeSettings, path: Path, name: str, stop: asyncio.Event) -> None:
    """Serve `path` as `name` until `stop`. Raises ModelNotLoadable, or OSError if the port is taken."""
    model = await asyncio.to_thread(
        load_model,
        path,
        name=name,
        version="1",
        intra_op_threads=settings.intra_op_threads,
        queue_rows=settings.queue_rows,
        timeout_s=settings.request_timeout_s,
    )
    limits = Limits(
        max_body_bytes=settings.max_body_bytes, max_connections=settings.max_connections, idle_timeout_s=settings.idle_timeout_s
    )
    server = await listen(application(model, settings.max_body_bytes), limits, host=settings.host, port=settings.inference_port)
    logger.info("serving %s on port %d", name, server.port)
    await stop.wait()
    await server.drain(DRAIN_S)
    await asyncio.to_thread(model.close)


def application(model: Model, limit: int) -> Application:
    """The paths of the protocol over one model."""

    def answer(exchange: Exchange) -> None:
        try:
            _answer(exchange, exchange.path, model, limit)
        except HeadraceError as error:
            refuse(exchange, error)

    return answer


def _answer(exchange: Exchange, path: str, model: Model, limit: int) -> None:
    if path.startswith("/v2/models/"):
        name, slash, rest = path.removeprefix("/v2/models/").partition("/")
        if name != model.name:
            raise ModelUnknown(name)
        answer_model(exchange, model, slash + rest, limit, _forget)
        return
    body = _FIXED.get(path)
    if body is None:
        raise PathNotFound(path)
    if allow(exchange, b"GET"):
        exchange.respond(200, body)


def _forget(_call: Call) -> None:
    """Nobody keeps a request log here."""


_FIXED: Final = {
    "/v2": describe_server("headrace", version("headrace")),
    "/v2/health/live": b'{"live":true}',
    "/v2/health/ready": b'{"ready":true}',
    "/health/live": b'{"status":"live"}',
    "/health/ready": b'{"status":"ready","dependencies":{}}',
}
