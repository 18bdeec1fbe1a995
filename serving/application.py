"""The protocol over HTTP: inference calls, and what is answered about one model or none, here and at the gateway alike."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import ClassVar, Final

import msgspec

from contracts.errors import HeadraceError
from contracts.signature import Tensor
from serving.batcher import Ticket
from serving.calls import Call, Submit
from serving.compression import WORTHWHILE, choose_encoding, compress, decompress, is_compressed
from serving.errors import ExtensionUnsupported, PathNotFound, TooMuchHeld
from serving.http import Exchange
from serving.model_config import PLATFORM, describe_config
from serving.models import Model
from serving.requests import InferRequest
from serving.responses import Answer
from serving.statistics import describe_statistics

logger = logging.getLogger(__name__)

EXTENSIONS: Final = (
    "binary_tensor_data",
    "classification",
    "generate",
    "model_configuration",
    "model_repository",
    "parameters",
    "schedule_policy",
    "statistics",
)
MODELS: Final = "/v2/models/"
ALL_STATISTICS: Final = MODELS + "stats"
"""A model of the name `stats` stands before it."""
QUICK: Final = 16 * 1024
"""Up to so many bytes are compressed on the event loop, in a fraction of a millisecond."""
TIMING: Final = b"x-headrace-timing"
"""A request with this header is told where its time went, in Server-Timing (milliseconds)."""
PARTICULAR: Final = frozenset({TIMING, b"accept-encoding", b"content-encoding", b"inference-header-content-length"})
"""Headers that ask for something."""


class HttpCall(Call):
    """`POST …/infer`, whatever its headers ask for.

    What is compressed, or takes long to decode, is prepared in a thread.
    """

    TAKES_BINARY: ClassVar[bool] = True
    """Whether the body may hold binary tensors."""

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
        if not is_compressed(encoding) and self._is_quick(model):
            super().begin(model, submit, on_over)
            return
        self.begin_aside(lambda: self._prepare(model, encoding), model, submit, on_over)

    def decode(self, model: Model) -> InferRequest:
        return model.decoder.decode(self._body, self.exchange.headers.get(b"inference-header-content-length"))

    def answer(self, ticket: Ticket) -> None:
        is_timed = TIMING in self.exchange.headers
        started = time.monotonic_ns() if is_timed else 0
        body, content_type, headers = self.encode(ticket)
        if ticket.cache:
            headers += _cache_header(ticket)
        if is_timed:
            headers += _server_timing(self.decode_ns, ticket, time.monotonic_ns() - started)
        self._respond(body, content_type, self.headers + headers)

    def encode(self, ticket: Ticket) -> Answer:
        """The answer, in the form the client asked for."""
        return self.model.encoder.encode_ticket(ticket)

    def refuse(self, error: HeadraceError) -> None:
        refuse(self.exchange, error, self.headers)

    def _respond(self, body: bytes | list[bytes], content_type: bytes, headers: bytes) -> None:
        accepted = self.exchange.headers.get(b"accept-encoding")
        if accepted is None:
            self.exchange.respond(200, body, content_type, headers)
            return
        pieces = [body] if isinstance(body, bytes) else body
        size = sum(map(len, pieces))
        encoding = choose_encoding(accepted) if size >= WORTHWHILE else None
        if encoding is None:
            self.exchange.respond(200, pieces, content_type, headers)
            return
        headers += b"content-encoding: %s\r\nvary: accept-encoding\r\n" % encoding
        if size <= QUICK:
            self.exchange.respond(200, compress(pieces, encoding), content_type, headers)
            return
        compressing = asyncio.get_running_loop().run_in_executor(None, compress, pieces, encoding)
        compressing.add_done_callback(lambda it: _respond_compressed(self.exchange, it, content_type, headers))

    def _is_quick(self, model: Model) -> bool:
        """Whether the event loop can decode it without keeping others waiting."""
        length = self.exchange.headers.get(b"inference-header-content-length") if self.TAKES_BINARY else None
        return model.decoder.is_quick(len(self._body), length)

    def _prepare(self, model: Model, encoding: bytes | None) -> InferRequest:
        """Decompress and decode, in a thread. Raises HeadraceError."""
        if encoding is not None and is_compressed(encoding):
            self._body = decompress(self._body, encoding, self._limit)
        return self.decode(model)

    def why_not_go_on(self) -> HeadraceError | None:
        """Counts what was decompressed for the compressed body, if that can be."""
        refusal = super().why_not_go_on()
        if refusal is None and self._body is not self.exchange.body and not self.exchange.hold_instead(self._body):
            refusal = TooMuchHeld()
        self.size_bytes = len(self._body)
        return refusal


class PlainCall(HttpCall):
    """`POST …/infer` of a body that is not `LONG`, with none of `PARTICULAR` among its headers: the same in fewer steps."""

    __slots__ = ()

    def begin(self, model: Model, submit: Submit, on_over: Callable[[Call], None]) -> None:
        Call.begin(self, model, submit, on_over)

    def decode(self, model: Model) -> InferRequest:
        return model.decoder.decode(self._body)

    def answer(self, ticket: Ticket) -> None:
        body, content_type, headers = self.model.encoder.encode_ticket(ticket)
        if ticket.cache:
            headers += _cache_header(ticket)
        self.exchange.respond(200, body, content_type, self.headers + headers)


def split_path(path: str) -> tuple[str, str | None, str]:
    """Name, version if one is given, and verb ("" if none) of a path that begins with `MODELS`."""
    name, _, rest = path[len(MODELS) :].partition("/")
    if not rest.startswith("versions/"):
        return name, None, rest
    version, _, verb = rest.removeprefix("versions/").partition("/")
    return name, version, verb


def answer_about(exchange: Exchange, model: Model, verb: str) -> None:
    """Answer what can be asked about a model. Raises PathNotFound or ExtensionUnsupported."""
    describe = _ABOUT.get(verb)
    if describe is None:
        raise nothing_at(exchange.path)
    if allow(exchange, b"GET"):
        exchange.respond(200, describe(model))


def nothing_at(path: str) -> HeadraceError:
    """What to say of a path that is not served."""
    for part, instead in _UNSUPPORTED.items():
        if part in path:
            return ExtensionUnsupported(instead)
    return PathNotFound(path)


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


def statistics_of(models: Iterable[Model]) -> bytes:
    """The body of GET …/stats, about these."""
    return msgspec.json.encode({"model_stats": [describe_statistics(it.name, it.version, it.statistics) for it in models]})


def configure(model: Model) -> dict[str, object]:
    """The model's configuration as Triton would have it."""
    plan = model.plan
    return describe_config(
        model.name,
        model.inputs,
        model.outputs,
        max_batch_size=plan.max_batch_size if model.joins else 0,
        max_delay_us=plan.max_delay_us,
        timeout_us=round(plan.timeout_s * 1e6),
        max_queued=plan.max_queue_rows,
    )


def _respond_compressed(exchange: Exchange, body: "asyncio.Future[bytes]", content_type: bytes, headers: bytes) -> None:
    error = body.exception()
    if error is None:
        exchange.respond(200, body.result(), content_type, headers)
    else:
        logger.error("compressing an answer failed", exc_info=error)
        exchange.refuse(500, "internal error")


def _cache_header(ticket: Ticket) -> bytes:
    return b"x-headrace-cache: %s\r\n" % ticket.cache.encode()


def _server_timing(decode_ns: int, ticket: Ticket, encode_ns: int) -> bytes:
    parts = {"decode": decode_ns, "queue": ticket.queue_ns, "infer": ticket.infer_ns, "encode": encode_ns}
    return f"server-timing: {', '.join(f'{name};dur={ns / 1e6:.3f}' for name, ns in parts.items())}\r\n".encode()


def _describe(tensor: Tensor) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}


_ABOUT: Final[dict[str, Callable[[Model], bytes]]] = {
    "": describe_model,
    "ready": lambda _: b'{"ready":true}',
    "config": lambda it: msgspec.json.encode(configure(it)),
    "stats": lambda it: statistics_of((it,)),
}
"""By verb what makes the answer's body, in JSON."""
_UNSUPPORTED: Final = {
    "/v2/systemsharedmemory": "shared memory is not supported; send tensors in the request, in binary if they are large",
    "/v2/cudasharedmemory": "shared memory is not supported; send tensors in the request, in binary if they are large",
    "/trace/setting": "trace settings are not supported; see /metrics and the request log for where time goes",
    "/v2/logging": "log settings are not supported; the level is set when the server starts, by HEADRACE_LOG_LEVEL",
}
"""By a part of their paths the extensions that are not served, and what there is instead."""
