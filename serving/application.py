"""The protocol over HTTP: inference calls, and what is answered about one model or none, here and at the gateway alike."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.batcher import Ticket
from serving.calls import Call, Submit
from serving.compression import decompress, is_compressed
from serving.errors import PathNotFound, RequestMalformed
from serving.http import Exchange
from serving.models import Model
from serving.requests import InferRequest
from serving.responses import Answer

PLATFORM: Final = "onnxruntime_onnx"
EXTENSIONS: Final = ("binary_tensor_data",)
MODELS: Final = "/v2/models/"
TIMING: Final = b"x-headrace-timing"
"""A request with this header is told where its time went, in Server-Timing (milliseconds)."""


class HttpCall(Call):
    """`POST …/infer`."""

    __slots__ = ("_body", "_limit", "exchange")

    def __init__(self, exchange: Exchange, limit: int) -> None:
        """`limit` bounds the decompressed body, in bytes."""
        super().__init__(exchange.arrived_ns, len(exchange.body))
        self.exchange, self._limit, self._body = exchange, limit, exchange.body

    @property
    def is_gone(self) -> bool:
        return self.exchange.is_gone

    def begin(self, model: Model, submit: Submit, on_over: Callable[[Call], None]) -> None:
        encoding = self.exchange.headers.get(b"content-encoding")
        if encoding is None or not is_compressed(encoding):
            super().begin(model, submit, on_over)
            return
        plain = asyncio.get_running_loop().run_in_executor(None, decompress, self._body, encoding, self._limit)
        plain.add_done_callback(lambda it: self._begin_plain(it, model, submit, on_over))

    def decode(self, model: Model) -> InferRequest:
        return model.decoder.decode(self._body, self.exchange.headers.get(b"inference-header-content-length"))

    def answer(self, ticket: Ticket) -> None:
        body, content_type, headers = self.encode(ticket)
        if ticket.cache:
            headers += b"x-headrace-cache: %s\r\n" % ticket.cache.encode()
        if TIMING in self.exchange.headers:
            headers += _server_timing(self.decode_ns, ticket)
        self.exchange.respond(200, body, content_type, self.headers + headers)

    def encode(self, ticket: Ticket) -> Answer:
        """The answer, in the form the client asked for."""
        return self.model.encoder.encode(ticket.request, ticket.outputs)

    def refuse(self, error: HeadraceError) -> None:
        refuse(self.exchange, error, self.headers)

    def _begin_plain(self, plain: "asyncio.Future[bytes]", model: Model, submit: Submit, on_over: Callable[[Call], None]) -> None:
        error = plain.exception()
        if error is None:
            self._body = plain.result()
            self.size_bytes = len(self._body)
            super().begin(model, submit, on_over)
        elif isinstance(error, HeadraceError):
            self.reject(error, on_over)
        else:
            self.reject(RequestMalformed(f"the body cannot be decompressed: {error}"), on_over)


def split_path(path: str) -> tuple[str, str | None, str]:
    """Name, version if one is given, and verb ("" if none) of a path that begins with `MODELS`."""
    name, _, rest = path[len(MODELS) :].partition("/")
    if not rest.startswith("versions/"):
        return name, None, rest
    version, _, verb = rest.removeprefix("versions/").partition("/")
    return name, version, verb


def answer_about(exchange: Exchange, model: Model, verb: str) -> None:
    """Answer what can be asked about a model. Raises PathNotFound."""
    describe = _ABOUT.get(verb)
    if describe is None:
        raise PathNotFound(exchange.path)
    if allow(exchange, b"GET"):
        exchange.respond(200, describe(model))


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


def _server_timing(decode_ns: int, ticket: Ticket) -> bytes:
    parts = {"decode": decode_ns, "queue": ticket.queue_ns, "infer": ticket.infer_ns}
    return f"server-timing: {', '.join(f'{name};dur={ns / 1e6:.3f}' for name, ns in parts.items())}\r\n".encode()


def _describe(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}


_ABOUT: Final[dict[str, Callable[[Model], bytes]]] = {"": describe_model, "ready": lambda _: b'{"ready":true}'}
"""By verb what makes the answer's body, in JSON."""
