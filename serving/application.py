"""The protocol's paths over one model or none: what `headrace serve` and the gateway answer alike."""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.batcher import Ticket
from serving.errors import PathNotFound, VersionNotFound
from serving.http import JSON, Exchange
from serving.models import Model
from serving.requests import Array, InferRequest, decompress

PLATFORM: Final = "onnxruntime_onnx"
EXTENSIONS: Final = ("binary_tensor_data",)


class Call:
    """One inference call as it went, for the request log. Times are nanoseconds."""

    __slots__ = ("decode_ns", "encode_ns", "error", "exchange", "model", "names", "outputs", "request", "status", "ticket")

    def __init__(self, exchange: Exchange, model: Model) -> None:
        self.exchange, self.model = exchange, model
        self.status = 200
        self.error = ""
        """Class name of the error; empty on success."""
        self.decode_ns = 0
        self.encode_ns = 0
        self.request: InferRequest | None = None
        """None if the request could not be decoded."""
        self.ticket: Ticket | None = None
        """None if it was never queued."""
        self.names: tuple[str, ...] = ()
        self.outputs: list[Array] = []


Report = Callable[[Call], None]
"""Told of every inference call when it is over, right after its answer was handed over."""


def answer_model(exchange: Exchange, model: Model, rest: str, limit: int, report: Report, headers: bytes = b"") -> None:
    """Answer what follows `/v2/models/{name}`: nothing, "/ready", "/infer", and each behind "/versions/{version}".

    `limit` bounds the decompressed body, in bytes; `headers` are whole lines added to the answer. Raises HeadraceError for a
    path or version that is not there; what is wrong with an inference request is answered and reported here.
    """
    if rest.startswith("/versions/"):
        version, slash, verb = rest.removeprefix("/versions/").partition("/")
        if version != model.version:
            raise VersionNotFound(model.name, version)
        rest = slash + verb
    if rest == "/infer":
        if allow(exchange, b"POST"):
            infer(exchange, model, limit, report, headers)
    elif rest == "":
        if allow(exchange, b"GET"):
            exchange.respond(200, describe_model(model), JSON, headers)
    elif rest == "/ready":
        if allow(exchange, b"GET"):
            exchange.respond(200, b'{"ready":true}', JSON, headers)
    else:
        raise PathNotFound(exchange.path)


def infer(exchange: Exchange, model: Model, limit: int, report: Report, headers: bytes = b"") -> None:
    """Decode, queue, and answer when the model has; every error is answered here."""
    call = Call(exchange, model)
    try:
        call.request = decode(exchange, model, limit)
        call.decode_ns = time.monotonic_ns() - exchange.arrived_ns

        def settle(ticket: Ticket) -> None:
            _answer(call, ticket, report, headers)

        call.ticket = model.submit(call.request, exchange, settle)
    except HeadraceError as error:
        refuse(exchange, error, headers)
        call.status, call.error = error.status, type(error).__name__
        report(call)


def decode(exchange: Exchange, model: Model, limit: int) -> InferRequest:
    """The inference request in `exchange`. Raises RequestMalformed and its kin."""
    headers, body = exchange.headers, exchange.body
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding != b"identity":
        body = decompress(bytes(body), encoding.strip().lower(), limit)
    return model.decoder.decode(body, headers.get(b"inference-header-content-length"))


def refuse(exchange: Exchange, error: HeadraceError, headers: bytes = b"") -> None:
    """Answer with `error` in the protocol's form."""
    retry_after = getattr(error, "retry_after_s", None)
    if retry_after is not None:
        headers += b"retry-after: %d\r\n" % max(1, round(retry_after))
    exchange.refuse(error.status, str(error), headers)


def allow(exchange: Exchange, method: bytes) -> bool:
    """Whether the request has this method (HEAD counts as GET); if not it is answered with 405."""
    if exchange.method == method or (exchange.method == b"HEAD" and method == b"GET"):
        return True
    exchange.refuse(405, f"this path takes {method.decode()}, not {exchange.method.decode()}", b"allow: %s\r\n" % method)
    return False


def describe_server(name: str, version: str) -> bytes:
    """The body of GET /v2."""
    return msgspec.json.encode({"name": name, "version": version, "extensions": EXTENSIONS})


def describe_model(model: Model) -> bytes:
    """The body of GET /v2/models/{name}."""
    return msgspec.json.encode(
        {
            "name": model.name,
            "versions": [model.version],
            "platform": PLATFORM,
            "inputs": [_describe(it) for it in model.inputs],
            "outputs": [_describe(it) for it in model.outputs],
        }
    )


def _describe(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}


def _answer(call: Call, ticket: Ticket, report: Report, headers: bytes) -> None:
    exchange, request = call.exchange, call.request
    assert request is not None
    if ticket.error is not None:
        call.status, call.error = ticket.error.status, type(ticket.error).__name__
        refuse(exchange, ticket.error, headers)
    else:
        started = time.monotonic_ns()
        call.names, call.outputs = ticket.names, ticket.outputs
        body, content_type, more = call.model.encoder.encode(request, ticket.names, ticket.outputs)
        exchange.respond(200, body, content_type, headers + more)
        call.encode_ns = time.monotonic_ns() - started
    report(call)
