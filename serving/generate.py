"""The generate extension: a text in, a text out, in the plainest JSON.

A generate request is an inference request in other words. What stands at its top level under the name of an input is that input's
data, `id` and `parameters` are the request's, and whatever else there is joins the parameters.

Source: Triton's generate extension.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import orjson
from msgspec import Raw

from contracts.signature import Tensor
from serving.application import HttpCall
from serving.batcher import Ticket
from serving.buffers import as_text
from serving.errors import RequestMalformed
from serving.http import JSON, Exchange
from serving.models import Model
from serving.requests import InferRequest, fitting_shape
from serving.responses import Answer
from serving.tensors import Array

TEXT_IN: Final = "text_input"
TEXT_OUT: Final = "text_output"
EVENTS: Final = b"text/event-stream"
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])


class NotGenerative(RequestMalformed):
    """The model does not turn text into text."""

    title = "Not generative"

    def __init__(self, name: str) -> None:
        super().__init__(f"generate needs a model with a BYTES input {TEXT_IN!r} and output {TEXT_OUT!r}; use infer for {name!r}")


class GenerateCall(HttpCall):
    """`POST …/generate`, or `…/generate_stream`, which is answered by one event."""

    __slots__ = ("_streams",)

    def __init__(self, exchange: Exchange, limit: int, *, streams: bool) -> None:
        """`limit` bounds the decompressed body, in bytes."""
        super().__init__(exchange, limit)
        self._streams = streams

    def decode(self, model: Model) -> InferRequest:
        check_generative(model.name, model.inputs, model.outputs)
        return model.decoder.decode(as_infer_body(as_text(self._body), model.inputs))

    def encode(self, ticket: Ticket) -> Answer:
        answer = render(self.model.name, self.model.version, ticket.request, ticket.outputs)
        return (as_event(answer), EVENTS, b"cache-control: no-cache\r\n") if self._streams else (answer, JSON, b"")


def check_generative(name: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    """Raises NotGenerative."""
    if not (_has_text(inputs, TEXT_IN) and _has_text(outputs, TEXT_OUT)):
        raise NotGenerative(name)


def as_infer_body(body: bytes | bytearray, inputs: Sequence[Tensor]) -> bytes:
    """The inference request that the generate request `body` stands for. Raises RequestMalformed."""
    given = _parse(body)
    request: dict[str, Any] = {"inputs": [_tensor(it, given.pop(it.name)) for it in inputs if it.name in given]}
    if "id" in given:
        request["id"] = given.pop("id")
    parameters = _decoded("parameters", given.pop("parameters"), dict[str, Raw]) if "parameters" in given else {}
    request["parameters"] = given | parameters
    return msgspec.json.encode(request)


def render(name: str, version: str, request: InferRequest, outputs: Sequence[Array]) -> bytes:
    """The answer: each output under its name, a single value bare and several in a list."""
    answer: dict[str, object] = {"model_name": name, "model_version": version}
    if request.id is not None:
        answer["id"] = request.id
    for output, array in zip(request.outputs, outputs, strict=True):
        answer[output] = _values(array)
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def as_event(answer: bytes) -> bytes:
    """`answer` as the one server-sent event of a stream."""
    return b"data: %s\n\n" % answer


def _values(array: Array) -> object:
    if array.size == 1:
        return array.item()
    return array.ravel().tolist() if array.dtype.kind == "O" else array.ravel()


def _has_text(tensors: Sequence[Tensor], name: str) -> bool:
    return any(it.name == name and it.datatype == "BYTES" for it in tensors)


def _parse(body: bytes | bytearray) -> dict[str, Raw]:
    try:
        return _OBJECT.decode(body)
    except msgspec.ValidationError as error:
        raise RequestMalformed(f"a generate request is a JSON object: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestMalformed(f"the request is not JSON: {error}") from error
    except RecursionError as error:
        raise RequestMalformed("the request is nested too deeply") from error


def _tensor(wanted: Tensor, data: Raw) -> dict[str, Any]:
    values = bytes(data).lstrip()
    count = len(_decoded(wanted.name, data, list[Raw])) if values.startswith(b"[") else 1
    return {
        "name": wanted.name,
        "datatype": wanted.datatype,
        "shape": fitting_shape(wanted.shape, count),
        "data": data if values.startswith(b"[") else [data],
    }


def _decoded(name: str, data: Raw, wanted: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=wanted)
    except msgspec.DecodeError as error:
        raise RequestMalformed(f"{name!r} cannot be read: {error}") from error
    except RecursionError as error:
        raise RequestMalformed(f"{name!r} is nested too deeply") from error
