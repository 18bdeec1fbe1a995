"""The protocol's paths over one model or none: what `headrace serve` and the gateway answer alike."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

import msgspec

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.batcher import Ticket
from serving.compression import decompress, is_compressed
from serving.errors import AnswerUnencodable, CallerLeft, PathNotFound, RequestMalformed, VersionNotFound
from serving.http import JSON, Exchange
from serving.models import Model
from serving.requests import InferRequest
from serving.tensors import Array

logger = logging.getLogger(__name__)

PLATFORM: Final = "onnxruntime_onnx"
EXTENSIONS: Final = ("binary_tensor_data",)


class Call:
    """One inference call as it goes, for the request log. Times are nanoseconds."""

    __slots__ = (
        "_headers",
        "_report",
        "decode_ns",
        "encode_ns",
        "error",
        "exchange",
        "model",
        "outputs",
        "request",
        "status",
        "ticket",
    )

    def __init__(self, exchange: Exchange, model: Model, report: "Report", headers: bytes) -> None:
        self.exchange, self.model = exchange, model
        self._report, self._headers = report, headers
        self.status = 200
        self.error = ""
        """Class name of the error; empty on success."""
        self.decode_ns = 0
        self.encode_ns = 0
        self.request: InferRequest | None = None
        """None if the request could not be decoded."""
        self.ticket: Ticket | None = None
        """None if it was never queued."""
        self.outputs: list[Array] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Names of `outputs`."""
        return self.request.outputs if self.request is not None and self.outputs else ()

    def queue(self, body: bytes | bytearray) -> None:
        """Decode the plain body and submit it to the model."""
        try:
            header_length = self.exchange.headers.get(b"inference-header-content-length")
            self.request = self.model.decoder.decode(body, header_length)
            self.decode_ns = time.monotonic_ns() - self.exchange.arrived_ns
            self.ticket = self.model.submit(self.request, self.exchange, self._settle)
        except HeadraceError as error:
            self.fail(error)

    def fail(self, error: HeadraceError) -> None:
        """Answer with `error`."""
        self.status, self.error = error.status, type(error).__name__
        if not self.exchange.is_gone:
            refuse(self.exchange, error, self._headers)
        self._report(self)

    def _settle(self, ticket: Ticket) -> None:
        if ticket.error is not None:
            self.fail(ticket.error)
            return
        started = time.monotonic_ns()
        try:
            body, content_type, headers = self.model.encoder.encode(ticket.request, ticket.outputs)
        except Exception:
            logger.exception("encoding an answer of model %s failed", self.model.name)
            self.fail(AnswerUnencodable(self.model.name))
            return
        self.outputs = ticket.outputs
        if self.exchange.is_gone:
            self.fail(CallerLeft())
            return
        self.exchange.respond(200, body, content_type, self._headers + headers)
        self.encode_ns = time.monotonic_ns() - started
        self._report(self)


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
    call = Call(exchange, model, report, headers)
    encoding = exchange.headers.get(b"content-encoding")
    if encoding is None or not is_compressed(encoding):
        call.queue(exchange.body)
        return
    plain = asyncio.get_running_loop().run_in_executor(None, decompress, exchange.body, encoding, limit)
    plain.add_done_callback(lambda it: _queue_plain(call, it))


def _queue_plain(call: Call, plain: "asyncio.Future[bytes]") -> None:
    error = plain.exception()
    if error is None:
        call.queue(plain.result())
    else:
        call.fail(error if isinstance(error, HeadraceError) else RequestMalformed(f"the body cannot be decompressed: {error}"))


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
