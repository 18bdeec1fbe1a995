"""From the bytes of an inference request to numpy arrays that fit the model: the protocol's JSON and its binary tensor extension.

Nothing is allocated from a number in the request before that number was checked against the bytes that are there. Sources:
kserve/open-inference-protocol, and Triton's binary data extension.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from contracts.signature import Tensor
from serving.buffers import Buffer, as_text
from serving.classification import check_classification
from serving.datatypes import DTYPES
from serving.errors import RequestMalformed, ShapeMismatch, TensorInvalid
from serving.layouts import Layouts, layout_of
from serving.plain_requests import MAX_BODY, PlainDecoder
from serving.tensors import Array, from_bytes, from_json

MAX_HEADER_DIGITS: Final = 12
LONG: Final = 256 * 1024
"""Bytes of JSON, or of strings, that take some milliseconds to decode; at their worst ten times as long."""
RAW: Final = b"0"
"""A header length that says: there is no header, the whole body is the one input."""
_NO_DATA: Final = Raw(b"")


Dimension = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Larger ones fit nothing, and what is multiplied from them may have more digits than Python prints."""


class TensorParameters(Struct, frozen=True, gc=False):
    binary_data_size: int | None = None


class TensorIn(Struct, frozen=True, gc=False):
    name: str
    shape: list[Dimension]
    datatype: str
    parameters: TensorParameters = TensorParameters()
    data: Raw = _NO_DATA


class OutputParameters(Struct, frozen=True, gc=False):
    binary_data: bool | None = None
    classification: int = 0


class OutputIn(Struct, frozen=True, gc=False):
    name: str
    parameters: OutputParameters = OutputParameters()


class RequestParameters(Struct, frozen=True, gc=False):
    binary_data_output: bool = False
    priority: Annotated[int, Meta(ge=0)] = 0
    timeout: Annotated[int, Meta(ge=0)] | None = None


class RequestIn(Struct, frozen=True, gc=False):
    inputs: list[TensorIn]
    outputs: list[OutputIn] | None = None
    id: str | None = None
    parameters: RequestParameters = RequestParameters()


class _Input:
    """An input of the model, and what shows at a glance that a request fits it."""

    __slots__ = ("datatype", "rank", "tail", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.datatype, self.rank = tensor.datatype, len(tensor.shape)
        is_plain = tensor.shape[:1] == (-1,) and -1 not in tensor.shape[1:]
        self.tail = list(tensor.shape[1:]) if is_plain else None
        """The dimensions behind the first, if that is the only free one."""


class InferRequest(Struct, eq=False):
    """A decoded request that fits the model's signature."""

    inputs: dict[str, Array]
    """By name, in the signature's order."""
    rows: int
    """Size of the inputs' first dimension, of the first input's where they have none in common; at least 1."""
    outputs: tuple[str, ...]
    """Names of the outputs asked for, in the order asked for."""
    binary: tuple[bool, ...]
    """For each of `outputs`, whether it goes out in binary."""
    id: str | None = None
    priority: int = 0
    """1 is the highest; 0 is the deployment's default."""
    timeout_us: int | None = None
    """How long the caller waits; None or 0: as long as the deployment lets it."""
    classes: tuple[int, ...] = ()
    """For each of `outputs`, how many of its highest numbers it is classified into, 0 for none; empty if nothing is."""


class RequestDecoder:
    """Decodes requests to one model, whose signature it holds."""

    def __init__(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, is_batched: bool) -> None:
        """`is_batched`: the inputs' first dimensions are one and the same, and count rows."""
        self._inputs = {it.name: _Input(it) for it in inputs}
        self._is_batched = is_batched
        self._outputs = tuple(it.name for it in outputs)
        self._datatypes = {it.name: it.datatype for it in outputs}
        self._all_json = (False,) * len(self._outputs)
        self._all_binary = (True,) * len(self._outputs)
        self._decoder = msgspec.json.Decoder(RequestIn)
        self._plain = PlainDecoder(inputs[0]) if PlainDecoder.takes(inputs) else None
        self._layouts = Layouts()
        self._name = inputs[0].name if inputs else ""
        self.takes_numbers = all(it.datatype != "BYTES" for it in inputs)
        """And no strings."""

    def is_quick(self, size: int, header_length: bytes | None) -> bool:
        """Whether a body of `size` bytes is decoded in some milliseconds: numbers in binary are only looked at."""
        if size <= LONG:
            return True
        has_short_header = header_length is not None and _is_length(header_length) and int(header_length) <= LONG
        return has_short_header and self.takes_numbers

    def decode(self, body: Buffer, header_length: bytes | None = None) -> InferRequest:
        """Decode `body`; `header_length` is the header Inference-Header-Content-Length. Raises RequestMalformed."""
        if header_length is None and self._plain is not None and len(body) <= MAX_BODY:
            plain = self._plain.decode(body)
            if plain is not None:
                array, request_id = plain
                return InferRequest({self._name: array}, len(array), self._outputs, self._all_json, request_id)
        if header_length == RAW:
            return self._decode_raw(body)
        if header_length is None:
            return self._decode_behind(as_text(body), body)
        header = _header(body, header_length)
        layout = self._layouts.find(header, len(body))
        return self._decode_behind(header, body) if layout is None else InferRequest(layout.read(body), *layout.wanted)

    def _decode_behind(self, header: bytes | bytearray, body: Buffer) -> InferRequest:
        """The request that `header`, with which `body` begins, says of it."""
        request, offset = self._parse(header), len(header)
        arrays: dict[str, Array] = {}
        for tensor in request.inputs:
            self.expect(tensor, arrays)
            size = tensor.parameters.binary_data_size
            if size is None:
                if tensor.data is _NO_DATA:
                    raise TensorInvalid(f"input {tensor.name!r} has neither data nor binary_data_size")
                arrays[tensor.name] = from_json(tensor.name, tensor.datatype, tensor.shape, tensor.data)
            else:
                _check_size(tensor, size, len(body) - offset)
                arrays[tensor.name] = from_bytes(tensor.name, tensor.datatype, tensor.shape, body, offset, size)
                offset += size
        if offset != len(body):
            raise RequestMalformed(f"{len(body) - offset} bytes follow the last binary tensor")
        decoded = self.complete(request, arrays)
        if len(header) < len(body):
            self._learn(bytes(header), request, arrays, decoded)
        return decoded

    def expect(self, tensor: TensorIn, arrays: Mapping[str, Array]) -> None:
        """Check what `tensor` says of itself; `arrays` are those before it. Raises TensorInvalid or ShapeMismatch."""
        wanted = self._inputs.get(tensor.name)
        if wanted is None:
            raise TensorInvalid(f"the model has no input {tensor.name!r}; it takes {_listed(self._inputs)}")
        if tensor.name in arrays:
            raise TensorInvalid(f"input {tensor.name!r} is given twice")
        shape = tensor.shape
        if tensor.datatype != wanted.datatype or len(shape) != wanted.rank or shape[1:] != wanted.tail or shape[0] < 0:
            _check_declaration(tensor, wanted.tensor)

    def complete(self, request: RequestIn, arrays: dict[str, Array]) -> InferRequest:
        """The decoded request, from what `expect` has let pass. Raises RequestMalformed."""
        arrays = self._ordered(arrays)
        outputs, binary = self._wanted_outputs(request)
        parameters = request.parameters
        rows = self._rows(arrays)
        classes = self._classes(request.outputs or (), rows)
        return InferRequest(arrays, rows, outputs, binary, request.id, parameters.priority, parameters.timeout, classes)

    def _learn(self, header: bytes, request: RequestIn, arrays: Mapping[str, Array], decoded: InferRequest) -> None:
        """Remember what `header` says, if all of its tensors are binary and others may say the same."""
        if request.id is not None or any(it.parameters.binary_data_size is None for it in request.inputs):
            return
        wanted = msgspec.structs.astuple(decoded)[1:]
        layout = layout_of(arrays, len(header), decoded.inputs, wanted)
        if layout is not None:
            self._layouts.learn(header, layout)

    def _decode_raw(self, body: Buffer) -> InferRequest:
        """The request whose body is the model's one input and nothing else; of BYTES it is one string, without its length."""
        if len(self._inputs) != 1:
            raise RequestMalformed(f"a body without a header is one input; the model takes {_listed(self._inputs)}")
        tensor = next(iter(self._inputs.values())).tensor
        if tensor.datatype == "BYTES":
            body, count = len(body).to_bytes(4, "little") + body, 1
        else:
            count = len(body) // DTYPES[tensor.datatype].itemsize
        shape = fitting_shape(tensor.shape, count)
        arrays = {tensor.name: from_bytes(tensor.name, tensor.datatype, shape, body, 0, len(body))}
        return InferRequest(arrays, self._rows(arrays), self._outputs, self._all_binary)

    def _parse(self, header: bytes | bytearray) -> RequestIn:
        try:
            if not header.isascii():
                header.decode()  # what the decoder skips, it does not look into
            return self._decoder.decode(header)
        except msgspec.ValidationError as error:
            raise RequestMalformed(f"the request is not one of the protocol: {error}") from error
        except msgspec.DecodeError as error:
            hint = "; JSON has no NaN or Infinity: send null for NaN, or binary tensors" if _has_constants(header) else ""
            raise RequestMalformed(f"the request is not JSON: {error}{hint}") from error
        except UnicodeDecodeError as error:
            raise RequestMalformed(f"the request is not UTF-8 at byte {error.start}") from error
        except RecursionError as error:
            raise RequestMalformed("the request is nested too deeply") from error

    def _ordered(self, arrays: dict[str, Array]) -> dict[str, Array]:
        if len(arrays) != len(self._inputs):
            missing = next(name for name in self._inputs if name not in arrays)
            raise TensorInvalid(f"input {missing!r} is missing")
        return arrays if len(arrays) < 2 else {name: arrays[name] for name in self._inputs}

    def _rows(self, arrays: dict[str, Array]) -> int:
        if not self._is_batched:
            first = next(iter(arrays.values()), None)
            return max(1, first.shape[0]) if first is not None and first.ndim else 1
        rows = -1
        for name, array in arrays.items():
            if rows not in (-1, array.shape[0]):
                raise ShapeMismatch(f"input {name!r} has {array.shape[0]} rows, the inputs before it have {rows}")
            rows = array.shape[0]
        if not rows:
            raise ShapeMismatch("the inputs have no rows")
        return rows

    def _wanted_outputs(self, request: RequestIn) -> tuple[tuple[str, ...], tuple[bool, ...]]:
        default = request.parameters.binary_data_output
        if not request.outputs:
            return self._outputs, self._all_binary if default else self._all_json
        names = tuple(it.name for it in request.outputs)
        for output in request.outputs:
            if output.name not in self._outputs:
                raise TensorInvalid(f"the model has no output {output.name!r}; it gives {_listed(self._outputs)}")
            if names.count(output.name) > 1:
                raise TensorInvalid(f"output {output.name!r} is asked for twice")
        flags = (it.parameters.binary_data for it in request.outputs)
        return names, tuple(default if it is None else it for it in flags)

    def _classes(self, outputs: Sequence[OutputIn], rows: int) -> tuple[int, ...]:
        classes = tuple(it.parameters.classification for it in outputs)
        for output, count in zip(outputs, classes, strict=True):
            if count:
                check_classification(output.name, self._datatypes[output.name], count, rows)
        return classes if any(classes) else ()


def fitting_shape(wanted: Sequence[int], count: int) -> list[int]:
    """A shape for `count` values that fits `wanted` if any does: the last free dimension takes them all, the others are 1."""
    shape = [1 if it == -1 else it for it in wanted]
    if -1 in wanted:
        last = len(shape) - 1 - tuple(reversed(wanted)).index(-1)
        shape[last] = max(1, count // max(1, math.prod(shape)))
    return shape


def _header(body: Buffer, header_length: bytes) -> bytes:
    if not _is_length(header_length):
        raise RequestMalformed("Inference-Header-Content-Length is not a number of bytes")
    length = int(header_length)
    if length > len(body):
        raise RequestMalformed(f"Inference-Header-Content-Length is {length}, the body has {len(body)} bytes")
    return bytes(body[:length])


def _is_length(header_length: bytes) -> bool:
    return header_length.isdigit() and len(header_length) <= MAX_HEADER_DIGITS


def _check_declaration(tensor: TensorIn, wanted: Tensor) -> None:
    if tensor.datatype != wanted.datatype:
        known = "" if tensor.datatype in DTYPES else "; that is no datatype this server knows"
        raise TensorInvalid(f"input {tensor.name!r} is {wanted.datatype}, not {tensor.datatype!r}{known}")
    if len(tensor.shape) != len(wanted.shape):
        raise ShapeMismatch(f"input {tensor.name!r} takes shape {list(wanted.shape)}, {len(tensor.shape)} dimensions were given")
    for given, expected in zip(tensor.shape, wanted.shape, strict=True):
        if given < 0:
            raise ShapeMismatch(f"input {tensor.name!r} has a negative dimension: {given}")
        if expected not in (-1, given):
            raise ShapeMismatch(f"input {tensor.name!r} takes shape {list(wanted.shape)}, not {tensor.shape}")


def _check_size(tensor: TensorIn, size: int, left: int) -> None:
    if tensor.data is not _NO_DATA:
        raise TensorInvalid(f"input {tensor.name!r} has both data and binary_data_size")
    if not 0 <= size <= left:
        raise RequestMalformed(f"binary_data_size of input {tensor.name!r} is {size}, {left} bytes are left in the body")


def _has_constants(header: bytes | bytearray) -> bool:
    return b"NaN" in header or b"Infinity" in header


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
